"""The kernel never calls a pair different that is not, and is not idle: it proves what is plainly different."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.pixels.kernel import first_undecided
from indexer.pixels.scoring import area_unit, changed_area

Image = NDArray[np.uint8]


def proved(
    image: Image, other: Image, *, limit: float, least: float, threshold: int = 30, dilations: int = 2, hot: int = 0
) -> bool:
    """Whether the kernel proves that two images score above the limit; both in reference pixels."""
    height, width = image.shape
    unit = area_unit(height, width)
    pixels = np.concatenate([image.ravel(), other.ravel()])
    place, _ = first_undecided(
        pixels,
        0,
        np.array([image.size], dtype=np.int64),
        0,
        height,
        width,
        np.uint8(threshold),
        dilations,
        least / unit,
        limit / unit,
        hot,
    )
    return int(place) == 1


def score(image: Image, other: Image, *, least: float, threshold: int = 30, dilations: int = 2) -> float:
    """The exact score."""
    unit = area_unit(*image.shape)
    return changed_area(image, other, threshold=threshold, dilations=dilations, min_contour_area=least, unit=unit).score


def noise(height: int, width: int, seed: int, share: float) -> Image:
    """Pixels changed at random."""
    return np.where(np.random.default_rng(seed).random((height, width)) < share, 200, 0).astype(np.uint8)


def spiral(height: int, width: int, seed: int, share: float) -> Image:
    """A line that winds inward, one pixel wide: one component of little area that encloses much."""
    image = np.zeros((height, width), dtype=np.uint8)
    left, top, right, bottom = 0, 0, width - 1, height - 1
    gap = 4 + seed % 9
    while right - left > gap and bottom - top > gap:
        cv2.rectangle(image, (left, top), (right, bottom), 255, 1)
        image[top + 1 : top + gap, left] = 0
        left, top, right, bottom = left + gap, top + gap, right - gap, bottom - gap
    return image


def corners(height: int, width: int, seed: int, share: float) -> Image:
    """Squares that touch at their corners only."""
    side = 1 + seed % 7
    rows, columns = np.indices((height, width)) // side
    return np.where((rows + columns) % 2 == 0, 90, 0).astype(np.uint8)


def rings(height: int, width: int, seed: int, share: float) -> Image:
    """Rings inside rings: contours that are no external ones."""
    image = np.zeros((height, width), dtype=np.uint8)
    step = 7 + seed % 6
    for radius in range(min(height, width) // 2, 0, -step):
        cv2.circle(image, (width // 2, height // 2), radius, 255, 1 + seed % 2)
    return image


def boxes(height: int, width: int, seed: int, share: float) -> Image:
    """Boxes anywhere, also over the border."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), dtype=np.uint8)
    for _ in range(1 + seed % 12):
        x, y = random.integers(-20, width), random.integers(-20, height)
        cv2.rectangle(
            image, (int(x), int(y)), (int(x + random.integers(1, 60)), int(y + random.integers(1, 60))), 99, -1
        )
    return image


def lines(height: int, width: int, seed: int, share: float) -> Image:
    """Thin lines, some along the border."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), dtype=np.uint8)
    for _ in range(1 + seed % 9):
        ends = random.integers(0, [width, height], (2, 2))
        cv2.line(image, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 255, 1)
    image[:, -1] = 255 * (seed % 2)
    return image


@settings(deadline=None, max_examples=250)
@given(
    draw=st.sampled_from([noise, spiral, corners, rings, boxes, lines]),
    height=st.integers(1, 90),
    width=st.integers(1, 330),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.001, 0.01, 0.03, 0.1, 0.5, 1.0]),
    dilations=st.integers(0, 4),
    least=st.sampled_from([0.0, 100.0, 1000.0, 5000.0]),
    margin=st.sampled_from([0.0, 0.25, 1.0, 40.0]),
    hot=st.integers(0, 89),
)
@example(rings, 90, 90, 1, 0.1, 0, 0.0, 0.0, 45)
@example(noise, 64, 64, 3, 0.5, 0, 0.0, 0.0, 10)
def test_nothing_is_proved_wrongly(
    draw: Callable[[int, int, int, float], Image],
    height: int,
    width: int,
    seed: int,
    share: float,
    dilations: int,
    least: float,
    margin: float,
    hot: int,
) -> None:
    """Whatever changed, and wherever the search begins, no pair is proved to score above its own score."""
    image, other = draw(height, width, seed, share), np.zeros((height, width), dtype=np.uint8)
    exact = score(image, other, least=least, dilations=dilations)
    limit = exact + margin * area_unit(height, width)
    assert not proved(image, other, limit=limit, least=least, dilations=dilations, hot=hot % height)


@settings(deadline=None, max_examples=100)
@given(
    height=st.integers(40, 90),
    width=st.integers(60, 330),
    seed=st.integers(0, 10_000),
    dilations=st.integers(0, 4),
)
def test_whole_boxes_are_counted_to_the_half_pixel(height: int, width: int, seed: int, dilations: int) -> None:
    """Where a component has no holes the bound is the score: a limit one pixel below it is proved to be passed."""
    image, other = boxes(height, width, seed - seed % 12, 0.0), np.zeros((height, width), dtype=np.uint8)
    unit = area_unit(height, width)
    exact = score(image, other, least=0.0, dilations=dilations)
    assume(exact > unit)
    assert proved(image, other, limit=exact - unit, least=0.0, dilations=dilations)


@pytest.mark.parametrize("hot", [0, 20, 100, 150, 179])
@pytest.mark.parametrize("columns", [(0, 40), (280, 320), (100, 140)])
def test_plain_change_is_proved_from_anywhere(hot: int, columns: tuple[int, int]) -> None:
    """A car that drove in is proved to be different wherever the search begins, also at the border."""
    image = np.full((180, 320), 100, dtype=np.uint8)
    other = image.copy()
    other[60:130, slice(*columns)] = 180
    assert proved(image, other, limit=4000.0, least=1000.0, hot=hot)
    assert proved(other, image, limit=4000.0, least=1000.0, hot=hot)


def test_threshold_is_exclusive() -> None:
    """A difference of exactly the threshold is no change."""
    image = np.zeros((60, 64), dtype=np.uint8)
    assert not proved(image, image + 30, limit=0.0, least=0.0)
    assert proved(image, image + 31, limit=0.0, least=0.0)


def test_search_stops_at_the_first_undecided() -> None:
    """Candidates are proved in their order up to the first that is not, and the next call goes on behind it."""
    same, car = np.full((180, 320), 100, dtype=np.uint8), np.full((180, 320), 100, dtype=np.uint8)
    car[60:130, 100:140] = 180
    pixels = np.concatenate([each.ravel() for each in (same, car, car, same, car)])
    offsets = np.arange(1, 5, dtype=np.int64) * same.size
    shape = (180, 320, np.uint8(30), 2, 200.0, 800.0)
    assert int(first_undecided(pixels, 0, offsets, 0, *shape, 0)[0]) == 2
    assert int(first_undecided(pixels, 0, offsets, 3, *shape, 0)[0]) == 4
