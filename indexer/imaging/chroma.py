"""The colour planes of a thumbnail: they show a change of hue where the brightness stays the same.

The module does not know profiles, nor which difference is too large. Like `indexer.imaging.preprocessing` it gives
equal bits on OpenCV 4.14 and 5.0: OpenCV works on one channel of integers at a time, and the rest is float64 in numpy.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.masks import Mask
from indexer.imaging.masks import ignored_area, masked

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Blueness and redness: each (H, W), uint8, 128 where there is no colour."""

_BLUE, _GREEN, _RED = 0.114, 0.587, 0.299
_BLUENESS, _REDNESS = 0.564, 0.713
_NEUTRAL = 128


def chroma_planes(image_bgr: NDArray[np.uint8], *, gain: int, mask: Mask) -> Planes:
    """The blueness and the redness of an image at its working size, with the ignored area painted black.

    Parameters
    ----------
    image_bgr : (H, W, 3), uint8
    gain : int, above 0
        Levels in a plane per level of Cb or Cr.
    mask : Mask

    Returns
    -------
    two (H, W), uint8

    Notes
    -----
    Cb and Cr of ITU-R BT.601, each minus its median over the pixels that are not ignored. The median removes a change
    of the white balance, which tints the whole frame. It would also remove an object on more than half of the frame,
    but that object shows in the grey plane. The channels are blurred like the grey plane, because a JPEG keeps colour
    at half the size. A grey image has two planes of 128.
    """
    blurred = (cv2.GaussianBlur(np.ascontiguousarray(image_bgr[:, :, index]), (3, 3), 0) for index in range(3))
    blue, green, red = (np.asarray(channel, dtype=np.float64) for channel in blurred)
    luma = _BLUE * blue + _GREEN * green + _RED * red
    height, width = luma.shape
    visible = ~ignored_area(mask, height=height, width=width)
    blueness, redness = (
        _plane(chroma, gain=gain, visible=visible, mask=mask)
        for chroma in (_BLUENESS * (blue - luma), _REDNESS * (red - luma))
    )
    return blueness, redness


def no_chroma(size: tuple[int, int], *, mask: Mask) -> Planes:
    """The planes of a grey image of this (height, width): two (H, W), uint8, 128 outside the mask."""
    plane = masked(np.full(size, _NEUTRAL, dtype=np.uint8), mask=mask)
    return plane, plane


def _plane(chroma: NDArray[np.float64], *, gain: int, visible: NDArray[np.bool_], mask: Mask) -> NDArray[np.uint8]:
    median = np.median(chroma[visible]) if visible.any() else 0.0
    levels = np.clip(np.rint(_NEUTRAL + gain * (chroma - median)), 0, 255).astype(np.uint8)
    return masked(levels, mask=mask)
