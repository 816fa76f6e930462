"""What somebody drew to say which part of a frame is ignored: read from a PNG of any kind, kept as the plainest one.

It promises that the same drawing has the same bytes, whichever program saved it and on whichever machine it was read,
so that a digest of them is a digest of what is drawn. It does not know frames, nor what else is ignored.

Decision: one rule for all kinds of PNG. The drawing lies on white paper, and what is then darker than middle grey (128
of 255) is ignored. So black on white does, black on a transparent layer over a frame does, and what was rubbed out, to
white or to transparency, is looked at. Cost: bright strokes on a transparent layer are not seen; that such a drawing
ignores nothing is told to the person. Enforced by tests/imaging/test_mask_images.py.

Decision: kept with one bit a pixel and *not* deflated, since every library deflates otherwise. At most 640 pixels a
side, which is what 640 x 480 reference pixels can tell apart: 52 kB at worst.
"""

import errno
import os
import stat
import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.decoding import decode_as_stored
from indexer.imaging.headers import ImageRefusedError, Limits, read_header

LIMITS = Limits(max_pixels=40_000_000, max_bytes=2**25, min_side_px=1)
"""Of a file that somebody drew: more than any screen shows."""
MAX_SIDE_PX = 640
"""Of a drawing as it is kept: a larger one is shrunk, each side in the same proportion."""

_MIDDLE_GREY = 128
_ONE_BIT_GREY = b"\x01\x00\x00\x00\x00"
"""One bit a pixel, grey, and the one compression, the one set of filters, no interlacing."""


@dataclass(frozen=True)
class MaskImage:
    """A drawing as it is kept.

    Attributes
    ----------
    width, height : int
        Pixels.
    ignored_px : int
        How many of them are ignored.
    png : bytes
        One bit a pixel: black is ignored, white is looked at.
    """

    width: int
    height: int
    ignored_px: int
    png: bytes


def read_mask_image(path: str) -> MaskImage:
    """The drawing of a PNG file, shrunk if it is large.

    Raises
    ------
    OSError
        If the file cannot be read; its `strerror` says why.
    ImageRefused
        If it is no PNG, not a whole one, or over `LIMITS`.
    """
    return decode_mask_image(_read_regular_file(path))


def decode_mask_image(data: bytes) -> MaskImage:
    """The drawing of a PNG's bytes, shrunk if it is large. Raises ImageRefused as `read_mask_image`."""
    ignored = ignored_pixels(data)
    height, width = ignored.shape
    longer = max(height, width)
    if longer > MAX_SIDE_PX:
        height, width = (max(1, side * MAX_SIDE_PX // longer) for side in (height, width))
        ignored = resampled(ignored, height=height, width=width)
    return MaskImage(width, height, int(np.count_nonzero(ignored)), _one_bit_png(ignored))


def ignored_pixels(data: bytes) -> NDArray[np.bool_]:
    """Which pixels of a PNG say that they are ignored: (H, W), bool. Raises ImageRefused as `read_mask_image`."""
    header = read_header(data, limits=LIMITS)
    if header.format != "PNG":
        raise ImageRefusedError("unreadable", f"it is a {header.format}, not a PNG", header=header)
    grey, opacity = _grey_and_opacity(decode_as_stored(data))
    # On white paper: 255 - opacity * (255 - grey) / 255, without the division.
    return opacity * (255 - grey) > 255 * (255 - _MIDDLE_GREY)


def resampled(ignored: NDArray[np.bool_], *, height: int, width: int) -> NDArray[np.bool_]:
    """The drawing at another size: each new pixel is the old one that its centre falls on, in whole numbers."""
    rows, columns = (
        (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
        for new, old in zip((height, width), ignored.shape, strict=True)
    )
    return np.asarray(ignored[rows[:, None], columns[None, :]])


def _read_regular_file(path: str) -> bytes:
    """The bytes of a regular file, one more than is allowed at most."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:  # refuses a folder
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return file.read(LIMITS.max_bytes + 1)


def _grey_and_opacity(stored: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Grey level and opacity of each pixel, 0 to 255: (H, W), int32, both."""
    levels = (stored >> 8 if stored.dtype == np.uint16 else stored).astype(np.uint8)
    if levels.ndim == 2:
        return levels.astype(np.int32), np.full(levels.shape, 255, dtype=np.int32)
    grey = np.asarray(cv2.cvtColor(levels[..., :3].copy(), cv2.COLOR_BGR2GRAY), dtype=np.int32)
    opacity = levels[..., 3].astype(np.int32) if levels.shape[2] == 4 else np.full(grey.shape, 255, dtype=np.int32)
    return grey, opacity


def _one_bit_png(ignored: NDArray[np.bool_]) -> bytes:
    height, width = ignored.shape
    bits = np.packbits(~ignored, axis=1)
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), bits]).tobytes()  # filter 0: none
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">II", width, height) + _ONE_BIT_GREY),
            _chunk(b"IDAT", _stored_zlib_stream(rows)),
            _chunk(b"IEND", b""),
        )
    )


def _stored_zlib_stream(data: bytes) -> bytes:
    """A zlib stream (RFC 1950) of one stored block (RFC 1951, 3.2.4), which holds up to 65 535 bytes."""
    return (
        b"\x78\x01\x01"
        + struct.pack("<HH", len(data), len(data) ^ 0xFFFF)
        + data
        + struct.pack(">I", zlib.adler32(data))
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
