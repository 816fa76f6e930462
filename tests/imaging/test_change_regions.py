"""Changes: what is outlined and coloured is what was counted."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.imaging.change_regions import BLUE, MAX_REGIONS, ORANGE, Changes, changes, ignored_edges
from indexer.imaging.masks import ignored_area
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.previews import PREVIEW_WIDTH
from indexer.imaging.scoring import area_unit

SHAPE = (90, 160)
BOXES = st.lists(st.tuples(st.integers(0, 89), st.integers(0, 159), st.integers(1, 30), st.integers(1, 30)), max_size=9)


def measure(*, least: float = 0.0, dilations: int = 2, native: bool = False) -> ScoringParameters:
    """A way to score, at threshold 30."""
    return ScoringParameters(30, dilations, least, native, max_score=1000.0, record_limit=4000.0)


def painted(boxes: list[tuple[int, int, int, int]], *, shape: tuple[int, int] = SHAPE, level: int = 255) -> np.ndarray:
    """Black with boxes of (row, column, height, width)."""
    image = np.zeros(shape, np.uint8)
    for row, column, height, width in boxes:
        image[row : row + height, column : column + width] = level
    return image


def colours(found: Changes) -> np.ndarray:
    """The difference as any viewer shows it: (H, W, 3), red, green, blue."""
    image = cv2.imdecode(np.frombuffer(found.difference, np.uint8), cv2.IMREAD_COLOR)
    return image[:, :, ::-1]


def where(found: Changes, colour: tuple[int, int, int]) -> np.ndarray:
    """The pixels of a difference that have a colour."""
    return (colours(found) == colour).all(axis=2)


@given(BOXES, BOXES, st.sampled_from([0.0, 400.0, 3000.0]), st.sampled_from([0, 2]), st.booleans())
@settings(deadline=None)
def test_regions_add_up_to_the_score(
    boxes_a: list[tuple[int, int, int, int]],
    boxes_b: list[tuple[int, int, int, int]],
    least: float,
    by: int,
    native: bool,
) -> None:
    """The score is that of the evidence, and the areas of the regions that count make it up, in any unit."""
    image_a, image_b, how = painted(boxes_a), painted(boxes_b), measure(least=least, dilations=by, native=native)
    found, evidence = changes(image_a, image_b, scoring=how), evidence_of_pair(image_a, image_b, scoring=how)
    counting = [region.area for region in found.regions if region.counts]
    unit = 1.0 if native else area_unit(*SHAPE)
    assert (found.score, found.unlisted) == (evidence.score, 0)
    assert sum(area / unit for area in counting) * unit == pytest.approx(evidence.score, rel=1e-12)
    assert len(counting) == evidence.contour_count
    assert max((region.area for region in found.regions), default=0.0) == evidence.largest_contour
    assert changes(image_b, image_a, scoring=how) == found


def test_a_box_that_came_is_outlined_where_it_is() -> None:
    """The corners are those of the box grown by the dilation, as fractions, through the middles of its pixels."""
    [region] = changes(painted([]), painted([(30, 40, 10, 20)]), scoring=measure()).regions
    xs, ys = zip(*sorted(region.points), strict=True)
    left, right, top, bottom = 38.5 / 160, 62 / 160 - 0.5 / 160, 28.5 / 90, 42 / 90 - 0.5 / 90
    assert xs == pytest.approx([left, left, right, right], abs=5e-5)
    assert sorted(ys) == pytest.approx([top, top, bottom, bottom], abs=5e-5)
    assert (region.area, region.counts) == (13 * 23 * area_unit(*SHAPE), True)


def test_the_largest_regions_come_first() -> None:
    """By area, equal ones from above and from the left; of too many the rest is counted."""
    boxes = [(row, column, 1, 1) for row in range(2, 90, 11) for column in range(2, 160, 11)] + [(57, 57, 4, 4)]
    found = changes(painted([]), painted(boxes), scoring=measure(dilations=0))
    [largest, *rest] = found.regions
    assert largest.area == 9 * area_unit(*SHAPE)
    places = [(y, x) for region in rest for x, y in region.points]
    assert places == sorted(places)
    assert (len(found.regions), found.unlisted) == (MAX_REGIONS, 8 * 15 - MAX_REGIONS)


def test_the_edges_of_what_is_ignored() -> None:
    """The edges of a border and of a rectangle go along the pixels that are compared, the longest first; with all of a
    frame ignored there are none."""
    mask = Mask((5.0, 10.0, 5.0, 0.0), ((50.0, 50.0, 10.0, 10.0),))
    height, width = SHAPE
    edges = ignored_edges(mask, height=height, width=width)
    pixels = [np.array([(x * width - 0.5, y * height - 0.5) for x, y in edge]) for edge in edges]
    boxes = [[*edge.min(axis=0).round(), *edge.max(axis=0).round()] for edge in pixels]
    compared = np.argwhere(~ignored_area(mask, height=height, width=width))[:, ::-1]
    assert boxes == [[*compared.min(axis=0), *compared.max(axis=0)], [79, 44, 96, 54]]
    assert ignored_edges(Mask((0.0, 0.0, 0.0, 100.0)), height=height, width=width) == ()


def test_outlines_are_simple_and_near() -> None:
    """A ragged region has far fewer corners than its contour, none of them outside the picture."""
    image = painted([])
    cv2.circle(image, (80, 45), 30, 255, -1)
    [region] = changes(painted([]), image, scoring=measure()).regions
    radii = [np.hypot(x * 160 - 80.5, y * 90 - 45.5) for x, y in region.points]
    assert 8 < len(region.points) < 40
    assert all(30 < radius < 34 for radius in radii)


def test_the_difference_shows_what_counts_and_what_is_too_small() -> None:
    """Orange where a change counts, blue where it is too small, and only there; grey below the threshold."""
    image = painted([(10, 10, 20, 30), (60, 90, 2, 2)]) + painted([(40, 120, 20, 20)], level=20)
    found = changes(painted([]), image, scoring=measure(least=1000.0))
    assert np.array_equal(where(found, ORANGE), painted([(10, 10, 20, 30)]) > 0)
    assert np.array_equal(where(found, BLUE), painted([(60, 90, 2, 2)]) > 0)
    rest = colours(found)[~(where(found, ORANGE) | where(found, BLUE))]
    assert {tuple(colour) for colour in rest.tolist()} == {(0, 0, 0), (72, 72, 72)}


def test_colours_differ_in_brightness_from_every_grey() -> None:
    """Who sees no colours sees changes all the same: both are brighter than the difference of just the threshold."""
    found = changes(painted([]), painted([(0, 0, 90, 160)], level=30), scoring=measure())
    brightest = colours(found).max()
    assert all(np.dot(colour, (0.299, 0.587, 0.114)) > brightest + 30 for colour in (ORANGE, BLUE))


@pytest.mark.parametrize("width", [101, 320, 1000])
def test_a_difference_is_small(width: int) -> None:
    """At most as wide as a picture, odd widths too, below 8 kB for noise all over; no change is lost."""
    noise = np.random.default_rng(0).normal(128, 8, (2, width * 9 // 16, width)).astype(np.uint8)
    noise = np.stack([cv2.GaussianBlur(image, (3, 3), 0) for image in noise])
    noise[1, 40, 50] ^= 128
    found = changes(noise[0], noise[1], scoring=measure(least=1000.0))
    assert colours(found).shape[1] == min(width, PREVIEW_WIDTH)
    assert where(found, BLUE).any()
    assert len(found.difference) < 8 * 1024


def test_two_shapes_are_refused_unless_the_measure_is_native() -> None:
    """Of two shapes there is no difference, but for a measure that brings both to one size."""
    image_a, image_b = painted([], shape=(90, 160)), painted([(20, 20, 40, 40)], shape=(180, 320))
    with pytest.raises(ValueError, match=r"shapes differ: \(90, 160\) and \(180, 320\)"):
        changes(image_a, image_b, scoring=measure())
    found = changes(image_a, image_b, scoring=measure(native=True))
    assert (found.score, colours(found).shape) == (
        evidence_of_pair(image_a, image_b, scoring=measure(native=True)).score,
        (90, 160, 3),
    )
