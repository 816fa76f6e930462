"""Scoring: areas computed by hand, symmetry, and the bounds that later shortcuts stand on."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.domain.evidence import Evidence
from indexer.imaging.scoring import area_unit, changed_area, difference

SHAPE = (40, 50)
IMAGES = arrays.arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 40, 45, 46, 100, 255]))
MASKS = arrays.arrays(np.bool_, SHAPE, elements=st.booleans(), fill=st.just(False))
BOXES = st.tuples(st.integers(0, 39), st.integers(0, 49), st.integers(1, 20), st.integers(1, 20))


def evidence(
    image_a: np.ndarray, image_b: np.ndarray, *, least: float = 0.0, unit: float = 1.0, dilations: int = 2
) -> Evidence:
    """The evidence at threshold 45."""
    return changed_area(image_a, image_b, threshold=45, dilations=dilations, min_contour_area=least, unit=unit)


def painted(boxes: list[tuple[int, int, int, int]], *, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Black with white boxes of (row, column, height, width)."""
    image = np.zeros(shape, np.uint8)
    for row, column, height, width in boxes:
        image[row : row + height, column : column + width] = 255
    return image


@given(IMAGES)
def test_an_image_does_not_differ_from_itself(image_grey: np.ndarray) -> None:
    """Equal images have a score of 0 and no evidence of change."""
    assert evidence(image_grey, image_grey.copy()) == Evidence(0, 0, 0, 0)


@given(IMAGES, IMAGES, st.sampled_from([0.0, 20.0, 300.0]))
def test_the_order_of_a_pair_does_not_matter(image_a: np.ndarray, image_b: np.ndarray, least: float) -> None:
    """The evidence is the same both ways round."""
    assert evidence(image_a, image_b, least=least) == evidence(image_b, image_a, least=least)


@given(st.lists(BOXES, max_size=6), st.lists(BOXES, max_size=3), st.sampled_from([0.0, 20.0, 150.0, 600.0]))
@settings(max_examples=300)
def test_more_change_never_lowers_the_score(
    boxes: list[tuple[int, int, int, int]], more: list[tuple[int, int, int, int]], least: float
) -> None:
    """Adding changed boxes to others leaves score, largest contour and fraction at least as high."""
    black = np.zeros(SHAPE, np.uint8)
    few = evidence(black, painted(boxes), least=least)
    many = evidence(black, painted(boxes + more), least=least)
    assert few.score <= many.score
    assert few.largest_contour <= many.largest_contour
    assert few.changed_fraction <= many.changed_fraction


@given(MASKS, MASKS, st.sampled_from([0.0, 30.0]))
@settings(max_examples=150)
def test_more_changed_pixels_never_lower_the_score(some: np.ndarray, more: np.ndarray, least: float) -> None:
    """The same for single pixels, as sparse and ragged as they come."""
    black = np.zeros(SHAPE, np.uint8)
    few = evidence(black, some.astype(np.uint8) * 255, least=least, dilations=1)
    many = evidence(black, (some | more).astype(np.uint8) * 255, least=least, dilations=1)
    assert few.score <= many.score


@given(IMAGES, IMAGES, BOXES, st.sampled_from([0.0, 30.0]))
def test_a_window_bounds_the_frame_from_below(
    image_a: np.ndarray, image_b: np.ndarray, window: tuple[int, int, int, int], least: float
) -> None:
    """Any window, with the whole frame's unit, has at most the frame's score."""
    row, column, height, width = window
    part = np.s_[row : row + height, column : column + width]
    unit = area_unit(*SHAPE)
    inside = evidence(image_a[part].copy(), image_b[part].copy(), least=least * unit, unit=unit)
    assert inside.score <= evidence(image_a, image_b, least=least * unit, unit=unit).score


@given(st.integers(1, 20), st.integers(1, 30))
def test_a_box_that_moves_leaves_two_areas(height: int, width: int) -> None:
    """A box that stands elsewhere counts twice: dilated by 2 each way, its outline encloses (h + 3) x (w + 3)."""
    before = painted([(10, 10, height, width)], shape=(100, 100))
    after = painted([(60, 60, height, width)], shape=(100, 100))
    area = (height + 3) * (width + 3)
    assert evidence(before, after) == Evidence(2 * area, area, 2, 2 * height * width / 10_000)


