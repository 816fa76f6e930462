"""How an image becomes a thumbnail: the small, blurred, masked grey image that scores are made from.

The module does not know profiles: every number is an argument. All results have equal bits on OpenCV 4.14 and 5.0.
"""

from functools import cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.masks import Mask
from indexer.imaging.kernel.cache import load_contrast
from indexer.imaging.kernel.calls import ContrastCall
from indexer.imaging.masks import ignored_area, masked

Value = TypeVar("Value", np.uint8, np.uint16)

_CONTRAST_GAIN = 50.0
_CONTRAST_FLOOR = 8.0
IMAGES_BEFORE_COMPILED = 64
"""Number of images that OpenCV and numpy do before the compiled code is loaded. No result depends on it."""
_image_count = 0  # of the images that this process gave more contrast


def thumbnail_height(*, width: int, height: int, work_width: int) -> int:
    """Height in pixels of the thumbnail of a (height, width) image: proportional, rounded half to even, at least 1."""
    return max(1, round(height * work_width / width))


def resize_area(image_grey: NDArray[Value], *, size: tuple[int, int]) -> NDArray[Value]:
    """The image at another size: (height, width), of the same type. It is shrunk by averaging over areas (INTER_AREA).

    Parameters
    ----------
    image_grey : (H, W), uint8 or uint16
    size : (height, width)
    """
    height, width = size
    # Only OpenCV takes the size as (width, height).
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
    Local normalization (subtractive and divisive) over a square window of a fifth of the width, made odd. The deviation
    has a floor of 8 levels, which keeps noise in flat areas small. All of it is float64, which gives the same bits with
    SIMD on or off, and in machine code (`indexer.imaging.kernel.contrast`), which takes less than half of the time. It
    is used where an earlier `compare` on this machine stored it.
    """
    global _image_count
    _image_count += 1
    side = int(image_grey.shape[1] / 5) | 1
    fits = side * side * 255**2 < 2**31
    compiled = load_compiled_contrast() if fits and _image_count > IMAGES_BEFORE_COMPILED else None
    if compiled is None:
        return _contrast_by_numpy(image_grey, side=side, fits=fits)
    reach = side // 2
    bordered = cv2.copyMakeBorder(image_grey, reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    return compiled(
        np.asarray(bordered, dtype=np.uint8), side=side, gain=_CONTRAST_GAIN, least_variance=_CONTRAST_FLOOR**2
    )


@cache
def load_compiled_contrast() -> ContrastCall | None:
    """The compiled local contrast; None if its code is not stored. Loading is tried only once in a process."""
    return load_contrast(compiles=False)


def _contrast_by_numpy(image_grey: NDArray[np.uint8], *, side: int, fits: bool) -> NDArray[np.uint8]:
    """The local contrast by OpenCV and numpy; `fits`: whether the sum of the squares of a white window has 31 bits.

    The work is in place, because six more arrays of half a megabyte cost as much time as the arithmetic. The square
    root and the rounding are numpy's, which are exact on every machine. OpenCV's would take a sixth less time, but
    their exactness depends on the mathematics library of the build. OpenCV adds the squares of 8-bit pixels in 32 bits,
    whatever depth is requested. Where the sum of a white window does not fit (from 910 pixels wide), the pixels are
    passed as float64.
    """
    mean = np.asarray(cv2.boxFilter(image_grey, cv2.CV_64F, (side, side)), dtype=np.float64)
    squared = image_grey if fits else image_grey.astype(np.float64)
    mean_of_squares = cv2.sqrBoxFilter(squared, cv2.CV_64F, (side, side))
    deviation = np.asarray(mean_of_squares, dtype=np.float64)  # the same array: it becomes the deviation below
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
        Painted last, so that it is not blurred into its surroundings. With `contrast`, pixels up to a tenth of the
        width inside the mask still influence their neighbours outside.

    Returns
    -------
    (H, W), uint8
    """
    blurred = np.asarray(cv2.GaussianBlur(image_resized, (3, 3), 0), dtype=np.uint8)
    return masked(local_contrast(blurred) if contrast else blurred, mask=mask)


def is_flat(thumbnail: NDArray[np.uint8], *, mask: Mask) -> bool:
    """Whether a thumbnail has a single level outside the mask, so that it shows nothing.

    Parameters
    ----------
    thumbnail : (H, W), uint8
        One plane.
    mask : Mask
        The mask that it was painted with.
    """
    middle = thumbnail[thumbnail.shape[0] // 2, thumbnail.shape[1] // 3 : 2 * thumbnail.shape[1] // 3]
    if middle.size and middle.min() != middle.max() and middle.min() > 0:  # nearly all: no need to make the mask
        return False
    height, width = thumbnail.shape
    visible = thumbnail[~ignored_area(mask, height=height, width=width)]
    return visible.size == 0 or bool(visible.min() == visible.max())
