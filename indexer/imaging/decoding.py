"""From a file's bytes to pixels, and the one place that knows in how many ways a decoder can fail.

A picture that is not whole is refused. `cv2.imdecode` returns None for most broken data, raises for some, and for some
returns a picture with grey below the cut and says so only on file descriptor 2. Measured on OpenCV 4.14 and 5.0 (their
answers are equal), with 150 to 210 cuts through each of 30 files: a cut JPEG, PNG, BMP, WebP or TIFF gives None, also
where a PNG loses rows but has its IEND; a JPEG whose data end before its end marker, and a TIFF whose strip ends early
(LZW, deflate, PackBits, JPEG, fax), give a partial picture and a line on descriptor 2. OpenCV 4.10 gives a partial
picture of a cut JPEG without a word, and all three take some that lack nothing but the end marker: so that marker is
looked for before decoding. A TIFF strip whose data are wrong, not short, is left black with an error on descriptor 2.

Other threads (those of Dask, in a worker of its) may write of ends and errors there meanwhile. So what was said is
believed where it is said again in the same words, or where no decoding of three was silent: a decoder never forgets.

It does not know paths, profiles or thumbnails.
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

from indexer.imaging.headers import Header, ImageRefusedError
from indexer.imaging.levels import FULL_RANGE, Levels, require_contrast_in_8_bits, scaled

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
_MAX_ATTEMPTS = 3  # of one picture
_NO_MEMORY = re.compile(r"insufficient memory|OutOfMemory|bad_alloc", re.IGNORECASE)
_NOISE_BEFORE = re.compile(r"^\[ *[A-Z]+:\S+\] global \S+ \S+ |^.*? error: |^.*TIFF_(?:Error|Warning) ")
_NOISE_AFTER = re.compile(r" in function '.*'?$")

_stderr_lock = threading.Lock()

# OPENCV_LOG_LEVEL must not decide whether a TIFF counts as damaged: its decoder speaks through OpenCV's log.
if hasattr(cv2.utils, "logging"):  # OpenCV 4.10 has no such module
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_WARNING)


def reduction(header: Header, *, work_width: int) -> int:
    """How much smaller a decoder may make the picture on the way: 1, 2, 4 or 8.

    Notes
    -----
    Only for JPEG, whose decoder leaves out what a smaller picture does not need: the largest of 8, 4, 2 that keeps the
    stored width, divided and rounded down, at 2 x `work_width` at least.
    """
    return _largest_reduction(header, across_px=header.stored_width, least_px=2 * work_width)


def chroma_reduction(header: Header, *, work_width: int) -> int:
    """How much smaller a decoder may make the picture where colour alone is wanted: it stays `work_width` wide, as a
    JPEG of a camera keeps colour at half the size anyway."""
    return _largest_reduction(header, across_px=header.stored_width, least_px=work_width)


def viewing_reduction(header: Header, *, width: int) -> int:
    """How much smaller a decoder may make a picture that is only looked at, so that it stays `width` wide as shown."""
    return _largest_reduction(header, across_px=header.width, least_px=width)


def _largest_reduction(header: Header, *, across_px: int, least_px: int) -> int:
    if header.format not in ("JPEG", "MPO"):
        return 1
    return next((by for by in (8, 4, 2) if across_px // by >= least_px), 1)


def decode_grey(
    data: bytes, *, header: Header, work_width: int | None, levels: Levels | None = None
) -> NDArray[np.uint8]:
    """The picture in 8-bit grey, turned as its EXIF says.

    Parameters
    ----------
    data : bytes
        The whole file.
    header : Header
        Of the same bytes.
    work_width : int or None
        Width it will be shrunk to, which allows the decoder's `reduction`; None for the whole picture.
    levels : Levels or None
        Scale of values of more than 8 bits; None divides them by 256 where that leaves enough.

    Returns
    -------
    (H, W), uint8

    Raises
    ------
    ImageRefused
        `damaged` if the decoder fails or says that data ends early, `unreadable` if it runs out of memory, or if what
        the picture shows would be lost.
    """
    require_content(data, header=header, levels=levels)
    if is_scaled(header, levels=levels):
        return scaled(decode_deep(data), levels=levels or FULL_RANGE)
    by = 1 if work_width is None else reduction(header, work_width=work_width)
    return _decode_whole(data, flags=_GREY_FLAGS[by])


def is_scaled(header: Header, *, levels: Levels | None) -> bool:
    """Whether grey levels are made from the stored values by a scale, and not by the decoder."""
    return header.bits > 8 and levels is not None and levels != FULL_RANGE


def require_content(data: bytes, *, header: Header, levels: Levels | None) -> None:
    """Refuses a picture of which 8-bit grey would leave too little: what is seen in its opacity alone, and values of
    more than 8 bits without a scale. Most pictures have neither, and cost nothing here.

    Raises
    ------
    ImageRefused
        `unreadable` with the reason; and as `decode_grey`.
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
                "unreadable", "a part of it is transparent: only colours are looked at, not opacity"
            )
    if levels is None and stored.dtype == np.uint16:
        require_contrast_in_8_bits(np.asarray(stored[:, :, :3] if stored.ndim == 3 else stored, dtype=np.uint16))


