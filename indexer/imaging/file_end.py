"""Whether the end of a picture that was decoded may be missing all the same.

A program that reserves the space of a file before it writes leaves zeros where it did not write yet. The decoders of
JPEG, PNG and AVIF refuse such data. Those of BMP, WebP and TIFF do not: zeros are black pixels, or a valid code. (Cuts
at every 40th of pictures by OpenCV 5.0 and Pillow 13.0.) A whole picture may end in zeros, too: a BMP with a black edge
does, and so does a WebP of large even areas, with up to 2.7 kB of them. So the zeros show only what may be.
"""

import struct

from indexer.imaging.headers import Header

_ZEROS_BYTES = 64
"""Fewer zeros at the end are padding, or the last values of a directory."""
_RIFF_HEADER_BYTES = 8


def may_lack_its_end(data: bytes, *, header: Header) -> bool:
    """Whether the data of a picture end in zeros and its decoder would not notice that the rest is missing.

    What lies behind the length that a BMP or WebP says of itself does not count.
    """
    if header.format not in {"BMP", "TIFF", "WEBP"}:
        return False
    end = min(len(data), _stated_bytes(data, header=header) or len(data))
    return end >= _ZEROS_BYTES and not any(data[end - _ZEROS_BYTES : end])


def _stated_bytes(data: bytes, *, header: Header) -> int:
    """How many bytes a picture says that it has; 0 if it does not say."""
    if header.format == "WEBP":
        return _RIFF_HEADER_BYTES + int(struct.unpack_from("<I", data, 4)[0])
    return int(struct.unpack_from("<I", data, 2)[0]) if header.format == "BMP" else 0