def test_without_dilation_the_outline_runs_through_the_border_pixels() -> None:
    """Zero dilations are none at all: a box of 5 x 7 encloses 4 x 6."""
    assert evidence(np.zeros(SHAPE, np.uint8), painted([(10, 10, 5, 7)]), dilations=0).score == 24


@pytest.mark.parametrize(("least", "expected"), [(54.0, (54.0 + 130.0, 2)), (54.5, (130.0, 1)), (131.0, (0.0, 0))])
def test_a_contour_counts_from_the_least_area_on(least: float, expected: tuple[float, int]) -> None:
    """Of boxes of 54 and 130 those of at least the limit are added up; the largest is reported in any case."""
    found = evidence(np.zeros(SHAPE, np.uint8), painted([(5, 5, 3, 6), (20, 20, 7, 10)]), least=least)
    assert (found.score, found.contour_count, found.largest_contour) == (*expected, 130.0)


@pytest.mark.parametrize(("level", "changed"), [(45, 0), (46, 1)])
def test_a_pixel_changes_above_the_threshold(level: int, changed: int) -> None:
    """A difference of just the threshold is none."""
    image = np.zeros(SHAPE, np.uint8)
    image[20, 20] = level
    assert evidence(np.zeros(SHAPE, np.uint8), image).changed_fraction == changed / image.size


def test_a_hole_is_part_of_its_contour() -> None:
    """Only outer contours count: a ring encloses as much as a disc."""
    ring, disc = painted([(5, 5, 30, 30)]), painted([(5, 5, 30, 30)])
    ring[15:25, 15:25] = 0
    black = np.zeros(SHAPE, np.uint8)
    assert evidence(black, ring).score == evidence(black, disc).score == 33 * 33


@pytest.mark.parametrize("shape", [(240, 320), (180, 320), (360, 320)])
def test_the_whole_frame_counts_the_reference_area(shape: tuple[int, int]) -> None:
    """In reference pixels the frame is 640 x 480 at every size; its outline is half a pixel inside."""
    height, width = shape
    found = evidence(np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), unit=area_unit(height, width))
    assert found.score == (height - 1) * (width - 1) * area_unit(height, width)
    assert area_unit(height, width) * height * width == pytest.approx(640 * 480, rel=1e-15)


def test_two_shapes_are_refused() -> None:
    """Images of different shapes are never compared."""
    with pytest.raises(ValueError, match=r"shapes differ: \(40, 50\) and \(50, 40\)"):
        evidence(np.zeros((40, 50), np.uint8), np.zeros((50, 40), np.uint8))


def test_the_score_does_not_depend_on_simd() -> None:
    """With OpenCV's optimised code off the evidence is the same."""
    image_a, image_b = (np.random.default_rng(seed).integers(0, 256, (180, 320), np.uint8) for seed in (1, 2))
    found = set()
    for optimised in (False, True):
        cv2.setUseOptimized(optimised)
        found.add(evidence(image_a, image_b, unit=area_unit(180, 320)))
    assert len(found) == 1


@given(st.lists(MASKS, min_size=3, max_size=3), st.sampled_from([0.0, 20.0, 300.0]))
@settings(max_examples=50)
def test_a_change_in_several_planes_counts_once(masks: list[np.ndarray], least: float) -> None:
    """The evidence of planes is that of one frame that has changed wherever any of them has."""
    black, planes = np.zeros((3 * SHAPE[0], SHAPE[1]), np.uint8), np.vstack(masks).astype(np.uint8) * 255
    found = changed_area(black, planes, threshold=45, dilations=2, min_contour_area=least, unit=2.0, planes=3)
    union = np.any(masks, axis=0).astype(np.uint8) * 255
    assert found == evidence(np.zeros(SHAPE, np.uint8), union, least=least, unit=2.0)


def test_rows_that_are_not_planes_are_refused() -> None:
    """Forty rows are no three planes."""
    image = np.zeros(SHAPE, np.uint8)
    with pytest.raises(ValueError, match="40 rows are not 3 planes"):
        difference(image, image, planes=3)
