"""The scenario of the demo: its labels are what the project's score finds."""

import functools
import io
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.domain.masks import Mask
from indexer.imaging.preprocessing import preprocess, resize_area
from indexer.imaging.scoring import area_unit, changed_area
from indexer.imaging.synthetic.scenario import Frame, iter_frames

MAX_SCORE = 1000


@functools.cache
def day(seed: int) -> list[Frame]:
    """A whole scenario, drawn once."""
    return list(iter_frames(seed))


@pytest.fixture(params=[0, 1], ids=lambda seed: f"seed {seed}")
def frames(request: pytest.FixtureRequest) -> list[Frame]:
    """The scenario of each of two seeds."""
    return day(request.param)


def of(frames: list[Frame], what: str) -> list[Frame]:
    """The frames whose description has these words."""
    return [frame for frame in frames if what in frame.what]


def whole(frames: list[Frame]) -> list[Frame]:
    """The frames without the broken one."""
    return [frame for frame in frames if "broke" not in frame.what]


def thumbnail(frame: Frame, *, contrast: bool = True) -> NDArray[np.uint8]:
    """A frame as `balanced` (or without contrast, `plain`) prepares it."""
    levels = np.asarray(Image.open(io.BytesIO(frame.data)).convert("L"))
    return preprocess(resize_area(levels, size=(240, 320)), contrast=contrast, mask=Mask((5, 10, 5, 0)))


def score(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, threshold: int = 30) -> float:
    """Changed area of two thumbnails."""
    unit = area_unit(240, 320)
    return changed_area(image_a, image_b, threshold=threshold, dilations=2, min_contour_area=1000, unit=unit).score


def test_new_frames_are_those_unlike_every_earlier_one(frames: list[Frame]) -> None:
    """Under `balanced` a frame is beyond the limit of every earlier frame of its camera if and only if it is new."""
    earlier: dict[str, list[NDArray[np.uint8]]] = {"lot": [], "gate": [], "road": []}
    found = []
    for frame in whole(frames):
        image = thumbnail(frame)
        found.append(all(score(image, other) >= MAX_SCORE for other in earlier[frame.camera]))
        earlier[frame.camera].append(image)
    assert found == [frame.new for frame in whole(frames)]


def test_likeness_has_no_chains(frames: list[Frame]) -> None:
    """Frames like the same frame are like each other, so that as many are kept as are new, whichever ranks first."""
    for camera in ("lot", "gate", "road"):
        images = [thumbnail(frame) for frame in whole(frames) if frame.camera == camera]
        alike = np.array([[score(image_a, image_b) < MAX_SCORE for image_b in images] for image_a in images])
        assert len(np.unique(alike, axis=0)) == sum(frame.new for frame in frames if frame.camera == camera)
        assert np.unique(alike, axis=0).sum(axis=0).tolist() == [1] * len(images)


def test_plain_misses_the_walkers_of_the_night(frames: list[Frame]) -> None:
    """The original's formula scores 0 between an empty night and each walker in it: why `balanced` exists."""
    empty = thumbnail(of(frames, "infrared night, nobody")[0], contrast=False)
    walkers = [*of(frames, "hard to see"), *of(frames, "come closer")]
    scores = [score(empty, thumbnail(frame, contrast=False), threshold=45) for frame in walkers]
    assert scores == [0, 0, 0]


def test_same_seed_gives_the_same_files() -> None:
    """Telling it again gives the same frames byte for byte; two seeds share no picture."""
    assert list(iter_frames(0)) == day(0)
    assert not {frame.data for frame in day(0)} & {frame.data for frame in day(1)}


def test_one_copy_and_one_broken_file(frames: list[Frame]) -> None:
    """Exactly one frame repeats the bytes of another, and exactly one ends early."""
    assert sorted(Counter(frame.data for frame in frames).values())[-2:] == [1, 2]
    ends = {".jpg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82"}
    cut = [frame.what for frame in frames if not frame.data.endswith(ends[frame.suffix])]
    assert cut == ["a file that broke off half way"]


def test_names_are_possible(frames: list[Frame]) -> None:
    """Each camera's times rise, text stamps are whole seconds, and both forms and both types of file occur."""
    for camera in ("lot", "gate", "road"):
        times = [frame.seconds for frame in frames if frame.camera == camera]
        assert all(before < after for before, after in pairwise(times))
    assert all(frame.seconds.is_integer() for frame in frames if frame.stamp == "text")
    assert {(frame.suffix, frame.stamp) for frame in frames} >= {(".jpg", "text"), (".jpg", "epoch"), (".png", "epoch")}