def decode_deep(data: bytes) -> NDArray[np.uint16]:
    """The picture in grey with values as they are stored, of 16 bits, turned as its EXIF says: (H, W), uint16.

    Raises as `decode_grey`.
    """
    image = _decode_whole(data, flags=cv2.IMREAD_ANYDEPTH)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ImageRefusedError("unreadable", f"values of the kind {image.dtype}: only 8 and 16 bits are read")
    return image


def decode_colour(data: bytes, *, by: int = 1) -> NDArray[np.uint8]:
    """The picture in colour, turned as its EXIF says: (H, W, 3), uint8, BGR; `by` 2, 4 or 8 times smaller. Raises as
    `decode_grey`."""
    return _decode_whole(data, flags=_COLOUR_FLAGS[by])


def decode_as_stored(data: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The picture with all its channels and bits, not turned: (H, W), or (H, W, 3) BGR, or (H, W, 4) with opacity.
    Raises as `decode_grey`."""
    return _decode_whole(data, flags=cv2.IMREAD_UNCHANGED)


def as_decoded(header: Header, *, shape: tuple[int, int], by: int) -> Header:
    """The header, with width and height as the decoder shows them.

    Parameters
    ----------
    header : Header
    shape : (height, width)
        Of the decoded picture.
    by : int
        The reduction it was decoded with.

    Raises
    ------
    ImageRefused
        `damaged` if the decoder made another picture than the header announces.

    Notes
    -----
    Where Pillow and OpenCV read a broken EXIF block differently, the decoder's word stands: pixels come from it.
    """
    if shape == (-(-header.height // by), -(-header.width // by)):
        return header
    turned = replace(header, orientation=1 if header.orientation >= 5 else 6)
    if shape == (-(-turned.height // by), -(-turned.width // by)):
        return turned
    reason = f"the header says {header.width} x {header.height}, the decoder made {shape[1]} x {shape[0]} at 1/{by}"
    raise ImageRefusedError("damaged", reason, header=header)


def refusal(problem: Exception) -> ImageRefusedError:
    """What an exception from the inside of a decoder (or of OpenCV at large) means for the picture."""
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
    """The picture, and why it is damaged if something was said meanwhile, be it by the decoder or by somebody else."""
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
    """Whether an end marker follows the start of the pixels (the one of a thumbnail inside EXIF does not count)."""
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
    return True  # no segment where one should be: for the decoder to judge


def _refusal_without_image(messages: str) -> ImageRefusedError:
    if _NO_MEMORY.search(messages):
        return ImageRefusedError("unreadable", "the decoder ran out of memory")
    if "unknown exception" in messages:  # what OpenCV makes of std::bad_alloc in its TIFF decoder, among others
        return ImageRefusedError("unreadable", "the decoder failed inside, most often for want of memory")
    detail = next((plain for plain in map(_without_noise, messages.splitlines()) if plain), "")
    return ImageRefusedError("damaged", "the decoder returned nothing" + (f": {detail}" if detail else ""))


def _without_noise(line: str) -> str:
    """The words of a decoder's message without its time stamp, source line and function, at most 120 characters."""
    words = line.strip()
    while (shorter := _NOISE_BEFORE.sub("", words, count=1)) != words:
        words = shorter
    return re.sub(r"[^\x20-\x7e]", "?", _NOISE_AFTER.sub("", words)).rstrip(" :.")[:120]


@contextmanager
def _captured_stderr() -> Iterator[BinaryIO]:
    """A file that takes all that is written to file descriptor 2, for the libraries below Python that only speak there.

    Notes
    -----
    One at a time in a process. What another thread writes to descriptor 2 meanwhile (some milliseconds) is swallowed
    too. A new file each time (8 microseconds as a memfd), as one that is kept would be shared with a forked worker.
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
    """A nameless file on a descriptor above 2, so that it cannot be what it stands in for."""
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
