"""The format of a picture, found without opening it in Pillow: formats that are not read, by their first bytes.

Also the tags of each page of a TIFF. It does not know sizes, limits or EXIF (`indexer.imaging.headers`), and decodes
nothing.
"""

import io
import re
from collections.abc import Iterator
from functools import cache

import cv2
from PIL import TiffImagePlugin, features

_JPEG_XL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
_JPEG_2000 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_GIF = (b"GIF87a", b"GIF89a")
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_MAX_BRANDS_BYTES = 256
_MAX_DIRECTORIES = 64

REDUCED_PAGE = 1
"""Bit in the kind of a TIFF page (tag 254, NewSubfileType): the page is a smaller copy of another page."""
PAGE_KIND, BITS_PER_SAMPLE, SAMPLE_FORMAT = 254, 258, 339


def is_avif(data: bytes) -> bool:
    """Whether a file is an AVIF picture or sequence."""
    return bool(_brands(data) & _AVIF_BRANDS)


@cache
def reads_avif() -> bool:
    """Whether AVIF can be read: OpenCV and Pillow may each be built without it."""
    built = re.search(r"^\s*AVIF:\s*(\S+)", cv2.getBuildInformation(), re.MULTILINE)
    return built is not None and built[1] != "NO" and bool(features.check("avif"))


def find_unread_kind(data: bytes) -> str | None:
    """The name of a known format that is not read, with its article ("a GIF"); None for all other bytes."""
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return None if reads_avif() else "an AVIF"
    if brands & _HEIF_BRANDS:
        return "a HEIC"
    kinds = ((_JPEG_XL, "a JPEG XL"), (_JPEG_2000, "a JPEG 2000"), (_GIF, "a GIF"))
    return next((name for starts, name in kinds if data.startswith(starts)), None)


def tiff_directories(data: bytes) -> Iterator[TiffImagePlugin.ImageFileDirectory_v2]:
    """The tags of each page of a TIFF, in order, up to the first page that cannot be read; nothing for other formats.

    Notes
    -----
    Pillow parses the tags. Its number of pages is not used, because Pillow prepares each page to count it, and fails at
    a page of an unknown kind.
    """
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return
    file, visited = io.BytesIO(data), set[int]()
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(data[:16] if b"+" in data[:4] else data[:8])
        while 0 < directory.next < len(data) and directory.next not in visited and len(visited) < _MAX_DIRECTORIES:
            visited.add(directory.next)
            file.seek(directory.next)
            directory.load(file)
            yield directory
    except Exception:  # a parser of hostile bytes may raise anything; a decoder shows the first page
        return


def _brands(data: bytes) -> set[bytes]:
    """The brands of a file of the ISO base media format (ISO/IEC 14496-12); empty for any other."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[: min(int.from_bytes(data[:4]), _MAX_BRANDS_BYTES)]
    return {box[8:12]} | {box[at : at + 4] for at in range(16, len(box) - 3, 4)}
