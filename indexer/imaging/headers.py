"""The header of an image file, read before a pixel is decoded: format, size, bit depth, orientation, EXIF time.

Pillow reads the header and never decodes pixels here. Sizes are compared with the limits before anything is allocated.
The module does not know paths, nor what an EXIF time means: the strings are passed on as the camera wrote them.

A file is refused if a decoder would show only a part of it (it has a second page or frame), or if its values cannot
become grey levels. An MPO is a JPEG followed by further JPEGs; its first picture is the main one and is used.

The width and height are those of the picture as OpenCV shows it. OpenCV 4.14 and 5.0 apply the EXIF orientations 1 to
8 in JPEG, MPO, PNG, WebP and TIFF alike, and treat any other value as 1. They do not read XMP.
"""

import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from PIL import Image, TiffImagePlugin

from indexer.domain.descriptions import Limits, RefusalState
from indexer.domain.plurals import counted
from indexer.imaging.formats import (
    BITS_PER_SAMPLE,
    PAGE_KIND,
    REDUCED_PAGE,
    SAMPLE_FORMAT,
    find_unread_kind,
    is_avif,
    tiff_directories,
)

# `Limits` replaces Pillow's own limit, which would refuse (or warn of) fewer pixels.
Image.MAX_IMAGE_PIXELS = None
# Without configured logging, Python would write Pillow's messages about broken files to the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")  # Pillow opens an MPO as JPEG; it raises KeyError if MPO is requested
_FORMATS_WITH_FRAMES = ("PNG", "WEBP", "AVIF")
_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_PALETTE, _PNG_WITH_OPACITY = 3, (4, 6)
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ORIENTATION, _DATE_TIME, _EXIF_IFD = 274, 306, 34665
_TIME_TAGS = ((36867, 37521, 36881), (36868, 37522, 36882), (_DATE_TIME, 37520, 36880))
"""Tags of (time, sub-seconds, offset): of the exposure, then of digitizing, then of the last change of the file."""
_TIME_PATTERN = r"\d[\d :/.,+APMTZapmtz-]{9,39}"
_CLOCK_TIME = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}(?![\d:])", re.ASCII)
_MODES_WITH_OPACITY = ("LA", "La", "PA", "RGBA", "RGBa")
_TIFF_BIT_DEPTHS = (1, 2, 4, 8, 16)
_UNSIGNED, _UNDEFINED = 1, 4  # of the TIFF tag SampleFormat
_SAMPLE_FORMAT_NAMES = {2: "with a sign", 3: "of floating point"}


@dataclass(frozen=True)
class Header:
    """The facts in the header of a picture.

    Attributes
    ----------
    format : str
        Pillow's name: JPEG, MPO, PNG, BMP, TIFF, WEBP or AVIF.
    stored_width, stored_height : int
        Pixels as stored, before the EXIF rotation.
    orientation : int, 1 to 8
        EXIF orientation; 1 if it is missing or invalid.
    exif_time : str or None
        As the camera wrote it, by its own clock: 'YYYY:MM:DD HH:MM:SS' or another form. Sub-seconds from a tag of their
        own follow the seconds as '.fff'.
    exif_offset : str or None
        Offset of that clock from UTC, such as '+02:00'.
    bits : int
        Bits of a stored value; 8 also if it has fewer.
    opacity : bool
        Whether the picture has an alpha channel or another form of transparency.
    """

    format: str
    stored_width: int
    stored_height: int
    orientation: int
    exif_time: str | None
    exif_offset: str | None
    bits: int = 8
    opacity: bool = False

    @property
    def width(self) -> int:
        """Width as shown, after the EXIF rotation, in pixels."""
        return self.stored_width if self.orientation < 5 else self.stored_height

    @property
    def height(self) -> int:
        """Height as shown, after the EXIF rotation, in pixels."""
        return self.stored_height if self.orientation < 5 else self.stored_width


