"""The image buffer: one camera's prepared images, decoded once and shared by all processes that work on the camera.

It promises that a slot gives the array that was written to it, without copying, until the slot is freed. This holds in
every process of this machine; for a buffer that is not shared, only in this process. The module does not know what the
arrays show, nor which image a slot belongs to.

Decision 0014: a memory-mapped file instead of arrays sent to workers.
"""

import mmap
import os
import resource
import tempfile
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.errors import EngineError
from indexer.imaging.thumbnails import decode

Width = TypeVar("Width", int, NDArray[np.int64])

_GROWTH_BYTES = 1 << 24
_ROW_ALIGNMENT_BYTES = 64
_HINTS_SHAPE = 2**16, 4  # number of boxes, and numbers per box (`indexer.imaging.kernel.search`)
_HINTS_BYTES = 2**16 * 4 * 4
_resident_bytes = 3 << 28
"""A process with more resident memory than this releases the pages of its buffers; a read brings them back."""


@dataclass(frozen=True)
class Slot:
    """The position of an array in a buffer.

    Rows begin `stride` bytes after each other, a multiple of 64. The bytes beyond the width are 0.

    Attributes
    ----------
    buffer : str
        Name of the buffer.
    path : str or None
        Path of the buffer's file; None if the buffer is not shared.
    identity : (device, inode)
        Of that file, so that another file under the same path is recognized.
    capacity_bytes : int
        Size of the whole buffer.
    offset : int
        Of the array in the buffer, in bytes.
    height, width : int
        Shape of the array.
    """

    buffer: str
    path: str | None
    identity: tuple[int, int]
    capacity_bytes: int
    offset: int
    height: int
    width: int

    @property
    def stride(self) -> int:
        """Bytes from one row to the next."""
        return row_bytes(self.width)


@dataclass(frozen=True)
class FillTask:
    """Thumbnails to decode into slots, in any process that can reach the buffer."""

    slots: tuple[Slot, ...]
    data: tuple[bytes, ...]


def required_bytes(shapes: Sequence[tuple[int, int]]) -> int:
    """Bytes that a buffer needs to hold one image of each of these (height, width) at the same time."""
    return sum(height * row_bytes(width) for height, width in shapes)


