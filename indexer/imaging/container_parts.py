"""Whether a video file is whole, as far as the parts of its container say: each says how long it is, or all are of one
length, so a part that should go on beyond the end of the file was cut off.

It promises to read a few bytes of each part, to decode nothing, and never to call a whole file cut off. A file that was
cut between two parts looks whole, unless it has a rest of zeros: a program that reserves the space of a file before it
writes leaves them.
"""

from collections.abc import Iterator
from typing import BinaryIO

_BOXES = {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"styp", b"uuid", b"mfra", b"emsg"}
_MOST_PARTS = 100_000  # a fragment of an MP4 has two, and may last a second
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675  # of Matroska
_LONGEST_ELEMENT_HEADER_BYTES = 12
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet of MPEG-TS, and those before its first one, `_SYNC`
_SYNC = 0x47
_SYNCS = 5  # so many in a row are no chance
_PACK = b"\0\0\1\xba"  # the start of an MPEG program stream
_FLV = b"FLV"
_UNWRITTEN_BYTES = 4096  # so many zeros at the end are no filling


class BoundedFile:
    """A file object that ends where the file ended when it was opened, as another program may still write to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int) -> bytes:
        """At most `size` bytes from here."""
        return self._file.read(max(0, min(size, self.size_bytes - self._file.tell())))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to an offset from the start, from here or from the end."""
        return self._file.seek(self.size_bytes + offset if whence == 2 else offset, 0 if whence == 2 else whence)

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._file.tell()

    def read_at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from an offset."""
        self.seek(offset)
        return self.read(size)


def is_cut(source: BoundedFile) -> bool:
    """Whether the parts of a container say that there should be more bytes. Raises `OSError` if it cannot be read."""
    start = source.read_at(0, 4)
    if start == b"RIFF":
        return any(end > source.size_bytes + 1 for end in _iter_riff_ends(source))
    if int.from_bytes(start) == _EBML:
        return any(end > source.size_bytes for end in _iter_element_ends(source))
    boxes = list(iter_boxes(source))
    if any(end > source.size_bytes for _, end in boxes) or _ends_in_a_packet(source):
        return True
    is_stream = _find_first_packet(source) is not None or start == _PACK or start[:3] == _FLV
    is_open = is_stream or (any(kind == b"moof" for kind, _ in boxes) and boxes[-1][1] < source.size_bytes)
    return is_open and _ends_in_zeros(source)


def iter_boxes(source: BoundedFile) -> Iterator[tuple[bytes, int]]:
    """The kind of each outer part of an MP4, and the offset at which it should end; none for other containers."""
    at = 0
    for _ in range(_MOST_PARTS):
        start = source.read_at(at, 16)
        if start[4:8] not in _BOXES:
            return
        size = int.from_bytes(start[:4])
        size = int.from_bytes(start[8:16]) if size == 1 else size
        at = at + max(size, 8) if size else source.size_bytes  # 0: up to the end of the file
        yield start[4:8], at
        if at >= source.size_bytes:
            return


def _iter_riff_ends(source: BoundedFile) -> Iterator[int]:
    """Where the parts of an AVI should end; a long one has several."""
    at = 0
    for _ in range(_MOST_PARTS):
        start = source.read_at(at, 8)
        if start[:4] != b"RIFF":
            return
        size = int.from_bytes(start[4:], "little")
        yield at + 8 + size
        at += 8 + size + size % 2


def _iter_element_ends(source: BoundedFile) -> Iterator[int]:
    """Where the outer elements of a Matroska file should end, and inside clusters of unknown length the blocks."""
    at, is_open = 0, False
    for _ in range(_MOST_PARTS):
        header = source.read_at(at, _LONGEST_ELEMENT_HEADER_BYTES)
        if not header:
            return
        kind, kind_bytes = _read_number(header)
        size, size_bytes = _read_number(header[kind_bytes:]) if kind_bytes else (0, 0)
        if not kind_bytes or not size_bytes:  # noise, or a header that is cut off itself
            is_short = len(header) < _LONGEST_ELEMENT_HEADER_BYTES and header[0] != 0
            is_unwritten = is_open and header[0] == 0 and _ends_in_zeros(source)
            yield from [source.size_bytes + 1] if is_short or is_unwritten else []
            return
        at += kind_bytes + size_bytes
        marker = 1 << 7 * size_bytes
        if size == 2 * marker - 1:  # of unknown length: what lies in it comes next
            if kind not in {_SEGMENT, _CLUSTER}:
                return
            is_open = True
            continue
        at += size - marker
        yield at


def _read_number(data: bytes) -> tuple[int, int]:
    """The number at the begin of these bytes as Matroska writes it, with the bit that marks its length, and that
    length in bytes; 0 and 0 if it is none, or not there whole."""
    length = 9 - data[0].bit_length() if data else 9
    return (int.from_bytes(data[:length]), length) if length <= min(8, len(data)) else (0, 0)


def _ends_in_a_packet(source: BoundedFile) -> bool:
    """Whether an MPEG-TS ends inside a packet; False for other containers."""
    packets = _find_first_packet(source)
    if packets is None:
        return False
    packet_bytes, before_sync, first = packets
    rest = (source.size_bytes - first + before_sync) % packet_bytes
    sync = source.read_at(source.size_bytes - rest + before_sync, 1)
    return rest > 0 and sync in {b"", bytes([_SYNC])}  # something else was appended: nobody knows


def _find_first_packet(source: BoundedFile) -> tuple[int, int, int] | None:
    """Of an MPEG-TS the bytes of a packet, those before its `_SYNC`, and where the first `_SYNC` is; else None."""
    for packet_bytes, before_sync in _TS_PACKETS:
        start = source.read_at(0, packet_bytes * _SYNCS)
        for first in range(packet_bytes):
            if start[first::packet_bytes] == bytes([_SYNC]) * _SYNCS:
                return packet_bytes, before_sync, first
    return None


def _ends_in_zeros(source: BoundedFile) -> bool:
    """Whether the end of a file was never written; no part of a stream holds so many zeros."""
    end = source.read_at(max(0, source.size_bytes - _UNWRITTEN_BYTES), _UNWRITTEN_BYTES)
    return len(end) == _UNWRITTEN_BYTES and not any(end)
