"""What a file says of itself before a pixel is decoded: format, size, orientation, EXIF time.

Everything is read by Pillow, which never touches the pixels here; sizes are held against the limits before anything is
allocated. It does not know paths, nor what an EXIF time means: the strings go on as the camera wrote them.

The width and height are those of the picture as OpenCV shows it. On 4.14 and 5.0 OpenCV applies the EXIF orientations
1 to 8 in JPEG, MPO, PNG, WebP and TIFF alike, and takes any other value for 1; it does not look into XMP.
"""

import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from PIL import Image, TiffImagePlugin

# The limits below stand in the place of Pillow's own, which would refuse (or warn of) fewer pixels than ours.
Image.MAX_IMAGE_PIXELS = None
# Where nobody set logging up, Python would write Pillow's complaints of broken files to the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())

State = Literal["unreadable", "damaged", "too_small"]
"""Why a picture cannot be used: see the table of bad input in the README."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")  # MPO comes out of JPEG; Pillow raises KeyError if it is asked for
_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ORIENTATION, _DATE_TIME, _EXIF_IFD = 274, 306, 34665
_TIME_TAGS = ((36867, 37521, 36881), (_DATE_TIME, 37520, 36880))
"""(time, sub-seconds, offset) of the exposure, then of the last change of the file."""


@dataclass(frozen=True)
class Limits:
    """What a picture may measure, at most and at least."""

    max_pixels: int = 250_000_000
    max_bytes: int = 512 * 2**20
    min_side_px: int = 64


@dataclass(frozen=True)
class Header:
    """What the file says of the picture.

    Attributes
    ----------
    format : str
        Pillow's name: JPEG, MPO, PNG, BMP, TIFF or WEBP.
    stored_width, stored_height : int
        Pixels as stored, before the EXIF rotation.
    orientation : int, 1 to 8
        EXIF orientation; 1 where it is missing or makes no sense.
    exif_time : str or None
        'YYYY:MM:DD HH:MM:SS' or with '.fff', in the camera's own clock.
    exif_offset : str or None
        '+02:00': that clock's distance from UTC.
    """

    format: str
    stored_width: int
    stored_height: int
    orientation: int
    exif_time: str | None
    exif_offset: str | None

    @property
    def width(self) -> int:
        """Width as shown, after the EXIF rotation, in pixels."""
        return self.stored_width if self.orientation < 5 else self.stored_height

    @property
    def height(self) -> int:
        """Height as shown, after the EXIF rotation, in pixels."""
        return self.stored_height if self.orientation < 5 else self.stored_width


class ImageRefused(Exception):
    """A picture that cannot be used: a counted outcome, so it stays inside `pixels` (see `describing`).

    Attributes
    ----------
    state : 'unreadable', 'damaged' or 'too_small'
    reason : str
        One short sentence without a full stop.
    header : Header or None
        What could be read all the same.
    """

    def __init__(self, state: State, reason: str, *, header: Header | None = None) -> None:
        super().__init__(state, reason)  # both in args, so that it survives the way back from a worker process
        self.state: State = state
        self.reason = reason
        self.header = header

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


def read_header(data: bytes, *, limits: Limits) -> Header:
    """The header of an image file's bytes, held against the limits.

    Raises
    ------
    ImageRefused
        `unreadable` without a valid header or over a limit, `too_small` with a side below `limits.min_side_px`.
    """
    if len(data) > limits.max_bytes:
        raise ImageRefused("unreadable", f"{len(data)} bytes are more than the limit of {limits.max_bytes}")
    header = _parsed(data)
    pixels = header.stored_width * header.stored_height
    size = f"{header.width} x {header.height}"
    if pixels > limits.max_pixels:
        reason = f"{size} pixels are more than the limit of {limits.max_pixels}"
        raise ImageRefused("unreadable", reason, header=header)
    if min(header.stored_width, header.stored_height) < limits.min_side_px:
        reason = f"{size} pixels: a side is below {limits.min_side_px}"
        raise ImageRefused("too_small", reason, header=header)
    return header


def _parsed(data: bytes) -> Header:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
        except MemoryError as problem:
            raise ImageRefused("unreadable", "the header asks for more memory than there is") from problem
        except (
            Exception
        ) as problem:  # Pillow lets nearly every kind through: OSError, SyntaxError, ValueError, struct.error
            header = _png_header(data)
            if header is None:
                reason = "no valid image header" if data else "the file is empty"
                raise ImageRefused("unreadable", reason) from problem
            return header
        with image:
            orientation, exif_time, exif_offset = _exif_facts(image)
            width, height = _stored_size(image)
            return Header(image.format or "", width, height, orientation, exif_time, exif_offset)


def _png_header(data: bytes) -> Header | None:
    """A PNG's header chunk alone: Pillow gives a file up for a broken colour profile or text, OpenCV does not."""
    if not data.startswith(_PNG_START) or len(data) < 33 or zlib.crc32(data[12:29]) != int.from_bytes(data[29:33]):
        return None
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if min(width, height) < 1 or depth not in _PNG_DEPTHS.get(colour, ()):
        return None
    return Header("PNG", width, height, 1, None, None)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    # Pillow turns the size of a TIFF (and of no other format) by its orientation already.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(image.tag_v2[256]), int(image.tag_v2[257])
    return image.size


def _exif_facts(image: Image.Image) -> tuple[int, str | None, str | None]:
    """Orientation, time and offset; broken EXIF costs these alone, never the image."""
    orientation = 1
    try:
        exif = _exif(image)
        if exif is None:
            return orientation, None, None
        found = exif.get(_ORIENTATION)
        orientation = found if isinstance(found, int) and 1 <= found <= 8 else 1
        return orientation, *_exif_time(exif, exif.get_ifd(_EXIF_IFD))
    except Exception:  # as above: whatever a parser of hostile bytes may raise
        return orientation, None, None


def _exif(image: Image.Image) -> Image.Exif | None:
    # Not image.getexif(): it also takes an orientation from XMP or PNG text. OpenCV does not, and pixels follow OpenCV.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.getexif()
    block = image.info.get("exif")
    if not block:  # most cameras write none, and to look for a time in an empty one takes longer than the header
        return None
    exif = Image.Exif()
    exif.load(block)
    return exif


def _exif_time(exif: Mapping[int, object], details: Mapping[int, object]) -> tuple[str | None, str | None]:
    for time_tag, subsecond_tag, offset_tag in _TIME_TAGS:
        holder = exif if time_tag == _DATE_TIME else details
        time = _matching(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", holder.get(time_tag))
        if time:
            subseconds = _matching(r"\d{1,9}", details.get(subsecond_tag))
            return f"{time}.{subseconds}" if subseconds else time, _matching(r"[+-]\d\d:\d\d", details.get(offset_tag))
    return None, None


def _matching(pattern: str, value: object) -> str | None:
    """The value as clean ASCII if it has the form, else None."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return None
    text = text.replace("\0", "").strip()
    return text if re.fullmatch(pattern, text, re.ASCII) else None
