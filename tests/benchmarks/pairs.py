"""How much faster the matcher decides pairs than plain OpenCV does: the same pairs, the same answers, one core, one
process.

    python -m tests.benchmarks.pairs

Cameras: three made up, and those of the sample frames beside the project where they are. Each camera's frames are
decided in the order of time, the nearest kept one first, once by scoring every pair in full and once by the matcher;
the answers must be equal. The best of five of each, in turn. Writes `pairs.json`.
"""

import json
import platform
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from indexer.pixels import matching
from indexer.pixels.describing import DescribeTask, Recipe, describe
from indexer.pixels.headers import Limits
from indexer.pixels.matching import Match, MatchTask, Measure, first_similar, match
from indexer.pixels.preparing import prepared, shrunk, thumbnail_height
from indexer.pixels.scenes import Light, Scene, Thing, draw
from indexer.pixels.shelf import Shelf, Slot, take
from indexer.pixels.thumbnails import decode

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "shared" / "data" / "frames"
BALANCED = Measure(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
MASK = (5, 10, 5, 0)
ROUNDS = 5

Image = NDArray[np.uint8]
Answer = Callable[[Slot, Sequence[tuple[int, Slot]]], Match]


def made_up(place: str, *, frames: int = 150, busy: float) -> list[Image]:
    """The thumbnails of a camera at which a thing is in the picture in so many of the frames."""
    chance = random.Random(place)
    thumbnails = []
    for number in range(frames):
        things = ()
        if chance.random() < busy:
            x, y = chance.randint(60, 580), chance.randint(260, 420)
            things = (Thing(chance.choice(["car", "walker"]), x, y, chance.randint(60, 110)),)
        light = Light(brightness=chance.uniform(0.9, 1.1))
        grey = cv2.cvtColor(draw(Scene(place), things=things, light=light, seed=number), cv2.COLOR_BGR2GRAY)
        height = thumbnail_height(width=grey.shape[1], height=grey.shape[0], work_width=320)
        thumbnails.append(prepared(shrunk(grey, size=(height, 320)), contrast=True, mask=MASK))
    return thumbnails


def sampled() -> dict[str, list[Image]]:
    """The thumbnails of the sample frames by camera; none where they are not."""
    recipe = Recipe("benchmark", 320, True, MASK)
    cameras: dict[str, list[Image]] = {}
    for path in sorted(SAMPLES.glob("*.jpg")):
        (thumbnail,) = describe(DescribeTask(str(path), (recipe,), Limits())).thumbnails
        cameras.setdefault(path.name[:3], []).append(decode(thumbnail.data))
    return cameras


def plain(image: Slot, candidates: Sequence[tuple[int, Slot]]) -> Match:
    """The answer of scoring one pair after the other with OpenCV."""
    return first_similar(take(image), ((key, take(slot)) for key, slot in candidates), measure=BALANCED)


def fast(image: Slot, candidates: Sequence[tuple[int, Slot]]) -> Match:
    """The answer of the matcher."""
    return match(MatchTask(image, tuple(candidates), BALANCED))


def decide(slots: Sequence[Slot], answer: Answer) -> list[Match]:
    """The answers for every frame of a camera, each asked about the frames kept before it, the nearest first."""
    kept: list[int] = []
    answers = []
    for number, slot in enumerate(slots):
        nearest = sorted(kept, key=lambda other: number - other)
        answers.append(answer(slot, [(other, slots[other]) for other in nearest]))
        if answers[-1].found is None:
            kept.append(number)
    return answers


def measure(images: Sequence[Image]) -> dict[str, float | int]:
    """Pairs met, microseconds a pair of both ways, and their ratio; the answers must be equal."""
    with Shelf() as shelf:
        slots = [shelf.put(image) for image in images]
        seconds: dict[Answer, float] = {}
        answers: dict[Answer, list[Match]] = {fast: decide(slots, fast)}  # a round that is not counted
        for _ in range(ROUNDS):
            for way in (plain, fast):
                begin = time.perf_counter()
                answers[way] = decide(slots, way)
                seconds[way] = min(seconds.get(way, float("inf")), time.perf_counter() - begin)
    assert answers[plain] == answers[fast]
    pairs = sum(len(answer.met) for answer in answers[plain])
    return {
        "pairs": pairs,
        "plain_us": round(seconds[plain] / pairs * 1e6, 1),
        "matcher_us": round(seconds[fast] / pairs * 1e6, 1),
        "ratio": round(seconds[plain] / seconds[fast], 1),
    }


def main() -> None:
    """Measures every camera and writes the results."""
    matching.PAIRS_BEFORE_PROVING = 0
    cameras = {
        f"made up: {place}": made_up(place, busy=busy) for place, busy in (("lot", 0.9), ("gate", 0.5), ("road", 0.7))
    }
    results = {name: measure(images) for name, images in (cameras | sampled()).items()}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE, check=True
    )
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, shared virtual machine of 2 cores",
        "versions": {
            "python": platform.python_version(),
            "opencv": cv2.__version__,
            "numpy": np.__version__,
            "numba": numba.__version__,
        },
        "cameras": results,
    }
    (HERE / "pairs.json").write_text(json.dumps(report, indent=2) + "\n")
    for name, result in results.items():
        print(f"{name:<16} {result}")  # noqa: T201 - a script for people


if __name__ == "__main__":
    main()
