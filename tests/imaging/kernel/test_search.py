"""The kernel gives what scoring one pair after the other with OpenCV gives: whatever changed, and wherever it looks
first."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.imaging.image_buffer import ImageBuffer, Slot, required_bytes, search_hints
from indexer.imaging.kernel import cache
from indexer.imaging.matching import CompiledSearch, Match, MatchTask, first_similar
from indexer.imaging.scoring import area_unit
from tests.support.masks import DRAWINGS, Image, boxes, noise, rings

BALANCED = ScoringParameters(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
PLAIN = ScoringParameters(45, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
ALL_DIFFER = ScoringParameters(30, 2, 1000.0, native=False, max_score=0.0, record_limit=4000.0)
Drawing = Callable[[int, int, int, float], Image]
Box = tuple[int, int, int, int]


def _hint(slot: Slot) -> int:
    """Where the box of an image is kept."""
    return slot.offset // (slot.height * slot.stride) % (len(search_hints(slot)) - 1)


@pytest.fixture(scope="module")
def search() -> Iterator[CompiledSearch]:
    """The kernel."""
    kernel = cache.load_search()
    assert kernel is not None
    return CompiledSearch(kernel)


def found_by(
    search: CompiledSearch, images: list[Image], measure: ScoringParameters, boxes: dict[int | None, Box] | None = None
) -> Match:
    """What the kernel finds for the first image among the others, with boxes to look at first: by image, or for all."""
    with ImageBuffer(required_bytes([image.shape for image in images]), shared=False) as buffer:
        image, *others = slots = [buffer.put(image) for image in images]
        for number, box in (boxes or {}).items():
            search_hints(image)[slice(None) if number is None else _hint(slots[number])] = box
        return search(MatchTask(image, np.array([slot.offset for slot in others], dtype=np.int64), measure))


@settings(deadline=None, max_examples=400)
@given(
    drawings=st.lists(st.tuples(st.sampled_from(DRAWINGS), st.integers(0, 10_000)), min_size=2, max_size=5),
    shape=st.tuples(st.integers(1, 90), st.one_of(st.integers(1, 330), st.integers(500, 590))),
    share=st.sampled_from([0.001, 0.01, 0.03, 0.1, 0.5, 0.9]),
    measure=st.builds(
        ScoringParameters,
        threshold=st.sampled_from([0, 30, 98, 199, 254, 255]),
        dilations=st.sampled_from([0, 1, 2, 3, 4, 13, 50]),
        min_contour_area=st.sampled_from([0.0, 100.0, 1000.0, 5000.0]),
        native=st.just(False),
        max_score=st.sampled_from([0.0, 1000.0, 1e6]),
        record_limit=st.sampled_from([0.0, 1000.0, 4000.0, 1e6]),
        planes=st.sampled_from([1, 1, 2, 3]),
    ),
    hint=st.tuples(st.integers(-5, 90), st.integers(-5, 95), st.integers(-3, 9), st.integers(-70, 600)),
)
@example([(rings, 1), (noise, 3)], (64, 64), 0.5, ALL_DIFFER, (0, 0, 0, 0))
@example([(boxes, 7), (boxes, 8)], (63, 129), 0.5, PLAIN, (3, 60, 1, 65))
def test_the_kernel_is_brute_force(
    search: CompiledSearch,
    drawings: list[tuple[Drawing, int]],
    shape: tuple[int, int],
    share: float,
    measure: ScoringParameters,
    hint: Box,
) -> None:
    """The same is found, on the same evidence, whatever changed and whichever box is looked at first."""
    images = [
        np.vstack([draw(*shape, seed + plane, share) for plane in range(measure.planes)]) for draw, seed in drawings
    ]
    assert found_by(search, images, measure, {None: hint}) == first_similar(images[0], images[1:], scoring=measure)


@settings(deadline=None, max_examples=60)
@given(
    seeds=st.lists(st.integers(0, 10_000), min_size=2, max_size=9),
    height=st.integers(64, 400),
    measure=st.sampled_from([BALANCED, PLAIN]),
)
def test_profiles_are_brute_force_at_their_size(
    search: CompiledSearch, seeds: list[int], height: int, measure: ScoringParameters
) -> None:
    """Frames of the built-in profiles, 320 wide and of any height, one search after the other."""
    images = [boxes(height, 320, seed, 0.0) // 2 + noise(height, 320, seed, 0.002) // 4 for seed in seeds]
    for start in range(len(images) - 1):
        expected = first_similar(images[start], images[start + 1 :], scoring=measure)
        assert found_by(search, images[start:], measure) == expected


@pytest.mark.parametrize("columns", [(0, 40), (280, 320), (100, 140)])
@pytest.mark.parametrize("first", [(0, 20, 0, 64), (100, 150, 0, 320), (150, 180, 4, 64)])
def test_plain_change_is_proved_from_anywhere(search: CompiledSearch, columns: tuple[int, int], first: Box) -> None:
    """A car that drove in leaves no evidence but that it is above the limit, wherever the search begins."""
    image: NDArray[np.uint8] = np.full((180, 320), 100, dtype=np.uint8)
    other = image.copy()
    other[60:130, slice(*columns)] = 180
    assert found_by(search, [image, other, other], BALANCED, {None: first}) == Match(2, False, ())


def test_what_was_learned_is_looked_at_first(search: CompiledSearch) -> None:
    """The box that proved a pair is kept for the image, with some room and in whole words."""
    image: NDArray[np.uint8] = np.full((180, 320), 100, dtype=np.uint8)
    other = image.copy()
    other[60:130, 100:140] = 180
    with ImageBuffer(required_bytes([image.shape] * 2), shared=False) as buffer:
        slots = buffer.put(image), buffer.put(other)
        search(MatchTask(slots[0], np.array([slots[1].offset]), BALANCED))
        top, bottom, left_word, width = search_hints(slots[0])[_hint(slots[0])].tolist()
    assert (top, left_word, width) == (58, 1, 128)
    assert 60 < bottom < 100


def test_a_bit_beyond_the_box_is_not_seen(search: CompiledSearch) -> None:
    """What an earlier pair left in the scratch rows beside a box proves nothing about the next."""
    black: NDArray[np.uint8] = np.zeros((40, 128), dtype=np.uint8)
    right, line = black.copy(), black.copy()
    right[:, 64:] = 200
    line[:, 0] = 200  # dilated 39 x 4 pixels; what the last pair left would add a few rows by 3
    measure = ScoringParameters(30, 4, 0.0, native=False, max_score=0.0, record_limit=160 * area_unit(40, 128))
    found = found_by(search, [black, right, line], measure, {2: (0, 40, 0, 64)})
    assert [(place, round(one.score / area_unit(40, 128))) for place, one in found.evidence] == [(1, 156)]
