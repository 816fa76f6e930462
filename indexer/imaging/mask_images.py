"""Mask images: drawings of the part of a frame to ignore, read from a PNG of any kind and stored in one simple form.

It promises that the same drawing gives the same bytes, whichever program saved it and whichever machine reads it. So a
digest of the bytes is a digest of the drawing. It does not know frames, nor what else is ignored.

Decision 0019: one rule for all kinds of PNG: what is darker than middle grey on white is ignored.

Decision 0020: stored with one bit per pixel and *not* compressed, at most 640 pixels a side.
"""

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.imaging.decoding import decode_as_stored
from indexer.imaging.headers import ImageRefusedError, read_header
from indexer.imaging.thumbnails import SIGNATURE, chunk

LIMITS = Limits(max_pixels=40_000_000, max_bytes=2**25, min_side_px=1)
"""Limits of a drawn file: more pixels than any screen shows."""
MAX_SIDE_PX = 640
"""Longest side of a stored mask image: a larger drawing is shrunk with its aspect ratio kept."""

_MIDDLE_GREY = 128
_ONE_BIT_GREY = b"\x01\x00\x00\x00\x00"
"""The end of IHDR: one bit per pixel, grey, the only compression method, the only filter method, no interlacing."""


@dataclass(frozen=True)
class MaskImage:
    """A mask image as it is stored.

    Attributes
    ----------
    width, height : int
        In pixels.
    ignored_px : int
        Number of ignored pixels.
    png : bytes
        A PNG of one bit per pixel: black is ignored, white is not.
    """

    width: int
    height: int
    ignored_px: int
    png: bytes


def decode_mask_image(data: bytes) -> MaskImage:
    """The mask image in the bytes of a PNG, with its longest side shrunk to at most `MAX_SIDE_PX`.

    Raises
    ------
    ImageRefusedError
        If the bytes are not a PNG, not complete, or over `LIMITS`. The first bytes of a file, one more than the limit,
        are enough to refuse it.
    """
    ignored = ignored_pixels(data)
    height, width = ignored.shape
    longer = max(height, width)
    if longer > MAX_SIDE_PX:
        height, width = (max(1, side * MAX_SIDE_PX // longer) for side in (height, width))
        ignored = resampled(ignored, height=height, width=width)
    return MaskImage(width, height, int(np.count_nonzero(ignored)), _one_bit_png(ignored))


def joined_mask_images(first: bytes, second: bytes) -> MaskImage:
    """The mask image that ignores what either of two does, at the size of the first; both as PNG.

    Raises `ImageRefusedError` as `decode_mask_image`.
    """
    ignored = ignored_pixels(first)
    height, width = ignored.shape
    ignored |= resampled(ignored_pixels(second), height=height, width=width)
    return MaskImage(width, height, int(np.count_nonzero(ignored)), _one_bit_png(ignored))


def ignored_pixels(data: bytes) -> NDArray[np.bool_]:
    """Which pixels of a PNG mean "ignored": (H, W), bool. Raises `ImageRefusedError` as `decode_mask_image`."""
    header = read_header(data, limits=LIMITS)
    if header.format != "PNG":
        raise ImageRefusedError("unreadable", f"it is a {header.format}, not a PNG", header=header)
    grey, opacity = _grey_and_opacity(decode_as_stored(data))
    # The level on white is 255 - opacity * (255 - grey) / 255; multiplied by 255, to avoid the division.
    return opacity * (255 - grey) > 255 * (255 - _MIDDLE_GREY)


def resampled(ignored: NDArray[np.bool_], *, height: int, width: int) -> NDArray[np.bool_]:
    """The mask at another size: (height, width), bool. Each pixel takes the old pixel at its centre.

    The arithmetic is in integers, so that every machine gives the same mask.
    """
    rows, columns = (
        (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
        for new, old in zip((height, width), ignored.shape, strict=True)
    )
    return np.asarray(ignored[rows[:, None], columns[None, :]])


def _grey_and_opacity(stored: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Grey level and opacity of each pixel, 0 to 255: two (H, W), int32."""
    levels = (stored >> 8 if stored.dtype == np.uint16 else stored).astype(np.uint8)
    if levels.ndim == 2:
        return levels.astype(np.int32), np.full(levels.shape, 255, dtype=np.int32)
    grey = np.asarray(cv2.cvtColor(levels[..., :3].copy(), cv2.COLOR_BGR2GRAY), dtype=np.int32)
    opacity = levels[..., 3].astype(np.int32) if levels.shape[2] == 4 else np.full(grey.shape, 255, dtype=np.int32)
    return grey, opacity


def _one_bit_png(ignored: NDArray[np.bool_]) -> bytes:
    """The mask as a PNG of one bit per pixel.

    It is not written by Pillow: a profile's digest covers these bytes, and what Pillow writes depends on its zlib.
    """
    height, width = ignored.shape
    bits = np.packbits(~ignored, axis=1)
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), bits]).tobytes()  # filter 0: none
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", struct.pack(">II", width, height) + _ONE_BIT_GREY),
            chunk(b"IDAT", _stored_zlib_stream(rows)),
            chunk(b"IEND", b""),
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
