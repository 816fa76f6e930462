"""Made-up days of a camera: light, clouds, infrared at night, rain, cars; and faults that are planted in them.

A day without a fault is quiet: whatever is found in it is a false finding.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.findings import Examination
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from indexer.imaging.condition import grey_for_comparison, measure_condition
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw
from indexer.workflows.advice.examine import CameraRecord, GreyFrame, examine_camera

Picture = NDArray[np.uint8]
Location = Literal["lot", "gate", "road"]
LOCATIONS: tuple[Location, ...] = ("lot", "gate", "road")
WEATHERS = ("clear", "clouds", "rain")
BEGIN = datetime(2026, 5, 14, tzinfo=UTC)


def make_day(
    seed: int, *, frames: int = 72, every: timedelta = timedelta(minutes=20), from_hour: int = 0
) -> Iterator[tuple[datetime, Picture]]:
    """The frames of one quiet day or several, with their times; another seed is another camera and weather."""
    rng = np.random.default_rng(seed)
    scene = Scene(LOCATIONS[seed % 3], seed=seed, width=640, height=480)
    parked = Thing("car", 150 + 30 * (seed % 5), 408, 118, (50, 44, 190))
    weather = rng.choice(WEATHERS)
    for number in range(frames):
        time = BEGIN + timedelta(hours=from_hour) + number * every
        hour = time.hour + time.minute / 60
        things = (parked,) if seed % 2 and 7 <= hour < 19 else ()
        if rng.random() < 0.3:
            things = (*things, Thing("passing", float(rng.uniform(60, 580)), 340, 160))
        if rng.random() < 0.2:
            things = (*things, Thing("walker", float(rng.uniform(60, 580)), 330, 90, (60, 140, 220)))
        yield time, draw(scene, things=things, light=light_at(hour, weather, rng), seed=1000 * seed + number)


def light_at(hour: float, weather: str, rng: np.random.Generator) -> Light:
    """The light of a frame at this hour, from 0 to below 24, in one of `WEATHERS`."""
    if not 5 <= hour < 21:
        return Light(float(rng.uniform(0.95, 1.05)), "infrared", noise=3.5)
    height = np.sin(np.pi * (hour - 5) / 16)
    brightness = 0.55 + 0.5 * float(height)
    if weather == "clouds":
        brightness *= float(rng.uniform(0.7, 1.1))
    light = Light(brightness, "dusk" if height < 0.2 else "day", noise=5.0 if weather == "rain" else 2.5)
    if weather == "clear" and rng.random() < 0.3:
        return replace(light, sun=(float(rng.uniform(100, 540)), 320.0))
    return light


def planted(
    day: Iterator[tuple[datetime, Picture]], fault: Callable[[Picture], Picture], *, begin: int, end: int | None = None
) -> Iterator[tuple[datetime, Picture]]:
    """The day with a fault in the frames from `begin` to before `end`, counted from 0; None: to the last."""
    for number, (time, picture) in enumerate(day):
        is_faulty = number >= begin and (end is None or number < end)
        yield time, fault(picture) if is_faulty else picture


def examined(day: Iterator[tuple[datetime, Picture]], *, now: datetime | None = None) -> Examination:
    """What is found in these frames, taken one after the other."""
    frames, images = [], []
    for number, (time, picture) in enumerate(day):
        frame = MeasuredFrame(number + 1, time, measure_condition(picture))
        frames.append(GreyFrame(frame, grey_for_comparison(picture), number))
        images.append(Capture(number + 1, time, f"{number:064x}", time.timestamp(), True))
    now = images[-1].captured_at if now is None else now
    return examine_camera(frames, CameraRecord(images), now=now, days=14)


def kinds_of(examination: Examination) -> set[str]:
    """The kinds of its findings."""
    return {str(finding.kind) for finding in examination.findings}


def shifted(picture: Picture, *, right: float = 0, down: float = 0, turn: float = 0, zoom: float = 1) -> Picture:
    """The picture as a camera shows it that was moved: pixels of a frame 320 wide, degrees, and a factor."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
    matrix[:, 2] += np.array([right, down]) * width / 320
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def blurred(picture: Picture, *, sigma_px: float = 3.0) -> Picture:
    """The picture of a lens out of focus; the sensor's noise stays as it is."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma_px * picture.shape[1] / 640)
    return _noisy(np.asarray(soft, np.uint8), 2.5)


def with_drop(picture: Picture, *, centre: tuple[float, float] = (0.25, 0.3), share: float = 0.15) -> Picture:
    """The picture through a lens with a drop on it, which blurs a round part of the frame."""
    height, width = picture.shape[:2]
    radius = (share * height * width / np.pi) ** 0.5
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns - centre[0] * width, rows - centre[1] * height)
    weight = np.clip((radius - distance) / 12 + 0.5, 0, 1)[..., None]
    soft = cv2.GaussianBlur(picture, (0, 0), width / 60).astype(np.float64)
    return _noisy((weight * soft + (1 - weight) * picture).astype(np.uint8), 1.0)


def covered(picture: Picture, *, level: int = 60) -> Picture:
    """The picture with a bag over the camera."""
    return _noisy(np.full_like(picture, level), 1.5)


def behind_box(picture: Picture, *, share: float = 0.25) -> Picture:
    """The picture with a box before the camera that fills this share of the frame, darker or brighter than the view."""
    colour = (30, 45, 60) if picture.mean() > 90 else (150, 190, 220)
    result = picture.copy()
    height, width = picture.shape[:2]
    result[height // 5 :, : int(width * share / 0.8)] = colour
    cv2.putText(result, "FRAGILE", (10, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (230, 230, 230), 4)
    return result


def with_glare(picture: Picture) -> Picture:
    """The picture with the sun in its upper right corner."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns - 0.85 * width, rows - 0.15 * height) / width
    added = 400 * np.exp(-((distance / 0.15) ** 2))
    return np.clip(picture + added[..., None], 0, 255).astype(np.uint8)


def dimmed(picture: Picture, *, factor: float = 0.03) -> Picture:
    """The picture without a lamp."""
    return _noisy((picture * factor).astype(np.uint8), 1.0)


def brighter(picture: Picture, *, levels: float) -> Picture:
    """The picture with so many levels more."""
    return np.clip(picture.astype(np.float64) + levels, 0, 255).astype(np.uint8)


def _noisy(picture: Picture, deviation: float) -> Picture:
    noise = np.random.default_rng(int(picture.sum() % 2**31)).normal(0, deviation, picture.shape[:2])
    return np.clip(picture + noise[..., None], 0, 255).astype(np.uint8)
