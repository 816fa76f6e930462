"""Thumbnails: what goes in comes out, and nothing else is taken for one."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.pixels.thumbnails import decode, encode

IMAGES = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(IMAGES)
@settings(deadline=None)
def test_a_thumbnail_comes_back_to_the_bit(image_grey: np.ndarray) -> None:
    """Any grey image survives as PNG, from one pixel up."""
    back = decode(encode(image_grey))
    assert np.array_equal(back, image_grey)
    assert back.dtype == np.uint8


def test_the_bytes_are_a_png_that_any_tool_shows() -> None:
    """The stored bytes begin as a PNG does and have one channel of eight bits."""
    data = encode(np.zeros((4, 5), np.uint8))
    assert data[:8] + data[16:26] == b"\x89PNG\r\n\x1a\n" + bytes([0, 0, 0, 5, 0, 0, 0, 4, 8, 0])


@given(st.integers(0, 400))
@settings(deadline=None)
def test_a_thumbnail_that_is_cut_short_is_refused(length: int) -> None:
    """A part of a thumbnail is no thumbnail."""
    data = encode(np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8))
    with pytest.raises(ValueError, match="PNG"):
        decode(data[: min(length, len(data) - 1)])


@pytest.mark.parametrize(
    ("extension", "image"),
    [
        (".png", np.zeros((4, 5, 3), np.uint8)),
        (".png", np.zeros((4, 5, 4), np.uint8)),
        (".png", np.zeros((4, 5), np.uint16)),
        (".jpg", np.zeros((4, 5), np.uint8)),
    ],
)
def test_other_pictures_are_refused(extension: str, image: np.ndarray) -> None:
    """Colour, sixteen bits and other formats are not thumbnails."""
    with pytest.raises(ValueError, match="not an 8-bit grey PNG"):
        decode(cv2.imencode(extension, image)[1].tobytes())
