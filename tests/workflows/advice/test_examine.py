"""The examination of a camera: quiet days have no finding, planted faults do, and clips with known truth agree."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.camera_days import (
    BEGIN,
    Picture,
    behind_box,
    blurred,
    covered,
    examined,
    kinds_of,
    make_day,
    planted,
    shifted,
)

BEFORE, FRAMES = 25, 45


def day(seed: int = 2) -> Iterator[tuple[datetime, Picture]]:
    """Frames ten minutes apart from 8 h on."""
    return make_day(seed, frames=FRAMES, every=timedelta(minutes=10), from_hour=8)


def test_quiet_days() -> None:
    """A day and a night with cars, walkers and weather have no finding."""
    assert [kinds_of(examined(make_day(seed))) for seed in (0, 1)] == [set(), set()]


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("moved", lambda picture: shifted(picture, right=2)),
        ("moved", lambda picture: shifted(picture, turn=1)),
        ("blurred", blurred),
        ("blocked", covered),
        ("blocked", behind_box),
    ],
)
def test_planted_fault(kind: str, fault: Callable[[Picture], Picture]) -> None:
    """A fault that begins with a frame is found, and dated to that frame."""
    examination = examined(planted(day(), fault, begin=BEFORE))
    assert kinds_of(examination) == {kind}
    assert examination.findings[0].since == BEGIN + timedelta(hours=8) + BEFORE * timedelta(minutes=10)


@pytest.mark.parametrize(
    ("name", "expected"), [("opencv_tree.avi", "blocked"), ("dvrscan_brightness_change.avi", "light_only")]
)
def test_clips(shared_data: Path, name: str, expected: str) -> None:
    """An hour of frames of a clip, one a minute: a hand before the lens blocks it; where only the light changes, it is
    said."""
    frames = list(clip(shared_data / "videos" / name))
    assert len(frames) >= 60
    assert kinds_of(examined(iter(frames))) == {expected}


def clip(path: Path) -> Iterator[tuple[datetime, Picture]]:
    """All frames of a clip, at most 640 wide, one a minute; those of a clip of less than an hour there and back."""
    capture = cv2.VideoCapture(str(path))
    pictures: list[Picture] = []
    while (read := capture.read())[0]:
        picture = np.asarray(read[1], np.uint8)
        if picture.shape[1] > 640:
            height = round(picture.shape[0] * 640 / picture.shape[1])
            picture = np.asarray(cv2.resize(picture, (640, height), interpolation=cv2.INTER_AREA), np.uint8)
        pictures.append(picture)
    back = pictures[-2::-1] if len(pictures) < 60 else []
    for number, picture in enumerate([*pictures, *back]):
        yield BEGIN + number * timedelta(minutes=1), picture
