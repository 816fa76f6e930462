"""Thumbnails as bytes: grey PNG, so that any tool can show what the database holds.

It does not know what is on them, nor where they are kept.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_SETTINGS = (cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = b"\x08\x00"  # bit depth and colour type in the header chunk
_GREY_8_BIT_AT = 24


def encode(image_grey: NDArray[np.uint8]) -> bytes:
    """The image as an 8-bit grey PNG, without loss.

    Parameters
    ----------
    image_grey : (H, W), uint8

    Notes
    -----
    Run lengths suit these noisy images better than zlib's search for repeats. Mean of 82 sample frames prepared with
    `balanced` at 320 wide (63.7 kB raw), OpenCV 5.0, one core:

    ================  =======  =========  =========
    zlib              size     encoding   decoding
    ================  =======  =========  =========
    level 1           29.7 kB   1.25 ms    0.59 ms
    level 3           28.8 kB   1.6 ms     0.6 ms
    level 6           27.4 kB   3.5 ms     0.56 ms
    level 9           27.2 kB  15.1 ms     0.56 ms
    run lengths       25.7 kB   0.97 ms    0.55 ms
    ================  =======  =========  =========
    """
    return bytes(cv2.imencode(".png", image_grey, _SETTINGS)[1].tobytes())


def decode(data: bytes) -> NDArray[np.uint8]:
    """The image of a grey PNG: (H, W), uint8.

    Raises
    ------
    ValueError
        If the bytes are anything else, or not all of it.
    """
    if not data.startswith(_SIGNATURE) or data[_GREY_8_BIT_AT:][:2] != _GREY_8_BIT:
        raise ValueError("these bytes are not an 8-bit grey PNG")
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as problem:
        raise ValueError("these bytes are not a whole PNG") from problem
    if image is None:
        raise ValueError("these bytes are not a whole PNG")
    return np.asarray(image, dtype=np.uint8)
