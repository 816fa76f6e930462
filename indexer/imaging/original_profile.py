"""The images of the profile `original`: what the original script compared, bit for bit, at native size.

Nothing is cached here. The module does not know thresholds: the score is `scoring.changed_area` with unit 1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels
from indexer.domain.masks import Mask
from indexer.imaging.decoding import decode_colour, decode_grey, is_scaled, require_content
from indexer.imaging.headers import Header
from indexer.imaging.masks import masked


def preprocess_native(
    data: bytes, *, mask: Mask, header: Header | None = None, levels: Levels | None = None
) -> NDArray[np.uint8]:
    """The picture in grey at native size, not blurred, with the ignored area painted black.

    Parameters
    ----------
    data : bytes
        The whole file.
    mask : Mask
    header : Header or None
        The header of the same bytes. None if the picture is known to have 8 bits and no alpha channel.
    levels : Levels or None
        Scale for values of more than 8 bits.

    Returns
    -------
    (H, W), uint8

    Raises
    ------
    ImageRefusedError
        As `decoding.decode_colour` and `decoding.require_content`.

    Notes
    -----
    The picture is decoded in colour and then made grey, as the original script does. The grey that a JPEG decoder
    makes itself differs by rounding.
    """
    if header is not None:
        if is_scaled(header, levels=levels):
            return masked(decode_grey(data, header=header, work_width=None, levels=levels), mask=mask)
        require_content(data, header=header, levels=levels)
    grey = cv2.cvtColor(decode_colour(data), cv2.COLOR_BGR2GRAY)
    return masked(np.asarray(grey, dtype=np.uint8), mask=mask)


def same_size(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both images at the size of the one with fewer pixels, the other resized bicubically.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Of any two sizes. If both have the same number of pixels, the size with fewer rows is used, in either order.

    Returns
    -------
    two (H, W), uint8
    """
    height, width = min(image_a.shape, image_b.shape, key=lambda shape: (shape[0] * shape[1], shape))
    return _resize_bicubic(image_a, size=(height, width)), _resize_bicubic(image_b, size=(height, width))


def _resize_bicubic(image_grey: NDArray[np.uint8], *, size: tuple[int, int]) -> NDArray[np.uint8]:
    if image_grey.shape == size:
        return image_grey
    height, width = size
    # Only OpenCV takes the size as (width, height).
    return np.asarray(cv2.resize(image_grey, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
