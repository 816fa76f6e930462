"""What of a frame is ignored: painted black in every image, so that nothing there ever counts as a change.

It promises that the same mask paints the same pixels on every machine and with every OpenCV, whatever the size of the
image, and that it touches no other pixel. It does not know why something is ignored, nor how a drawing was read from a
file (`indexer.imaging.mask_images`).
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.mask_images import ignored_pixels, resampled

Border = tuple[int, int, int, int]
"""Per cent of the width or height: (left, top, right, bottom)."""
Rectangle = tuple[float, float, float, float]
"""Per cent of the width or height: (from the left, from the top, wide, high)."""

_OVERLAY_COLOUR = (60, 60, 255, 128)
"""Blue, green, red, opacity: a half-transparent red."""


@dataclass(frozen=True)
class Mask:
    """What is painted black: a border, any number of rectangles, and what somebody drew.

    Attributes
    ----------
    border : (left, top, right, bottom), per cent, 0 to 100
    rectangles : of (from the left, from the top, wide, high), per cent, 0 to 100
    drawing : bytes or None
        A PNG of `drawings.MaskImage`, stretched to the frame: black is ignored.
    """

    border: Border
    rectangles: tuple[Rectangle, ...] = ()
    mask_image: bytes | None = None


def masked(image_grey: NDArray[np.uint8], *, mask: Mask) -> NDArray[np.uint8]:
    """A copy of the image with all that is ignored painted black.

    Parameters
    ----------
    image_grey : (H, W), uint8
    mask : Mask

    Notes
    -----
    The border is drawn as the original script draws it: four filled rectangles that include their border line, so that
    a left or top of 0 still paints one line, and a right or bottom of 0 none. A rectangle covers every pixel that it
    touches. Of a drawing each pixel of the image takes the one that its centre falls on.
    """
    height, width = image_grey.shape
    out = image_grey.copy()
    _paint_border(out, border=mask.border)
    for left, top, wide, high in mask.rectangles:
        out[_touched_pixels(top, high, length=height), _touched_pixels(left, wide, length=width)] = 0
    if mask.mask_image is not None:
        out[_ignored_at_size(mask.mask_image, height=height, width=width)] = 0
    return out


def ignored_area(mask: Mask, *, height: int, width: int) -> NDArray[np.bool_]:
    """Whether each pixel of an image of that size is ignored: (H, W), bool."""
    return np.asarray(masked(np.ones((height, width), dtype=np.uint8), mask=mask) == 0)


def mask_overlay(mask: Mask, *, height: int, width: int) -> bytes:
    """A picture to lay over a frame, as PNG: half-transparent red where it is ignored, else nothing at all."""
    overlay = np.zeros((height, width, 4), dtype=np.uint8)
    overlay[ignored_area(mask, height=height, width=width)] = _OVERLAY_COLOUR
    return bytes(cv2.imencode(".png", overlay)[1])


def _paint_border(out: NDArray[np.uint8], *, border: Border) -> None:
    height, width = out.shape
    left, top, right, bottom = border
    black: tuple[int, ...] = (0,)
    across = int(left * width / 100), width - int(right * width / 100)
    down = int(top * height / 100), height - int(bottom * height / 100)
    cv2.rectangle(out, (0, 0), (across[0], height), black, -1)
    cv2.rectangle(out, (0, 0), (width, down[0]), black, -1)
    cv2.rectangle(out, (across[1], 0), (width, height), black, -1)
    cv2.rectangle(out, (0, down[1]), (width, height), black, -1)


def _touched_pixels(begin_percent: float, size_percent: float, *, length: int) -> slice:
    """The pixels of a row or column that a part of it touches; in decimals, as 0.1 + 0.2 must end where 0.3 begins."""
    begin = Decimal(repr(begin_percent))
    end = begin + Decimal(repr(size_percent))
    return slice(floor(begin * length / 100), ceil(end * length / 100))


@lru_cache(maxsize=16)
def _ignored_at_size(mask_image: bytes, *, height: int, width: int) -> NDArray[np.bool_]:
    """A drawing at the size of an image; kept, as all images of a camera are of one size."""
    return resampled(ignored_pixels(mask_image), height=height, width=width)
