"""Small pictures for people to look at: in colour, as the file shows it, and nothing that a score is made from.

It promises that a picture is never larger than its source, and that what cannot be decoded whole is refused as
everywhere (`indexer.imaging.decoding`). It does not know who looks, nor where pictures are kept.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.decoding import as_decoded, decode_colour, decode_deep, refusal, viewing_reduction
from indexer.imaging.file_description import os_error_message, read_indexed
from indexer.imaging.headers import Header, Limits, read_header
from indexer.imaging.levels import has_contrast_in_8_bits, stretched
from indexer.imaging.preprocessing import resize_area, thumbnail_height
from indexer.imaging.thumbnails import decode

PREVIEW_WIDTH = 320
"""Pixels across, at most."""
_JPEG_QUALITY = 75


@dataclass(frozen=True)
class Preview:
    """A JPEG with its size."""

    height: int
    width: int
    data: bytes


@dataclass(frozen=True)
class PreviewTask:
    """A known image whose picture is wanted, made from its file."""

    path: str
    content_hash: str
    limits: Limits
    width: int = PREVIEW_WIDTH


@dataclass(frozen=True)
class PreviewResult:
    """That picture, or why there is none."""

    preview: Preview | None
    problem: str | None


def make_preview(data: bytes, *, limits: Limits, width: int = PREVIEW_WIDTH) -> Preview:
    """The picture of a file in colour, turned as its EXIF says, at most `width` pixels wide.

    Parameters
    ----------
    data : bytes
        The whole file.
    limits : Limits
        Held against the header before anything is decoded.
    width : int, above 0

    Raises
    ------
    ImageRefused
        As a file is refused that is indexed: without a header, over the limits, not whole.

    Notes
    -----
    A JPEG is decoded at the largest reduction that leaves it wide enough: the decoder averages blocks of pixels on its
    way, which is all that a small picture wants. Of a 1280 x 720 JPEG that takes a third of the time. A picture of
    16-bit values that would be flat is shown in grey over the values that it has.
    """
    header = read_header(data, limits=limits)
    by = viewing_reduction(header, width=width)
    image = _decode_for_viewing(data, header=header, by=by)
    as_decoded(header, shape=(image.shape[0], image.shape[1]), by=by)
    return _encode_preview(image, width=width)


def find_preview(data: bytes, *, limits: Limits) -> Preview | None:
    """The small picture of a file's bytes, or None if they give none, whatever they are."""
    try:
        return make_preview(data, limits=limits)
    except Exception:  # as in `describing`: of hostile bytes anything may come
        return None


def preview_of_thumbnail(data: bytes, *, planes: int = 1) -> Preview:
    """The picture of a stored thumbnail, in grey as that is: what is left to show where there is no file any more.

    Parameters
    ----------
    data : bytes
        A grey PNG, as `indexer.imaging.thumbnails` makes it.
    planes : int, at least 1
        How many it has, one above the other; the first is shown, which is what the camera saw in grey.

    Raises
    ------
    ValueError
        If the bytes are anything else, or not all of it.
    """
    image = decode(data)
    return _encode_preview(image[: image.shape[0] // planes], width=PREVIEW_WIDTH)


def load_preview(task: PreviewTask) -> PreviewResult:
    """The picture of a known image, if its file still is what was indexed; never raises for what the file contains."""
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        return PreviewResult(make_preview(data, limits=task.limits, width=task.width), None)
    except OSError as problem:
        return PreviewResult(None, os_error_message(problem))
    except Exception as problem:
        return PreviewResult(None, str(refusal(problem)))


def _decode_for_viewing(data: bytes, *, header: Header, by: int) -> NDArray[np.uint8]:
    if header.bits > 8:
        values = decode_deep(data)
        if not has_contrast_in_8_bits(values):
            return stretched(values)
    return decode_colour(data, by=by)


def _encode_preview(image: NDArray[np.uint8], *, width: int) -> Preview:
    """An image, (H, W) or (H, W, 3), as JPEG, shrunk to the width if it is wider."""
    if image.shape[1] > width:
        height = thumbnail_height(width=image.shape[1], height=image.shape[0], work_width=width)
        image = resize_area(image, size=(height, width))
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return Preview(image.shape[0], image.shape[1], data)
