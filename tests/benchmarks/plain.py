"""The reference: what indexer does, written with plain OpenCV and nothing of the project.

How an image is prepared and a pair scored (the profile `balanced`), the search of a camera's keepers outward in time,
and the rule once more as brute force. It reads an index with SQL and gives plain values. It knows neither pins nor
verdicts: a fresh index has none.
"""

import math
import sqlite3
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
"""(H, W), uint8."""

WORK_WIDTH = 320
THRESHOLD = 30
MIN_AREA = 1000.0
MAX_SCORE = 1000.0
RECORD_LIMIT = 4000.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Evidence = tuple[float, float, int, float]
"""Score, largest contour, number of counting contours, changed fraction."""
Decision = tuple[str, int | None, float | None, str]
"""Verdict, keeper, score, reason."""
Pair = tuple[int, int]


def evidence(image_a: Image, image_b: Image) -> Evidence:
    """What two prepared images of one shape show."""
    difference = cv2.absdiff(image_a, image_b)
    changed = cv2.threshold(difference, THRESHOLD, 255, cv2.THRESH_BINARY)[1]
    changed_fraction = cv2.countNonZero(changed) / changed.size
    grown = cv2.dilate(changed, None, iterations=2)
    contours, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    unit = 307200 / changed.size
    areas = [cv2.contourArea(contour) for contour in contours]
    counting = [area for area in areas if area * unit >= MIN_AREA]
    return sum(counting) * unit, max(areas, default=0.0) * unit, len(counting), changed_fraction


_FLAGS = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: cv2.IMREAD_GRAYSCALE,
}