def row_bytes(width: Width) -> Width:
    """Bytes from one row of an image to the next: the width, or each width of an array, up to a multiple of 64."""
    return -(-width // _ROW_ALIGNMENT_BYTES) * _ROW_ALIGNMENT_BYTES


class ImageBuffer:
    """A buffer of `capacity_bytes` for grey images; a context manager that releases its space.

    A shared buffer is an unnamed file on the disk, so that no crash leaves it behind. Other processes open it through
    its descriptor in /proc. The disk space of a slot is allocated before the slot is returned. So a full disk is one
    clear error here, and not an image with a hole, or a process that is killed when it writes to its mapping. A buffer
    that is not shared is memory of this process alone.
    """

    _serial_numbers = count()

    def __init__(self, capacity_bytes: int, *, shared: bool) -> None:
        # Closed by __exit__.
        self._file = tempfile.TemporaryFile(prefix="indexer-", buffering=0) if shared else None  # noqa: SIM115
        self._path = None if self._file is None else f"/proc/{os.getpid()}/fd/{self._file.fileno()}"
        self._name = f"{os.getpid()}-{next(self._serial_numbers)}"
        self._capacity_bytes = _HINTS_BYTES + capacity_bytes
        self._end_offset = _HINTS_BYTES
        self._allocated_bytes = 0
        self._free: dict[tuple[int, int], list[Slot]] = defaultdict(list)
        self._identity = (0, 0) if self._file is None else _identity(self._file.fileno())

    def __enter__(self) -> "ImageBuffer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        _mapped_buffers.pop(self._name, None)
        if self._file is not None:
            self._file.close()

    @property
    def remaining_bytes(self) -> int:
        """How many bytes were never reserved."""
        return self._capacity_bytes - self._end_offset

    def reserve(self, height: int, width: int) -> Slot:
        """A slot for a (height, width) image, not yet written.

        Raises
        ------
        EngineError
            If the disk of a shared buffer is full.
        """
        if self._free[height, width]:
            return self._free[height, width].pop()
        slot = Slot(self._name, self._path, self._identity, self._capacity_bytes, self._end_offset, height, width)
        self._end_offset += height * slot.stride
        self._allocate()
        return slot

    def put(self, image: NDArray[np.uint8]) -> Slot:
        """Writes an array, (H, W), uint8, to a slot and returns the slot. Raises `EngineError` as `reserve`."""
        slot = self.reserve(*image.shape)
        _write(slot, image)
        return slot

    def free(self, slot: Slot) -> None:
        """Makes a slot available for another image of the same shape."""
        self._free[slot.height, slot.width].append(slot)

    def _allocate(self) -> None:
        """Allocates the space of all reserved slots; the first call also sets the size of the whole buffer."""
        if self._file is None:
            if self._name not in _mapped_buffers:
                _mapped_buffers[self._name] = _MappedBuffer.of(None, np.zeros(self._capacity_bytes, dtype=np.uint8))
            return
        if self._end_offset <= self._allocated_bytes:
            return
        new_bytes = min(self._capacity_bytes, -(-self._end_offset // _GROWTH_BYTES) * _GROWTH_BYTES)
        try:
            if not self._allocated_bytes:
                self._file.truncate(self._capacity_bytes)
            os.posix_fallocate(self._file.fileno(), self._allocated_bytes, new_bytes - self._allocated_bytes)
        except OSError as problem:
            raise EngineError(
                f"the folder for temporary files, {tempfile.gettempdir()}, cannot hold the prepared pictures "
                f"({problem.strerror}); free some space, or set TMPDIR to a folder with more"
            ) from problem
        self._allocated_bytes = new_bytes


def fill(task: FillTask) -> list[str | None]:
    """Decodes thumbnails into their slots. Returns for each thumbnail None, or why it is corrupt.

    Raises `EngineError` and `OSError` as `view`.
    """
    problems = [_fill(slot, data) for slot, data in zip(task.slots, task.data, strict=True)]
    release_pages()
    return problems


def view(slot: Slot) -> NDArray[np.uint8]:
    """The array in a slot: (H, W), uint8, not copied. Callers must not change it.

    Raises
    ------
    EngineError, OSError
        If the buffer belongs to another process and is gone.
    """
    end = slot.offset + slot.height * slot.stride
    return buffer_view(slot)[slot.offset : end].reshape(slot.height, slot.stride)[:, : slot.width]


def buffer_view(slot: Slot) -> NDArray[np.uint8]:
    """The whole buffer of a slot: (N,), uint8, not copied. Callers must not change it.

    Raises `EngineError` and `OSError` as `view`.
    """
    return _mapped_buffer(slot).pixels


def search_hints(slot: Slot) -> NDArray[np.int32]:
    """The search hints in a slot's buffer: (N, 4), int32. All processes share them, and the search changes them.

    Raises `EngineError` and `OSError` as `view`.
    """
    return _mapped_buffer(slot).hints


def keep_resident_below(limit_bytes: int) -> None:
    """Lets this process release the pages of its buffers from less resident memory on, at the price of reading them
    again."""
    global _resident_bytes
    _resident_bytes = limit_bytes


def release_pages(*, above_bytes: int | None = None) -> None:
    """Releases the pages of mapped buffers if this process has more resident memory than `above_bytes`, by default what
    it may keep."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    if pages * resource.getpagesize() > (_resident_bytes if above_bytes is None else above_bytes):
        for mapped in list(_mapped_buffers.values()):
            if mapped.memory is not None:
                mapped.memory.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class _MappedBuffer:
    """A buffer in the address space of this process."""

    memory: mmap.mmap | None
    pixels: NDArray[np.uint8]
    hints: NDArray[np.int32]

    @classmethod
    def of(cls, memory: mmap.mmap | None, pixels: NDArray[np.uint8]) -> "_MappedBuffer":
        return cls(memory, pixels, pixels[:_HINTS_BYTES].view(np.int32).reshape(_HINTS_SHAPE))


_mapped_buffers: dict[str, _MappedBuffer] = {}
_mapping_lock = threading.Lock()


def _mapped_buffer(slot: Slot) -> _MappedBuffer:
    mapped = _mapped_buffers.get(slot.buffer)
    return mapped if mapped is not None else _map_buffer(slot)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _map_buffer(slot: Slot) -> _MappedBuffer:
    """Maps the buffer of a slot, and drops the mapping of any other buffer."""
    with _mapping_lock:  # a cluster worker may have several threads
        for other in [other for other, mapped in _mapped_buffers.items() if mapped.memory is not None]:
            del _mapped_buffers[other]  # a mapping would keep the disk space of a removed buffer
        buffer = _mapped_buffers[slot.buffer] = _open_mapping(slot)
    return buffer


def _open_mapping(slot: Slot) -> _MappedBuffer:
    assert slot.path is not None, "a buffer in the memory of another process"
    descriptor = os.open(slot.path, os.O_RDWR)
    try:
        if _identity(descriptor) != slot.identity:  # the number of a closed descriptor is used again
            raise EngineError("the prepared pictures of a camera are gone; run compare again")
        memory = mmap.mmap(descriptor, slot.capacity_bytes)
    finally:
        os.close(descriptor)
    return _MappedBuffer.of(memory, np.frombuffer(memory, dtype=np.uint8))


def _fill(slot: Slot, data: bytes) -> str | None:
    try:
        image = decode(data)
    except ValueError as problem:
        return str(problem)
    if image.shape != (slot.height, slot.width):
        return f"it is {image.shape} and not {slot.height, slot.width} as the index says"
    _write(slot, image)
    return None


def _write(slot: Slot, image: NDArray[np.uint8]) -> None:
    view(slot)[:] = image
