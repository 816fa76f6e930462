"""How much faster the matcher decides pairs than plain OpenCV does: the same pairs, the same answers, one core, one
process, processor time.

Cameras: three made up, and those of the sample frames beside the project where they are. Each camera's frames are
decided in the order of time, the nearest kept one first, once by scoring every pair in full (`plain.evidence`) and once
by the matcher; the answers must be equal. Both have the prepared images at hand. What the matcher compiles or loads
once is not counted.
"""

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from indexer.domain.evidence import ScoringParameters
from indexer.imaging import matching
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import Match, MatchTask, match
from tests.benchmarks import plain
from tests.benchmarks.cameras import Camera, Painter
from tests.benchmarks.measuring import SAMPLES, one_core, ratios, rounded, side_by_side

BALANCED = ScoringParameters(
    plain.THRESHOLD,
    2,
    plain.MIN_AREA,
    native=False,
    max_score=plain.MAX_SCORE,
    record_limit=plain.RECORD_LIMIT,
)

Answer = tuple[int, bool, tuple[tuple[int, plain.Evidence], ...]]
"""How many frames were met, whether the last of them is similar, and what those within the record limit showed, by
place."""


def measure(folder: Path, *, frames: int = 300, rounds: int = 5, sampled_cameras: int | None = None) -> dict[str, Any]:
    """Per camera: pairs met, seconds of both ways, their ratio; and the same of all made up and of all sampled."""
    sampled = dict(list(_sampled().items())[:sampled_cameras])
    made_up = {f"made up: {kind}": _made_up(kind, frames, *how) for kind, how in _KINDS.items()}
    found = {name: _measure(images, rounds=rounds) for name, images in (made_up | sampled).items()}
    return found | {
        f"all {kind}": _together([found[name] for name in names])
        for kind, names in (("made up", made_up), ("sampled", sampled))
        if names
    }


_KINDS = {"lot": (0.95, 0.8), "gate": (0.5, 0.2), "road": (0.8, 0.5)}


def _made_up(kind: str, frames: int, busy: float, fresh: float) -> list[plain.Image]:
    painter = Painter(Camera(kind, frames, busy=busy, fresh=fresh).small(), grey=True)
    return [plain.prepare_small(painter.frame(number)) for number in range(frames)]


def _sampled() -> dict[str, list[plain.Image]]:
    """The prepared sample frames by camera; none where they are not."""
    cameras: dict[str, list[plain.Image]] = {}
    for path in sorted(SAMPLES.glob("*.jpg")):
        data = path.read_bytes()
        width = cv2.imread(str(path)).shape[1]
        cameras.setdefault(path.name[:3], []).append(plain.prepare(data, width=width))
    return cameras


class Matcher:
    """The matcher on the prepared images of one camera: the one place that knows how it is called."""

    def __init__(self, images: Sequence[plain.Image]) -> None:
        self._before = matching.PAIRS_BEFORE_COMPILED
        matching.PAIRS_BEFORE_COMPILED = 0  # a long run uses the fastest way anyway
        self._shelf = ImageBuffer(required_bytes([image.shape for image in images]), shared=False).__enter__()
        self._slots = [self._shelf.put(image) for image in images]
        self._offsets = np.array([slot.offset for slot in self._slots], dtype=np.int64)

    def __enter__(self) -> "Matcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._shelf.__exit__(None, None, None)
        matching.PAIRS_BEFORE_COMPILED = self._before

    def answer(self, number: int, others: Sequence[int]) -> Match:
        """What the matcher says."""
        return match(MatchTask(self._slots[number], self._offsets[others], BALANCED))

    def found(self, answer: Match) -> bool:
        """Whether a similar one was found."""
        return answer.matched

    def values(self, answer: Match) -> Answer:
        """The answer in plain values; not timed."""
        scored = tuple((place, astuple(evidence)[:4]) for place, evidence in answer.evidence)  # without features
        return answer.compared, answer.matched, scored


@dataclass(frozen=True)
class Reference:
    """One pair scored after the other with OpenCV."""

    images: Sequence[plain.Image]

    def answer(self, number: int, others: Sequence[int]) -> Answer:
        """What scoring says."""
        within: list[tuple[int, plain.Evidence]] = []
        for place, other in enumerate(others):
            found = plain.evidence(self.images[number], self.images[other])
            if found[0] <= plain.RECORD_LIMIT:
                within.append((place, found))
            if found[0] < plain.MAX_SCORE:
                return place + 1, True, tuple(within)
        return len(others), False, tuple(within)

    def found(self, answer: Answer) -> bool:
        """Whether a similar one was found."""
        return answer[1]


def _decide(count: int, way: Any) -> list[Any]:
    """The answers for every frame of a camera, each asked about the frames kept before it, the nearest first."""
    kept: list[int] = []
    answers = []
    for number in range(count):
        answers.append(way.answer(number, kept[::-1]))
        if not way.found(answers[-1]):
            kept.append(number)
    return answers


def _measure(images: Sequence[plain.Image], *, rounds: int) -> dict[str, Any]:
    count = len(images)
    reference = Reference(images)
    with one_core(), Matcher(images) as matcher:
        expected = _decide(count, reference)
        if expected != [matcher.values(answer) for answer in _decide(count, matcher)]:
            raise RuntimeError("the matcher and plain OpenCV answer differently")
        timings = side_by_side(
            {"plain": lambda: _decide(count, reference), "matcher": lambda: _decide(count, matcher)},
            rounds=rounds,
            clock=time.process_time,
        )
    pairs = sum(met for met, _, _ in expected)
    return {
        "frames": count,
        "pairs": pairs,
        "similar": sum(found for _, found, _ in expected),
        **{f"{way}_us": rounded(timing.best_s / pairs * 1e6) for way, timing in timings.items()},
        **ratios(timings, slow="plain", fast="matcher"),
    }


def _together(cameras: list[dict[str, Any]]) -> dict[str, Any]:
    sums = {key: rounded(sum(camera[key] for camera in cameras)) for key in ("plain_s", "matcher_s")}
    counts = {key: sum(camera[key] for camera in cameras) for key in ("frames", "pairs", "similar")}
    least = min(camera["ratio"] for camera in cameras)
    return {
        **counts,
        **{f"{way}_us": rounded(sums[f"{way}_s"] / counts["pairs"] * 1e6) for way in ("plain", "matcher")},
        **sums,
        "ratio": rounded(sums["plain_s"] / sums["matcher_s"]),
        "least_ratio": least,
    }