class ImageRefusedError(Exception):
    """A picture that cannot be used. It is a counted outcome: `file_description` turns it into a state and a reason.

    Attributes
    ----------
    state : 'unreadable', 'damaged' or 'too_small'
    reason : str
        One short sentence without a full stop.
    header : Header or None
        The header, if it could be read.
    """

    def __init__(self, state: RefusalState, reason: str, *, header: Header | None = None) -> None:
        super().__init__(state, reason)  # both in args, so that a worker process can pickle it
        self.state: RefusalState = state
        self.reason = reason
        self.header = header

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


def read_header(data: bytes, *, limits: Limits) -> Header:
    """The header of an image file's bytes, within the limits.

    Raises
    ------
    ImageRefusedError
        `unreadable` if there is no valid header, a limit is exceeded, or pictures of this kind are not read.
        `too_small` if a side is below `limits.min_side_px`.
    """
    if len(data) > limits.max_bytes:
        raise ImageRefusedError("unreadable", f"{len(data)} bytes are more than the limit of {limits.max_bytes}")
    header = _parse(data)
    pixels = header.stored_width * header.stored_height
    size = f"{header.width} x {header.height}"
    if pixels > limits.max_pixels:
        reason = f"{size} pixels are more than the limit of {limits.max_pixels}"
        raise ImageRefusedError("unreadable", reason, header=header)
    if min(header.stored_width, header.stored_height) < limits.min_side_px:
        reason = f"{size} pixels: a side is below {limits.min_side_px}"
        raise ImageRefusedError("too_small", reason, header=header)
    return header


def _parse(data: bytes) -> Header:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _require_readable_kind(data)
        try:
            image = Image.open(io.BytesIO(data), formats=("AVIF",) if is_avif(data) else _FORMATS)
        except MemoryError as problem:
            raise ImageRefusedError("unreadable", "the header asks for more memory than there is") from problem
        except Exception as problem:  # Pillow raises nearly every kind: OSError, SyntaxError, ValueError, struct.error
            header = _png_header(data)
            if header is None:
                reason = "no valid image header" if data else "the file is empty"
                raise ImageRefusedError("unreadable", reason) from problem
            return header
        with image:
            header = _header(image, data)
            frames = getattr(image, "n_frames", 1) if header.format in _FORMATS_WITH_FRAMES else 1
            if frames > 1:
                raise _multi_image_refusal(header, counted(frames, "frame"))
            return header


def _header(image: Image.Image, data: bytes) -> Header:
    orientation, exif_time, exif_offset = _exif_facts(image)
    width, height = _stored_size(image)
    opacity = image.mode in _MODES_WITH_OPACITY or (image.mode == "P" and "transparency" in image.info)
    bits = max(8, _tiff_bit_depth(image), data[24] if data.startswith(_PNG_START) else 0)
    return Header(image.format or "", width, height, orientation, exif_time, exif_offset, bits, opacity)


def _require_readable_kind(data: bytes) -> None:
    """Refuses a known format that is not read, and a TIFF with several pages or with values that are not read."""
    kind = find_unread_kind(data)
    if kind is not None:
        raise ImageRefusedError("unreadable", f"{kind} picture, which is not read")
    for number, tags in enumerate(tiff_directories(data)):
        if number and not _largest_tag_value(tags, PAGE_KIND, 0) & REDUCED_PAGE:
            raise _multi_image_refusal(None, "several pages")
        if number:
            continue
        samples, bits = _largest_tag_value(tags, SAMPLE_FORMAT, _UNSIGNED), _largest_tag_value(tags, BITS_PER_SAMPLE, 1)
        if samples not in (_UNSIGNED, _UNDEFINED) or bits not in _TIFF_BIT_DEPTHS:
            how = _SAMPLE_FORMAT_NAMES.get(samples, "without a sign" if samples == _UNSIGNED else "of an unknown kind")
            reason = f"values of {bits} bits {how}: only those of 8 or 16 bits without a sign are read"
            raise ImageRefusedError("unreadable", reason)


def _multi_image_refusal(header: Header | None, pages: str) -> ImageRefusedError:
    return ImageRefusedError(
        "unreadable", f"{pages}: only the first would be looked at; save each alone", header=header
    )


