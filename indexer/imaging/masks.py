"""The mask: the part of a frame that is ignored. It is painted black in every image, so it never counts as a change.

It promises that the same mask paints the same pixels on every machine and with every OpenCV, for every size of image,
and that it changes no other pixel. It does not know why something is ignored, nor how a mask image is read from a file
(`indexer.imaging.mask_images`).
"""

from decimal import Decimal
from functools import lru_cache
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.masks import Border, Mask
from indexer.imaging.mask_images import ignored_pixels, resampled

_OVERLAY_COLOUR = (60, 60, 255, 128)
"""Blue, green, red, alpha: a half-transparent red."""


def masked(image_grey: NDArray[np.uint8], *, mask: Mask) -> NDArray[np.uint8]:
    """A copy of the image with the ignored area painted black: (H, W), uint8.

    Parameters
    ----------
    image_grey : (H, W), uint8
    mask : Mask

    Raises
    ------
    ImageRefusedError
        If the mask image is not one that `indexer.imaging.mask_images` made.

    Notes
    -----
    The border is drawn as the original script draws it: four filled rectangles that include their edge line. So a left
    or top of 0 still paints one line, and a right or bottom of 0 paints none. A rectangle covers every pixel that it
    touches. For the mask image, each pixel of the image takes the mask pixel at its centre.
    """
    height, width = image_grey.shape
    out = image_grey.copy()
    _paint_border(out, border=mask.border)
    for left, top, wide, high in mask.rectangles:
        out[_touched_pixels(top, high, length=height), _touched_pixels(left, wide, length=width)] = 0
    if mask.mask_image is not None:
        out[_ignored_at_size(mask.mask_image, height=height, width=width)] = 0
    return out


def masked_planes(image: NDArray[np.uint8], *, mask: Mask, planes: int) -> NDArray[np.uint8]:
    """A copy of a prepared image, (planes * H, W), uint8, with the ignored area painted black in every plane.

    Raises `ImageRefusedError` as `masked`, and `ValueError` if the height is not a multiple of `planes`.
    """
    return np.vstack([masked(plane, mask=mask) for plane in np.vsplit(image, planes)])


def ignored_area(mask: Mask, *, height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels of an image of this size are ignored: (H, W), bool. Raises `ImageRefusedError` as `masked`."""
    return np.asarray(masked(np.ones((height, width), dtype=np.uint8), mask=mask) == 0)


def mask_overlay(mask: Mask, *, height: int, width: int) -> bytes:
    """An overlay for a frame, as PNG of this size: half-transparent red where ignored, transparent elsewhere.

    Raises `ImageRefusedError` as `masked`.
    """
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
    """The pixels of an axis that an interval in per cent touches.

    The arithmetic is decimal: an interval that ends at 0.1 + 0.2 must end where one at 0.3 begins.
    """
    begin = Decimal(repr(begin_percent))
    end = begin + Decimal(repr(size_percent))
    return slice(floor(begin * length / 100), ceil(end * length / 100))


@lru_cache(maxsize=16)
def _ignored_at_size(mask_image: bytes, *, height: int, width: int) -> NDArray[np.bool_]:
    """A mask image at the size of an image; cached, because the images of a camera mostly have one size."""
    return resampled(ignored_pixels(mask_image), height=height, width=width)
