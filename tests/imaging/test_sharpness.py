"""Sharpness: the variance of the Laplacian, and never zero."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.imaging.sharpness import sharpness

IMAGES = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=24))


@given(IMAGES)
def test_it_is_the_variance_of_the_four_neighbour_laplacian(image_grey: np.ndarray) -> None:
    """The figure equals one computed with plain numpy over mirrored borders, and is at least 1e-9."""
    levels = image_grey.astype(float)
    framed = np.pad(levels, 1, mode="reflect")
    around = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:]
    expected = float((around - 4 * levels).var())
    assert sharpness(image_grey) == pytest.approx(max(expected, 1e-9), rel=1e-12)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 330))))
@settings(deadline=None)
def test_it_has_the_bits_of_numpys_variance(image_grey: np.ndarray) -> None:
    """A shortcut that rounded otherwise could move an image over a step and change which of two is kept."""
    assert sharpness(image_grey) == max(float(cv2.Laplacian(image_grey, cv2.CV_64F, ksize=1).var()), 1e-9)


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_flat_image_has_the_smallest_sharpness(level: int) -> None:
    """Without any detail it is 1e-9, so that a logarithm exists."""
    assert sharpness(np.full((30, 40), level, np.uint8)) == 1e-9


def test_a_blurred_image_is_less_sharp() -> None:
    """The same scene out of focus has a lower figure."""
    scene = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    assert sharpness(cv2.GaussianBlur(scene, (5, 5), 0)) < sharpness(scene) / 4


def test_optimised_code_gives_the_same_figure() -> None:
    """With SIMD off the figure is the same to the last bit."""
    scene = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    figures = set()
    for optimised in (False, True):
        cv2.setUseOptimized(optimised)
        figures.add(sharpness(scene))
    assert len(figures) == 1
