"""Small pictures for people to look at: in colour, as the file shows it, and nothing that a score is made from.

It promises that a picture is never larger than its source, and that what cannot be decoded whole is refused as
everywhere (`indexer.imaging.decoding`). It does not know who looks, nor where pictures are kept.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.decoding import as_decoded, decode_colour, decode_deep, refusal, viewing_reduction
from indexer.imaging.file_description import in_words, read_indexed
from indexer.imaging.headers import Header, Limits, read_header
from indexer.imaging.levels import is_kept, stretched
from indexer.imaging.preprocessing import shrunk, thumbnail_height
from indexer.imaging.thumbnails import decode

PICTURE_WIDTH = 320
"""Pixels across, at most."""
_QUALITY = 75


@dataclass(frozen=True)
class Picture:
    """A JPEG with its size."""

    height: int
    width: int
    data: bytes


@dataclass(frozen=True)
class PictureTask:
    """A known image whose picture is wanted, made from its file."""

    path: str
    content_hash: str
    limits: Limits
    width: int = PICTURE_WIDTH


@dataclass(frozen=True)
class Pictured:
    """That picture, or why there is none."""

    data: Picture | None
    problem: str | None


def small_picture(data: bytes, *, limits: Limits, width: int = PICTURE_WIDTH) -> Picture:
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
    image = _decoded(data, header=header, by=by)
    as_decoded(header, shape=(image.shape[0], image.shape[1]), by=by)
    return _picture(image, width=width)


def find_picture(data: bytes, *, limits: Limits) -> Picture | None:
    """The small picture of a file's bytes, or None if they give none, whatever they are."""
    try:
        return small_picture(data, limits=limits)
    except Exception:  # as in `describing`: of hostile bytes anything may come
        return None


def picture_of_thumbnail(data: bytes, *, planes: int = 1) -> Picture:
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
    return _picture(image[: image.shape[0] // planes], width=PICTURE_WIDTH)


def take_picture(task: PictureTask) -> Pictured:
    """The picture of a known image, if its file still is what was indexed; never raises for what the file contains."""
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        return Pictured(small_picture(data, limits=task.limits, width=task.width), None)
    except OSError as problem:
        return Pictured(None, in_words(problem))
    except Exception as problem:
        return Pictured(None, str(refusal(problem)))


def _decoded(data: bytes, *, header: Header, by: int) -> NDArray[np.uint8]:
    if header.bits > 8:
        values = decode_deep(data)
        if not is_kept(values):
            return stretched(values)
    return decode_colour(data, by=by)


def _picture(image: NDArray[np.uint8], *, width: int) -> Picture:
    """An image, (H, W) or (H, W, 3), as JPEG, shrunk to the width if it is wider."""
    if image.shape[1] > width:
        height = thumbnail_height(width=image.shape[1], height=image.shape[0], work_width=width)
        image = shrunk(image, size=(height, width))
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return Picture(image.shape[0], image.shape[1], data)
