"""From a file's bytes to pixels. No other module needs to know the ways in which a decoder can fail.

An incomplete picture is refused. `cv2.imdecode` returns None for most broken data and raises for some. For some it
returns a picture that is grey below the cut, and reports this only on file descriptor 2.

Measured on OpenCV 4.14 and 5.0 (with equal results), with 150 to 210 cuts through each of 30 files:

- A cut JPEG, PNG, BMP, WebP or TIFF gives None, also if a PNG loses rows but has its IEND.
- A JPEG whose data end before its end marker gives a partial picture and a line on descriptor 2. So does a TIFF whose
  strip ends early (LZW, deflate, PackBits, JPEG, fax).
- A TIFF strip whose data are wrong, not short, is left black, with an error on descriptor 2.
- OpenCV 4.10 gives a partial picture of a cut JPEG without any message. All three versions accept some JPEGs that lack
  only the end marker. So the end marker is checked before decoding.

Other threads (those of Dask, in a Dask worker) may write similar messages to descriptor 2 at the same time. The decoder
repeats its own message each time, so a picture is decoded up to three times. It is refused if two decodings give the
same message, or if all three give one.

The module does not know paths, profiles or thumbnails.
"""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels
from indexer.imaging.headers import Header, ImageRefusedError
from indexer.imaging.levels import FULL_RANGE, require_contrast_in_8_bits, scaled

_GREY_FLAGS = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_COLOUR_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_JPEG_START = b"\xff\xd8"
_ENDS_EARLY = re.compile(
    r"premature|not enough|lack of data|incomplete|unexpected end|not terminated|zlib error|read error|\bEOF\b",
    re.IGNORECASE,
)
_STRIP_FAILED = re.compile(r"\bTIFF_Error\b")
_MAX_ATTEMPTS = 3  # decodings of one picture
_NO_MEMORY = re.compile(r"insufficient memory|OutOfMemory|bad_alloc", re.IGNORECASE)
_NOISE_BEFORE = re.compile(r"^\[ *[A-Z]+:\S+\] global \S+ \S+ |^.*? error: |^.*TIFF_(?:Error|Warning) ")
_NOISE_AFTER = re.compile(r" in function '.*'?$")

_stderr_lock = threading.Lock()

# OPENCV_LOG_LEVEL must not decide whether a TIFF counts as damaged: its decoder reports through OpenCV's log.
if hasattr(cv2.utils, "logging"):  # OpenCV 4.10 has no such module
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_WARNING)


def reduction(header: Header, *, work_width: int) -> int:
    """The factor by which the decoder may shrink the picture: 1, 2, 4 or 8.

    Notes
    -----
    Above 1 only for JPEG, whose decoder skips what a smaller picture does not need. It is the largest of 8, 4 and 2 for
    which the stored width, divided by it and rounded down, is at least 2 x `work_width`; else 1.
    """
    return _largest_reduction(header, across_px=header.stored_width, least_px=2 * work_width)


def chroma_reduction(header: Header, *, work_width: int) -> int:
    """The factor by which the decoder may shrink the picture if only its colour is used: 1, 2, 4 or 8.

    The picture stays at least `work_width` wide. That is enough, because a camera's JPEG keeps colour at half the size.
    """
    return _largest_reduction(header, across_px=header.stored_width, least_px=work_width)


def viewing_reduction(header: Header, *, width: int) -> int:
    """The factor by which the decoder may shrink a picture for viewing: 1, 2, 4 or 8.

    The picture stays at least `width` wide as shown, after the EXIF rotation.
    """
    return _largest_reduction(header, across_px=header.width, least_px=width)


