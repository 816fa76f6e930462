"""What a thumbnail is: the small, blurred, masked grey image that scores are made from.

It does not know profiles: every number is an argument. Everything here is bit-equal on OpenCV 4.14 and 5.0.
"""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.masks import Mask, ignored_area, masked

Value = TypeVar("Value", np.uint8, np.uint16)

_CONTRAST_GAIN = 50.0
_CONTRAST_FLOOR = 8.0


def thumbnail_height(*, width: int, height: int, work_width: int) -> int:
    """Height of the thumbnail of a (height, width) image: proportional, half to even, at least 1."""
    return max(1, round(height * work_width / width))


def resize_area(image_grey: NDArray[Value], *, size: tuple[int, int]) -> NDArray[Value]:
    """The image at another size, averaged over areas.

    Parameters
    ----------
    image_grey : (H, W), uint8 or uint16
    size : (height, width)
    """
    height, width = size
    # OpenCV wants (width, height), here only.
    return np.asarray(cv2.resize(image_grey, (width, height), interpolation=cv2.INTER_AREA), dtype=image_grey.dtype)


def local_contrast(image_grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image with its local mean brought to 128 and its local deviation to 50 grey levels.

    Parameters
    ----------
    image_grey : (H, W), uint8

    Returns
    -------
    (H, W), uint8

    Notes
    -----
    Local normalization (subtractive and divisive) over a square window of a fifth of the width, made odd. The floor of
    8 levels under the deviation keeps noise in flat areas small. float64 throughout: the same bits with SIMD on or off.

    In place, as six more arrays of half a megabyte cost as much as the arithmetic. The root and the rounding are
    numpy's, which are exact everywhere; with OpenCV's the whole would take a sixth less, and be as exact as the
    mathematics library that its builder chose. OpenCV adds the squares of 8-bit pixels up in 32 bits, whatever the
    depth asked for: where a window of white would not fit (from 910 wide on) they are given as float64.
    """
    side = int(image_grey.shape[1] / 5) | 1
    fits = side * side * 255**2 < 2**31
    mean = np.asarray(cv2.boxFilter(image_grey, cv2.CV_64F, (side, side)), dtype=np.float64)
    squared = image_grey if fits else image_grey.astype(np.float64)
    mean_of_squares = cv2.sqrBoxFilter(squared, cv2.CV_64F, (side, side))
    deviation = np.asarray(mean_of_squares, dtype=np.float64)  # the same array, on its way there
    out = image_grey - mean
    mean *= mean
    deviation -= mean
    np.maximum(deviation, 0.0, out=deviation)
    deviation += _CONTRAST_FLOOR**2
    np.sqrt(deviation, out=deviation)
    out *= _CONTRAST_GAIN
    out /= deviation
    out += 128.0
    np.rint(out, out=out)
    return np.clip(out, 0, 255, out=out).astype(np.uint8)


def preprocess(image_resized: NDArray[np.uint8], *, contrast: bool, mask: Mask) -> NDArray[np.uint8]:
    """The thumbnail of an image that is already at its working size.

    Parameters
    ----------
    image_resized : (H, W), uint8
    contrast : bool
        Whether `local_contrast` is applied after the blur (the profile `balanced`).
    mask : Mask
        Painted last, so that nothing is blurred into it. Local contrast looks a tenth of the width further.

    Returns
    -------
    (H, W), uint8
    """
    blurred = np.asarray(cv2.GaussianBlur(image_resized, (3, 3), 0), dtype=np.uint8)
    return masked(local_contrast(blurred) if contrast else blurred, mask=mask)


def is_flat(thumbnail: NDArray[np.uint8], *, mask: Mask) -> bool:
    """Whether a thumbnail has one grey level alone where it is looked at, so that nothing can be told by it.

    Parameters
    ----------
    thumbnail : (H, W), uint8
    mask : Mask
        What it was painted with.
    """
    middle = thumbnail[thumbnail.shape[0] // 2, thumbnail.shape[1] // 3 : 2 * thumbnail.shape[1] // 3]
    if middle.size and middle.min() != middle.max() and middle.min() > 0:  # nearly all: no mask is drawn for these
        return False
    height, width = thumbnail.shape
    visible = thumbnail[~ignored_area(mask, height=height, width=width)]
    return visible.size == 0 or bool(visible.min() == visible.max())
