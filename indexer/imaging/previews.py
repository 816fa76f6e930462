"""Previews: small pictures for people, in colour as the file shows it. No score is made from them.

It promises that a preview is never larger than its source, and that a file that cannot be decoded completely is refused
as everywhere else (`indexer.imaging.decoding`). It does not know who sees a preview, nor where it is stored.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits, Preview
from indexer.domain.feature_layout import frame_rows
from indexer.imaging.decoding import as_decoded, decode_colour, decode_deep, viewing_reduction
from indexer.imaging.headers import Header, read_header
from indexer.imaging.levels import has_contrast_in_8_bits, stretched
from indexer.imaging.preprocessing import resize_area, thumbnail_height
from indexer.imaging.thumbnails import decode

PREVIEW_WIDTH = 320
"""Width of a preview in pixels, at most."""
_JPEG_QUALITY = 75


def make_preview(data: bytes, *, limits: Limits, width: int = PREVIEW_WIDTH) -> Preview:
    """The preview of a file in colour, rotated by its EXIF orientation, at most `width` pixels wide.

    Parameters
    ----------
    data : bytes
        The whole file.
    limits : Limits
        Compared with the header before anything is decoded.
    width : int, above 0

    Raises
    ------
    ImageRefusedError
        As in ingest: if there is no valid header, a limit is exceeded, or the picture is not complete.

    Notes
    -----
    A JPEG is decoded at the largest reduction that leaves it wide enough. The decoder then averages blocks of pixels,
    which is enough for a preview, and a 1280 x 720 JPEG takes a third of the time. A picture of 16-bit values that
    would be flat in 8 bits is shown in grey, stretched over its own range of values.
    """
    header = read_header(data, limits=limits)
    by = viewing_reduction(header, width=width)
    image = _decode_for_viewing(data, header=header, by=by)
    as_decoded(header, shape=(image.shape[0], image.shape[1]), by=by)
    return _encode_preview(image, width=width)


def find_preview(data: bytes, *, limits: Limits) -> Preview | None:
    """The preview of a file's bytes, or None if it cannot be made, whatever the reason."""
    try:
        return make_preview(data, limits=limits)
    except Exception:  # as in `file_description`: hostile bytes may raise anything
        return None


def preview_of_thumbnail(data: bytes, *, planes: int = 1, features: bool = False) -> Preview:
    """The preview of a stored thumbnail, in grey like the thumbnail; for images whose file is gone.

    Parameters
    ----------
    data : bytes
        A grey PNG, as `indexer.imaging.thumbnails` makes it.
    planes : int, at least 1
        Number of planes in the thumbnail, one above the other. The preview shows the first, which is the grey plane.
    features : bool
        Whether it has rows of features below them, which are not shown.

    Raises
    ------
    ValueError
        If the bytes are not a complete grey PNG.
    """
    image = decode(data)
    height = frame_rows(*image.shape, features=features) // planes
    return _encode_preview(image[:height], width=PREVIEW_WIDTH)


def _decode_for_viewing(data: bytes, *, header: Header, by: int) -> NDArray[np.uint8]:
    if header.bits > 8:
        values = decode_deep(data)
        if not has_contrast_in_8_bits(values):
            return stretched(values)
    return decode_colour(data, by=by)


def _encode_preview(image: NDArray[np.uint8], *, width: int) -> Preview:
    """An image, (H, W) or (H, W, 3), as JPEG, resized to `width` if it is wider."""
    if image.shape[1] > width:
        height = thumbnail_height(width=image.shape[1], height=image.shape[0], work_width=width)
        image = resize_area(image, size=(height, width))
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return Preview(image.shape[0], image.shape[1], data)
