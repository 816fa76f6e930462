"""The gate: the decisions of a brute force over the same images, and for a pair those of compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.descriptions import FileDescription, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.domain.profiles import BALANCED, COLOUR, ORIGINAL, PLAIN, Profile
from indexer.domain.similarity import is_similar
from indexer.domain.videos import EPOCH
from indexer.imaging.file_description import describe_image
from indexer.imaging.frames import encode_frame
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.novelty import Gate, Novelty, PreparedFrame, prepare_frame, prepare_stored
from indexer.imaging.preprocessing import resize_area

SCORING = replace(BALANCED.scoring_parameters, min_contour_area=0.0, max_score=400.0)
"""Small marks count: each square of a drawn image is a difference."""

SQUARES = st.frozensets(st.integers(0, 15), max_size=4)


def drawn(squares: frozenset[int]) -> PreparedFrame:
    """A tiny prepared image with squares on it, four in a row."""
    pixels = np.zeros((96, 128), dtype=np.uint8)
    for number in squares:
        top, left = 24 * (number // 4), 32 * (number % 4)
        pixels[top + 8 : top + 14, left + 8 : left + 14] = 200
    return PreparedFrame(pixels)


def score(a: PreparedFrame, b: PreparedFrame, scoring: ScoringParameters = SCORING) -> float:
    return evidence_of_pair(a.pixels, b.pixels, scoring=scoring).score


def brute_force(frames: Sequence[PreparedFrame], scoring: ScoringParameters, memory: int) -> list[Novelty]:
    """The rule as it is written down: the last stored ones, in the order in which they were last matched or stored."""
    stored: list[int] = []
    used: dict[int, int] = {}
    answers = []
    for number, frame in enumerate(frames):
        answer = Novelty(None, None)
        for key in sorted(stored[-memory:], key=lambda key: -used[key]):
            found = score(frame, frames[key], scoring)
            if is_similar(found, max_score=scoring.max_score):
                answer = Novelty(str(key), found)
                break
        if answer.is_new:
            stored.append(number)
        used[number if answer.is_new else int(answer.witness or "")] = number
        answers.append(answer)
    return answers


def gated(frames: Sequence[PreparedFrame], scoring: ScoringParameters, memory: int) -> list[Novelty]:
    """The answers of a gate that stores each new frame."""
    gate, answers = Gate(scoring, memory=memory), []
    for number, frame in enumerate(frames):
        answers.append(gate.look(frame))
        if answers[-1].is_new:
            gate.store(str(number), frame)
    return answers


@given(st.lists(SQUARES, max_size=30), st.integers(1, 5))
def test_the_gate_is_brute_force(images: list[frozenset[int]], memory: int) -> None:
    """Whatever comes, each answer and each score is that of a comparison with every image in memory."""
    frames = list(map(drawn, images))
    assert gated(frames, SCORING, memory) == brute_force(frames, SCORING, memory)


@pytest.mark.parametrize("profile", [BALANCED, PLAIN, COLOUR])
def test_a_pair_is_decided_as_compare_decides(profile: Profile) -> None:
    """For two frames of any difference the gate says what the thumbnails of their files say."""
    recipe = recipe_of(profile)
    scoring = profile.scoring_parameters
    background = np.random.default_rng(3).integers(90, 110, (360, 640, 3)).astype(np.uint8)
    verdicts = set()
    for side in (0, 8, 20, 40, 80):
        changed = background.copy()
        changed[100 : 100 + side, 200 : 200 + side] = (10, 10, 90)
        gate = Gate(scoring)
        gate.store("a", stored(background, recipe))
        answer = gate.look(prepared(changed, recipe))
        by_files = evidence_of_pair(stored(background, recipe).pixels, stored(changed, recipe).pixels, scoring=scoring)
        assert answer.is_new is not is_similar(by_files.score, max_score=scoring.max_score)
        verdicts.add(answer.is_new)
    assert verdicts == {True, False}


def recipe_of(profile: Profile) -> ThumbnailRecipe:
    """How the thumbnails of a profile without drawn masks are made."""
    preparation = profile.preparation
    assert preparation.work_width is not None
    return ThumbnailRecipe(
        preparation.digest,
        preparation.work_width,
        preparation.contrast,
        Mask(preparation.mask),
        chroma=preparation.chroma,
    )


@dataclass(frozen=True)
class DrawnFrame:
    """A frame of these pixels, (H, W, 3) BGR."""

    pixels: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]

    def grey(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.colour(size), cv2.COLOR_BGR2GRAY), dtype=np.uint8)

    def colour(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        return self.pixels if size is None else resize_area(self.pixels, size=size)


def prepared(frame_bgr: NDArray[np.uint8], recipe: ThumbnailRecipe) -> PreparedFrame:
    """A frame as the gate gets it."""
    return prepare_frame(DrawnFrame(frame_bgr), recipe=recipe)


def thumbnail_of(frame_bgr: NDArray[np.uint8], recipe: ThumbnailRecipe) -> Thumbnail:
    """The thumbnail of the file that a frame becomes."""
    data = encode_frame(frame_bgr, captured_at=EPOCH)
    described = describe_image(
        data, description=FileDescription("x.jpg"), recipes=[recipe], limits=Limits(), levels=None
    )
    return described.thumbnails[0]


def stored(frame_bgr: NDArray[np.uint8], recipe: ThumbnailRecipe) -> PreparedFrame:
    """A stored frame as the gate remembers it."""
    return prepare_stored(thumbnail_of(frame_bgr, recipe))


def test_the_order_of_comparison() -> None:
    """What was matched or stored last is compared first; what was stored first is forgotten first."""
    gate = Gate(SCORING, memory=3)
    for number in range(3):
        gate.store(str(number), drawn(frozenset({number, 15 - number})))
    assert gate.keys == ("2", "1", "0")
    assert gate.look(drawn(frozenset({0, 15}))) == Novelty("0", 0.0)
    assert gate.keys == ("0", "2", "1")
    gate.store("3", drawn(frozenset()))
    assert gate.keys == ("3", "2", "1")
    with pytest.raises(ValueError, match="in memory already"):
        gate.store("3", drawn(frozenset()))


def test_another_shape_is_another_view() -> None:
    """Frames of another shape are never similar, as in compare."""
    gate = Gate(SCORING)
    gate.store("a", PreparedFrame(np.zeros((96, 128), dtype=np.uint8)))
    assert gate.look(PreparedFrame(np.zeros((128, 96), dtype=np.uint8))).is_new


def test_flat_frames_are_similar_to_equal_ones_alone() -> None:
    """A frame that shows nothing is new, as in compare, unless its pixels are those of the last one."""
    recipe, gate = recipe_of(BALANCED), Gate(BALANCED.scoring_parameters)
    black = np.zeros((240, 320, 3), dtype=np.uint8)
    frame = prepared(black, recipe)
    assert frame.flat
    assert gate.look(frame).is_new
    gate.store("black", prepare_stored(thumbnail_of(black, recipe), frame=frame))
    assert gate.look(prepared(black, recipe)) == Novelty("black", 0.0)
    assert gate.look(prepared(black + np.uint8(1), recipe)).is_new


def test_native_scoring_is_refused() -> None:
    """The profile `original` has no thumbnails to compare."""
    with pytest.raises(ValueError, match="native"):
        Gate(ORIGINAL.scoring_parameters)