def _largest_reduction(header: Header, *, across_px: int, least_px: int) -> int:
    if header.format not in ("JPEG", "MPO"):
        return 1
    return next((by for by in (8, 4, 2) if across_px // by >= least_px), 1)


def decode_grey(
    data: bytes, *, header: Header, work_width: int | None, levels: Levels | None = None
) -> NDArray[np.uint8]:
    """The picture in 8-bit grey, rotated by its EXIF orientation.

    Parameters
    ----------
    data : bytes
        The whole file.
    header : Header
        The header of the same bytes.
    work_width : int or None
        Width that it will be resized to, so that the decoder may apply `reduction`. None for native size.
    levels : Levels or None
        Scale for values of more than 8 bits. None divides them by 256 if that keeps enough contrast.

    Returns
    -------
    (H, W), uint8

    Raises
    ------
    ImageRefusedError
        `damaged` if the decoder fails or reports that data ends early. `unreadable` if it runs out of memory, or as
        `require_content` says.
    """
    require_content(data, header=header, levels=levels)
    if is_scaled(header, levels=levels):
        return scaled(decode_deep(data), levels=levels or FULL_RANGE)
    by = 1 if work_width is None else reduction(header, work_width=work_width)
    return _decode_whole(data, flags=_GREY_FLAGS[by])


def is_scaled(header: Header, *, levels: Levels | None) -> bool:
    """Whether the stored values become grey levels by the scale `levels`, and not by the decoder."""
    return header.bits > 8 and levels is not None and levels != FULL_RANGE


def require_content(data: bytes, *, header: Header, levels: Levels | None) -> None:
    """Refuses a picture that would lose too much content in 8-bit grey. Returns nothing for any other.

    It refuses a picture with partial transparency. Without a scale it also refuses a picture of more than 8 bits that
    has little contrast after a division by 256. Most pictures are of neither kind; then nothing is decoded here.

    Raises
    ------
    ImageRefusedError
        `unreadable` with the reason. Also as `decode_as_stored`.
    """
    if not header.opacity and (header.bits <= 8 or levels is not None):
        return
    stored = decode_as_stored(data)
    if header.opacity:
        if stored.ndim != 3 or stored.shape[2] != 4:
            raise ImageRefusedError("unreadable", "its opacity cannot be read")
        opacity = stored[:, :, 3]
        if opacity.min() != opacity.max():
            raise ImageRefusedError(
                "unreadable", "a part of it is transparent, and only colours are compared, not opacity"
            )
    if levels is None and stored.dtype == np.uint16:
        require_contrast_in_8_bits(np.asarray(stored[:, :, :3] if stored.ndim == 3 else stored, dtype=np.uint16))


def decode_deep(data: bytes) -> NDArray[np.uint16]:
    """The picture in grey with its stored 16-bit values, rotated by its EXIF orientation: (H, W), uint16.

    Raises
    ------
    ImageRefusedError
        `unreadable` if the values do not have 16 bits. Also if the decoder fails, as in `decode_grey`.
    """
    image = _decode_whole(data, flags=cv2.IMREAD_ANYDEPTH)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ImageRefusedError("unreadable", f"values of the kind {image.dtype}: only 8 and 16 bits are read")
    return image


def decode_colour(data: bytes, *, by: int = 1) -> NDArray[np.uint8]:
    """The picture in colour, rotated by its EXIF orientation: (H, W, 3), uint8, BGR, `by` (1, 2, 4 or 8) times smaller.

    Raises
    ------
    ImageRefusedError
        If the decoder fails, as in `decode_grey`.
    """
    return _decode_whole(data, flags=_COLOUR_FLAGS[by])


def decode_as_stored(data: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The picture with all its channels and bits, not rotated: (H, W), or (H, W, 3) BGR, or (H, W, 4) BGR and alpha.

    Raises
    ------
    ImageRefusedError
        If the decoder fails, as in `decode_grey`.
    """
    return _decode_whole(data, flags=cv2.IMREAD_UNCHANGED)


def as_decoded(header: Header, *, shape: tuple[int, int], by: int) -> Header:
    """The header, with its orientation corrected if the decoded picture has width and height swapped.

    Parameters
    ----------
    header : Header
    shape : (height, width)
        Of the decoded picture.
    by : int
        The reduction it was decoded with.

    Raises
    ------
    ImageRefusedError
        `damaged` if the decoded picture does not have the size in the header, with or without its sides swapped.

    Notes
    -----
    Pillow and OpenCV may read a broken EXIF block differently. The decoder's orientation is used, because the pixels
    come from it.
    """
    if shape == (-(-header.height // by), -(-header.width // by)):
        return header
    turned = replace(header, orientation=1 if header.orientation >= 5 else 6)
    if shape == (-(-turned.height // by), -(-turned.width // by)):
        return turned
    reason = f"the header says {header.width} x {header.height}, the decoder made {shape[1]} x {shape[0]} at 1/{by}"
    raise ImageRefusedError("damaged", reason, header=header)


def refusal(problem: Exception) -> ImageRefusedError:
    """The refusal that an exception from a decoder, or from OpenCV, means for the picture.

    `unreadable` if memory ran out, else `damaged`; an `ImageRefusedError` is returned as it is.
    """
    if isinstance(problem, ImageRefusedError):
        return problem
    if isinstance(problem, MemoryError) or (isinstance(problem, cv2.error) and problem.code == cv2.Error.StsNoMem):
        return ImageRefusedError("unreadable", "the decoder ran out of memory")
    return ImageRefusedError("damaged", f"the decoder failed: {_without_noise(str(problem)) or type(problem).__name__}")


def _decode_whole(data: bytes, *, flags: int) -> NDArray[Any]:
    if data.startswith(_JPEG_START) and not _has_jpeg_end(data):
        raise ImageRefusedError("damaged", "data ends early: the JPEG has no end marker")
    reasons: list[str] = []
    while len(reasons) < _MAX_ATTEMPTS:
        image, reason = _decode_capturing_stderr(data, flags=flags)
        if reason is None:
            return image
        reasons.append(reason)
        if reason in reasons[:-1]:
            break
    raise ImageRefusedError("damaged", reasons[-1])


def _decode_capturing_stderr(data: bytes, *, flags: int) -> tuple[NDArray[Any], str | None]:
    """The picture, and the reason why it may be damaged, or None.

    The reason comes from descriptor 2, so another thread may have written it.
    """
    with _captured_stderr() as captured:
        try:
            image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
        except Exception as problem:
            raise refusal(problem) from problem
        finally:
            messages = _read_text(captured)
    if image is None:
        raise _refusal_without_image(messages)
    early = next((line for line in messages.splitlines() if _ENDS_EARLY.search(line)), None)
    if early:
        return image, f"data ends early: {_without_noise(early)}"
    failed = next((line for line in messages.splitlines() if _STRIP_FAILED.search(line)), None)
    return image, f"the decoder left a part out: {_without_noise(failed)}" if failed else None


def _has_jpeg_end(data: bytes) -> bool:
    """Whether an end marker follows the start of the pixels (that of a thumbnail inside EXIF does not count)."""
    at = len(_JPEG_START)
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xDA:  # start of scan: the pixels follow
            return data.rfind(b"\xff\xd9", at) >= 0
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return True  # no segment where one is expected: the decoder decides


def _refusal_without_image(messages: str) -> ImageRefusedError:
    if _NO_MEMORY.search(messages):
        return ImageRefusedError("unreadable", "the decoder ran out of memory")
    if "unknown exception" in messages:  # among others, OpenCV's message for std::bad_alloc in its TIFF decoder
        return ImageRefusedError("unreadable", "the decoder failed, most often because memory ran out")
    detail = next((plain for plain in map(_without_noise, messages.splitlines()) if plain), "")
    return ImageRefusedError("damaged", "the decoder returned nothing" + (f": {detail}" if detail else ""))


def _without_noise(line: str) -> str:
    """A decoder's message without its time stamp, source line and function, in ASCII, at most 120 characters."""
    words = line.strip()
    while (shorter := _NOISE_BEFORE.sub("", words, count=1)) != words:
        words = shorter
    return re.sub(r"[^\x20-\x7e]", "?", _NOISE_AFTER.sub("", words)).rstrip(" :.")[:120]


@contextmanager
def _captured_stderr() -> Iterator[BinaryIO]:
    """A file that receives all that is written to file descriptor 2, where the libraries of the decoders report.

    Notes
    -----
    Only one thread of a process captures at a time. Messages of other threads on descriptor 2 in these few milliseconds
    are captured too. Each call uses a new file (8 microseconds as a memfd): a reused file would be shared with a forked
    worker.
    """
    with _stderr_lock, _scratch_file() as scratch:
        try:
            saved = os.dup(2)
        except OSError:  # descriptor 2 is closed, as a daemon's may be
            saved = None
        try:
            os.dup2(scratch.fileno(), 2)
            yield scratch
        finally:
            if saved is None:
                os.close(2)
            else:
                os.dup2(saved, 2)
                os.close(saved)


def _scratch_file() -> BinaryIO:
    """An unnamed file with a descriptor above 2, so that it does not take the number of a closed standard stream."""
    descriptors = []
    try:
        while True:
            descriptors.append(os.memfd_create("stderr") if hasattr(os, "memfd_create") else _temporary_descriptor())
            if descriptors[-1] > 2:
                return os.fdopen(descriptors.pop(), "w+b", buffering=0)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _temporary_descriptor() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _read_text(captured: BinaryIO) -> str:
    captured.seek(0)
    return captured.read(65536).decode("utf-8", "replace")