def _tiff_bit_depth(image: Image.Image) -> int:
    return (
        _largest_tag_value(image.tag_v2, BITS_PER_SAMPLE, 1) if isinstance(image, TiffImagePlugin.TiffImageFile) else 0
    )


def _largest_tag_value(tags: Mapping[int, object], tag: int, default: int) -> int:
    """The largest integer of a tag, or `default` if it has none."""
    value = tags.get(tag, default)
    numbers = [number for number in (value if isinstance(value, tuple) else (value,)) if isinstance(number, int)]
    return max(numbers, default=default)


def _png_header(data: bytes) -> Header | None:
    """The header of a PNG from its IHDR chunk alone. Pillow fails at a broken colour profile or text; OpenCV does not.

    None if there is no valid IHDR chunk. Raises ImageRefusedError if the PNG has several frames.
    """
    if not data.startswith(_PNG_START) or len(data) < 33 or zlib.crc32(data[12:29]) != int.from_bytes(data[29:33]):
        return None
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if min(width, height) < 1 or depth not in _PNG_DEPTHS.get(colour, ()):
        return None
    header = Header("PNG", width, height, 1, None, None, max(8, depth), colour in _PNG_WITH_OPACITY)
    before_pixels = data[: max(0, data.find(b"IDAT"))]
    if b"acTL" in before_pixels:
        raise _multi_image_refusal(header, "several frames")
    return replace(header, opacity=True) if colour == _PNG_PALETTE and b"tRNS" in before_pixels else header


def _stored_size(image: Image.Image) -> tuple[int, int]:
    # Only for a TIFF, Pillow's size already has the orientation applied.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(image.tag_v2[256]), int(image.tag_v2[257])
    return image.size


def _exif_facts(image: Image.Image) -> tuple[int, str | None, str | None]:
    """The orientation, the time and its offset. If EXIF is broken, only these are lost, never the image."""
    orientation = 1
    try:
        exif = _exif(image)
        if exif is None:
            return orientation, None, None
        value = exif.get(_ORIENTATION)
        orientation = value if isinstance(value, int) and 1 <= value <= 8 else 1
        return orientation, *_exif_time(exif, exif.get_ifd(_EXIF_IFD))
    except Exception:  # as in `_parse`: a parser of hostile bytes may raise anything
        return orientation, None, None


def _exif(image: Image.Image) -> Image.Exif | None:
    # Not image.getexif(): it also uses an orientation in XMP or PNG text. OpenCV does not, and it decodes the pixels.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.getexif()
    block = image.info.get("exif")
    if not block:  # most cameras write none, and searching an empty one takes longer than reading the header
        return None
    exif = Image.Exif()
    exif.load(block)
    return exif


def _exif_time(exif: Mapping[int, object], details: Mapping[int, object]) -> tuple[str | None, str | None]:
    for time_tag, subsecond_tag, offset_tag in _TIME_TAGS:
        tags = exif if time_tag == _DATE_TIME else details
        time = _ascii_match(_TIME_PATTERN, tags.get(time_tag))  # the form is parsed by the reader of `exif_time`
        if time and re.search("[1-9]", time):
            subseconds = _ascii_match(r"\d{1,9}", details.get(subsecond_tag))
            offset = _ascii_match(r"[+-]\d\d:\d\d", details.get(offset_tag))
            return _with_subseconds(time, subseconds) if subseconds else time, offset
    return None, None


def _with_subseconds(time: str, subseconds: str) -> str:
    """The time with the sub-seconds as a fraction of its seconds, unless it has a fraction already."""
    last = next(reversed(list(_CLOCK_TIME.finditer(time))), None)
    if last is None or time[last.end() :].startswith((".", ",")):
        return time
    return f"{time[: last.end()]}.{subseconds}{time[last.end() :]}"


def _ascii_match(pattern: str, value: object) -> str | None:
    """The value as stripped ASCII if it matches the pattern, else None."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return None
    text = text.replace("\0", "").strip()
    return text if re.fullmatch(pattern, text, re.ASCII) else None
