"""Masks: black to the pixel where something is ignored, untouched everywhere else, and no change seen there."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.domain.masks import Border, Mask, Rectangle
from indexer.imaging.mask_images import decode_mask_image
from indexer.imaging.masks import ignored_area, mask_overlay, masked
from indexer.imaging.preprocessing import preprocess, resize_area
from indexer.imaging.scoring import area_unit, changed_area
from indexer.imaging.synthetic.scenes import Scene, Thing, draw

PERCENT = st.integers(0, 100)
BORDERS = st.tuples(PERCENT, PERCENT, PERCENT, PERCENT)
SIDES = st.integers(1, 80)
DRAWINGS = arrays.arrays(np.bool_, st.tuples(SIDES, SIDES))
USUAL = Mask((5, 10, 5, 0))


@st.composite
def rectangles(draw: st.DrawFn) -> Rectangle:
    """A rectangle within the frame, in per cent with two decimals."""
    left, top = (draw(st.integers(0, 9_999)) for _ in range(2))
    wide, high = (draw(st.integers(1, 10_000 - begin)) for begin in (left, top))
    return left / 100, top / 100, wide / 100, high / 100


def noise(height: int, width: int) -> np.ndarray:
    """An image that is nowhere black."""
    return np.random.default_rng(height * width).integers(1, 256, (height, width), np.uint8)


def drawing(ignored: np.ndarray) -> bytes:
    """The drawing in which these pixels are black."""
    return decode_mask_image(cv2.imencode(".png", np.where(ignored, 0, 255).astype(np.uint8))[1].tobytes()).png


def slices(height: int, width: int, *, border: Border) -> np.ndarray:
    """A border by slices alone: inclusive of the border line on the left and top, exclusive elsewhere."""
    left, top, right, bottom = border
    out = np.zeros((height, width), bool)
    out[:, : int(left * width / 100) + 1] = True
    out[: int(top * height / 100) + 1] = True
    out[:, width - int(right * width / 100) :] = True
    out[height - int(bottom * height / 100) :] = True
    return out


def is_touched(pixel: int, length: int, *, begin: float, size: float) -> bool:
    """Whether a part of a row, in hundredths of per cent, reaches into a pixel; in fractions."""
    first, last = (Fraction(round(100 * value), 10_000) for value in (begin, begin + size))
    return Fraction(pixel, length) < last and Fraction(pixel + 1, length) > first


def by_hand(mask: Mask, *, height: int, width: int, drawn: np.ndarray) -> np.ndarray:
    """What a mask ignores, pixel by pixel."""
    out = slices(height, width, border=mask.border)
    for row in range(height):
        for column in range(width):
            out[row, column] |= drawn[
                int(Fraction(2 * row + 1, 2 * height) * drawn.shape[0]),
                int(Fraction(2 * column + 1, 2 * width) * drawn.shape[1]),
            ] or any(
                is_touched(column, width, begin=left, size=wide) and is_touched(row, height, begin=top, size=high)
                for left, top, wide, high in mask.rectangles
            )
    return out


@pytest.mark.parametrize("height", [180, 181, 240, 333])
def test_the_default_mask_is_where_the_design_says(height: int) -> None:
    """At 320 wide columns 0-16 and 304-319 and the rows down to a tenth are black, and nothing else is changed."""
    image = noise(height, 320)
    expected = image.copy()
    expected[:, 0:17] = 0
    expected[:, 304:320] = 0
    expected[0 : int(10 * height / 100) + 1] = 0
    assert np.array_equal(masked(image, mask=USUAL), expected)


def test_a_mask_of_nothing_still_paints_one_line() -> None:
    """A left and top of 0 paint one column and one row, a right and bottom of 0 nothing."""
    image = noise(20, 30)
    expected = image.copy()
    expected[0], expected[:, 0] = 0, 0
    assert np.array_equal(masked(image, mask=Mask((0, 0, 0, 0))), expected)


@given(BORDERS, SIDES, SIDES)
def test_any_border_is_four_slices(border: Border, height: int, width: int) -> None:
    """For any percents and sizes exactly the pixels of the four slices are black; the argument is left as it was."""
    image = noise(height, width)
    before = image.copy()
    expected = np.where(slices(height, width, border=border), 0, image)
    assert np.array_equal(masked(image, mask=Mask(border)), expected)
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    ("rectangle", "rows", "columns"),
    [
        ((10, 20, 30, 40), slice(2, 6), slice(20, 80)),
        ((10.1, 20.1, 29.9, 39.9), slice(2, 6), slice(20, 80)),
        ((0, 0, 0.01, 0.01), slice(0, 1), slice(0, 1)),
        ((99.9, 0, 0.1, 100), slice(0, 10), slice(199, 200)),
        ((0.1, 0, 0.2, 10), slice(0, 1), slice(0, 1)),
        ((70.1, 90, 29.9, 10), slice(9, 10), slice(140, 200)),
    ],
)
def test_a_rectangle_covers_every_pixel_it_touches(rectangle: Rectangle, rows: slice, columns: slice) -> None:
    """On an image of 10 rows and 200 columns, also where two decimals do not add up in binary."""
    expected = slices(10, 200, border=(0, 0, 0, 0))
    expected[rows, columns] = True
    mask = Mask((0, 0, 0, 0), (rectangle,))
    assert np.array_equal(ignored_area(mask, height=10, width=200), expected)


@given(BORDERS, st.lists(rectangles(), max_size=3), DRAWINGS, st.integers(1, 20), st.integers(1, 20))
@settings(deadline=None)
def test_a_mask_is_border_and_rectangles_and_drawing(
    border: Border, found: list[Rectangle], drawn: np.ndarray, height: int, width: int
) -> None:
    """Of any mask exactly those pixels are black that one of its parts ignores, at any size of image and drawing."""
    mask = Mask(border, tuple(found), drawing(drawn))
    expected = by_hand(mask, height=height, width=width, drawn=drawn)
    assert np.array_equal(ignored_area(mask, height=height, width=width), expected)
    image = noise(height, width)
    assert np.array_equal(masked(image, mask=mask), np.where(expected, 0, image))


@given(st.lists(rectangles(), max_size=2), DRAWINGS, st.booleans())
@settings(deadline=None, max_examples=50)
def test_preparing_only_blackens(found: list[Rectangle], drawn: np.ndarray, contrast: bool) -> None:
    """What is ignored is 0 in the thumbnail, and every other pixel is that of the thumbnail with the border alone."""
    image, mask = noise(45, 80), Mask(USUAL.border, tuple(found), drawing(drawn))
    plain = preprocess(image, contrast=contrast, mask=USUAL)
    expected = np.where(ignored_area(mask, height=45, width=80), 0, plain)
    assert np.array_equal(preprocess(image, contrast=contrast, mask=mask), expected)


Box = tuple[int, int, int]
BOXES = st.tuples(st.integers(2, 60), st.integers(2, 60), st.integers(1, 20))


def score_of_box(box: Box, *, mask: Mask) -> float:
    """The score of an image of 100 x 100 against the same with a bright box on it (left, top, side)."""
    left, top, side = box
    before = np.random.default_rng(7).integers(60, 80, (100, 100), np.uint8)
    after = before.copy()
    after[top : top + side, left : left + side] += 150
    images = [preprocess(image, contrast=False, mask=mask) for image in (before, after)]
    return changed_area(*images, threshold=30, dilations=2, min_contour_area=0, unit=1.0).score


def around(box: Box) -> Rectangle:
    """A box and the one pixel that its blur reaches, in per cent of 100 x 100."""
    left, top, side = box
    return left - 1, top - 1, side + 2, side + 2


@given(BOXES, st.sampled_from(["rectangle", "drawing"]))
def test_a_change_within_what_is_ignored_scores_nothing(box: Box, manner: str) -> None:
    """A box that comes where a rectangle or a drawing says to ignore it scores 0; otherwise it does score."""
    left, top, wide, high = (int(number) for number in around(box))
    black = np.zeros((100, 100), bool)
    black[top : top + high, left : left + wide] = True
    ignoring = {"rectangles": (around(box),)} if manner == "rectangle" else {"mask_image": drawing(black)}
    assert score_of_box(box, mask=Mask((0, 0, 0, 0), **ignoring)) == 0
    assert score_of_box(box, mask=Mask((0, 0, 0, 0))) > 0


@given(BOXES, rectangles())
def test_a_change_elsewhere_scores_as_before(box: Box, rectangle: Rectangle) -> None:
    """A box that does not touch what is ignored scores exactly what it scored when nothing was."""
    mask = Mask((0, 0, 0, 0), (rectangle,))
    left, top, wide, high = (int(number) for number in around(box))
    if not ignored_area(mask, height=100, width=100)[max(top, 1) : top + high, max(left, 1) : left + wide].any():
        assert score_of_box(box, mask=mask) == score_of_box(box, mask=Mask((0, 0, 0, 0)))


@pytest.mark.parametrize("contrast", [False, True])
def test_a_car_in_an_ignored_corner_is_no_change(contrast: bool) -> None:
    """A car that parks where a rectangle with some room around it says to look away is below the limit, one that parks
    elsewhere as far above it as before."""
    empty, here, there = (
        resize_area(cv2.cvtColor(draw(Scene(), things=things), cv2.COLOR_BGR2GRAY), size=(240, 320))
        for things in ((), (Thing("car", 480, 380, 110),), (Thing("car", 190, 340, 90),))
    )

    def score(after: np.ndarray, mask: Mask) -> float:
        images = [preprocess(image, contrast=contrast, mask=mask) for image in (empty, after)]
        how = {"threshold": 30 if contrast else 45, "dilations": 2, "min_contour_area": 1000.0}
        return changed_area(*images, **how, unit=area_unit(240, 320)).score

    corner = Mask(USUAL.border, ((60, 60, 40, 40),))
    assert score(here, corner) == 0 < 1000 < score(here, USUAL)
    assert score(there, corner) == score(there, USUAL) > 1000


@given(BORDERS, st.lists(rectangles(), max_size=2))
def test_the_picture_of_a_mask_is_clear_where_one_looks(border: Border, found: list[Rectangle]) -> None:
    """Laid over a frame, the picture of a mask is half-transparent where it is ignored and nothing elsewhere."""
    mask = Mask(border, tuple(found))
    picture = cv2.imdecode(np.frombuffer(mask_overlay(mask, height=24, width=32), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (24, 32, 4)
    assert np.array_equal(picture[..., 3], np.where(ignored_area(mask, height=24, width=32), 128, 0))