def prepare(data: bytes, *, width: int) -> Image:
    """The prepared image of a JPEG file whose pictures are stored so wide."""
    by = next((by for by in (8, 4, 2) if width // by >= 2 * WORK_WIDTH), 1)
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[by])
    height = max(1, round(grey.shape[0] * WORK_WIDTH / grey.shape[1]))
    return prepare_small(cv2.resize(grey, (WORK_WIDTH, height), interpolation=cv2.INTER_AREA))


def prepare_small(grey: Image) -> Image:
    """The prepared image of a grey one that is at its working size: blur, local contrast, mask."""
    grey = cv2.GaussianBlur(grey, (3, 3), 0)
    height, width = grey.shape
    side = int(width / 5) | 1
    mean = cv2.boxFilter(grey, cv2.CV_64F, (side, side))
    variance = np.maximum(cv2.sqrBoxFilter(grey, cv2.CV_64F, (side, side)) - mean * mean, 0)
    out: Image = np.clip(np.rint(128 + 50 * (grey - mean) / np.sqrt(variance + 64)), 0, 255).astype(np.uint8)
    left, top, right = int(5 * width / 100), int(10 * height / 100), width - int(5 * width / 100)
    out[: top + 1] = 0
    out[:, : left + 1] = 0
    out[:, right:] = 0
    return out


@dataclass(frozen=True)
class Frame:
    """A ready image of an index, with what the rule looks at."""

    id: int
    rank: tuple[Any, ...]
    time_us: int | None
    content_hash: str
    shape: tuple[int, int]
    path: str

    def distance_us(self, other: "Frame") -> float:
        """How far apart two images are in time."""
        return math.inf if self.time_us is None or other.time_us is None else abs(self.time_us - other.time_us)


@dataclass
class Answers:
    """What every image of an index is, and the evidence recorded, by (smaller, larger) image id."""

    decisions: dict[int, Decision] = field(default_factory=dict)
    recorded: dict[Pair, Evidence] = field(default_factory=dict)
    pairs: int = 0


def pair_of(frame: Frame, other: Frame) -> Pair:
    """The key of a pair."""
    return min(frame.id, other.id), max(frame.id, other.id)


class Index:
    """An index that is read: its frames, by camera and from the highest rank down, and its thumbnails."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def cameras(self) -> Iterator[list[Frame]]:
        """The frames of one camera after the other."""
        for (camera_id,) in self._connection.execute("SELECT id FROM cameras ORDER BY name").fetchall():
            rows = self._connection.execute(_FRAMES, (camera_id,))
            yield sorted((_frame(*row) for row in rows), key=lambda frame: frame.rank)

    def pixels(self, image_id: int) -> Image:
        """The thumbnail of an image, read and decoded."""
        (data,) = self._connection.execute(_THUMBNAIL, (image_id,)).fetchone()
        image: Image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return image

    def answers(self) -> Answers:
        """What the index itself says."""
        decisions = {image_id: tuple(said) for image_id, *said in self._connection.execute(_DECISIONS)}
        recorded = {(a, b): tuple(said) for a, b, *said in self._connection.execute(_SCORES)}
        return Answers(decisions, recorded)


_BALANCED = "(SELECT scoring_id FROM profiles WHERE name = 'balanced')"
_PREPARATION = f"(SELECT preparation_id FROM scorings WHERE id = {_BALANCED})"
_FRAMES = f"""
    SELECT image.id, path, image.width * image.height, sharpness, captured_at, content_hash, t.height, t.width
    FROM images AS image JOIN thumbnails AS t ON t.image_id = image.id AND t.preparation_id = {_PREPARATION}
    WHERE state = 'ready' AND camera_id = ?
"""
_THUMBNAIL = f"SELECT data FROM thumbnails WHERE image_id = ? AND preparation_id = {_PREPARATION}"
_DECISIONS = "SELECT image_id, verdict, keeper_id, score, reason FROM decisions WHERE superseded_at IS NULL"
_SCORES = f"""
    SELECT image_a_id, image_b_id, score, largest_contour, contour_count, changed_fraction
    FROM scores WHERE scoring_id = {_BALANCED}
"""


def _frame(
    image_id: int, path: str, area: int, sharpness: float, captured_at: str | None, content: str, *shape: int
) -> Frame:
    moment = None if captured_at is None else datetime.fromisoformat(captured_at).replace(tzinfo=UTC)
    time_us = None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
    rank = (-area, -math.floor(math.log2(sharpness)), time_us is None, time_us or 0, content, path.encode())
    return Frame(image_id, rank, time_us, content, (shape[0], shape[1]), path)


class Outward:
    """Keepers, walked from any frame outward in time: the nearest first, at one distance the highest rank first."""

    def __init__(self) -> None:
        self._later: list[tuple[int, tuple[Any, ...], Frame]] = []
        self._earlier: list[tuple[int, tuple[Any, ...], Frame]] = []
        self._timeless: list[tuple[tuple[Any, ...], Frame]] = []

    def add(self, frame: Frame) -> None:
        if frame.time_us is None:
            insort(self._timeless, (frame.rank, frame), key=lambda entry: entry[0])
            return
        insort(self._later, (frame.time_us, frame.rank, frame), key=lambda entry: entry[:2])
        insort(self._earlier, (-frame.time_us, frame.rank, frame), key=lambda entry: entry[:2])

    def around(self, frame: Frame) -> Iterator[Frame]:
        if frame.time_us is None:
            yield from (keeper for *_, keeper in merge(sorted(entry[1:] for entry in self._later), self._timeless))
            return
        time_us = frame.time_us
        first = bisect_left(self._later, time_us, key=lambda entry: entry[0])
        later = (self._later[place] for place in range(first, len(self._later)))
        first = bisect_left(self._earlier, 1 - time_us, key=lambda entry: entry[0])
        earlier = (self._earlier[place] for place in range(first, len(self._earlier)))
        away = ((time - time_us, rank, keeper) for time, rank, keeper in later)
        back = ((time + time_us, rank, keeper) for time, rank, keeper in earlier)
        yield from (keeper for *_, keeper in merge(away, back, key=lambda entry: entry[:2]))
        yield from (keeper for _, keeper in self._timeless)


def search(path: Path) -> Answers:
    """Decides an index as the design says: down the ranks, each frame against the keepers from the nearest on, up to
    the first that is similar; every thumbnail is read and decoded once."""
    answers = Answers()
    with Index(path) as index:
        for frames in index.cameras():
            keepers, images = Outward(), dict[int, Image]()
            for frame in frames:
                images[frame.id] = index.pixels(frame.id)
                decision = first_similar(frame, keepers.around(frame), images, answers)
                answers.decisions[frame.id] = decision
                if decision[0] == "keep":
                    keepers.add(frame)
                else:
                    del images[frame.id]
    return answers


def first_similar(frame: Frame, keepers: Iterable[Frame], images: dict[int, Image], answers: Answers) -> Decision:
    for keeper in keepers:
        if keeper.content_hash == frame.content_hash:
            return "duplicate", keeper.id, 0.0, "identical"
        if keeper.shape != frame.shape:
            continue
        found = evidence(images[frame.id], images[keeper.id])
        answers.pairs += 1
        if found[0] <= RECORD_LIMIT:
            answers.recorded[pair_of(frame, keeper)] = found
        if found[0] < MAX_SCORE:
            return "duplicate", keeper.id, found[0], "similar"
    return "keep", None, None, "new"


def brute_force(path: Path) -> Answers:
    """Decides an index by scoring every frame against every keeper above it, in no order that could matter, and
    choosing afterwards."""
    answers = Answers()
    with Index(path) as index:
        for frames in index.cameras():
            keepers: list[Frame] = []
            images = dict[int, Image]()
            for frame in frames:
                images[frame.id] = index.pixels(frame.id)
                met = [(*_likeness(frame, keeper, images), keeper) for keeper in keepers]
                nearness = [(frame.distance_us(keeper), keeper.rank) for keeper in keepers]
                alike = [place for place, (score, _, _) in enumerate(met) if score is not None and score < MAX_SCORE]
                chosen = min(alike, key=nearness.__getitem__, default=None)
                bound = (math.inf, ()) if chosen is None else nearness[chosen]
                seen = [one for one, near in zip(met, nearness, strict=True) if chosen is None or near <= bound]
                answers.pairs += sum(found is not None for _, found, _ in seen)
                answers.recorded |= {
                    pair_of(frame, keeper): found for _, found, keeper in seen if found and found[0] <= RECORD_LIMIT
                }
                answers.decisions[frame.id] = _said(None if chosen is None else met[chosen])
                if chosen is None:
                    keepers.append(frame)
    return answers


def _likeness(frame: Frame, keeper: Frame, images: dict[int, Image]) -> tuple[float | None, Evidence | None]:
    """The score of two frames and its evidence: equal bytes have no evidence, unequal shapes neither."""
    if frame.content_hash == keeper.content_hash:
        return 0.0, None
    if frame.shape != keeper.shape:
        return None, None
    found = evidence(images[frame.id], images[keeper.id])
    return found[0], found


def _said(chosen: tuple[float | None, Evidence | None, Frame] | None) -> Decision:
    if chosen is None:
        return "keep", None, None, "new"
    score, found, keeper = chosen
    return "duplicate", keeper.id, score, "identical" if found is None else "similar"


def differences(answers: Answers, others: Answers) -> dict[str, int]:
    """How many decisions and how many recorded scores are not the same, down to the last bit."""
    return {
        "decisions": len(dict(answers.decisions.items() ^ others.decisions.items())),
        "scores": len(dict(answers.recorded.items() ^ others.recorded.items())),
    }


def say(path: Path) -> Answers:
    """What an index says of its images and pairs."""
    with Index(path) as index:
        return index.answers()
