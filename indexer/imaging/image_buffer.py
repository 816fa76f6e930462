"""One camera's prepared images at hand: decoded once, on a shelf that all processes at work on the camera see.

It promises that a slot gives back the array that was put there, in any process of this machine, without copying,
until the slot is given back. It does not know what the arrays show or which image a slot belongs to.

Decision: a mapped file instead of arrays sent to workers. The operating system keeps hot pages and drops cold ones,
so that a camera of any size costs disk, not memory, and no array is ever pickled. Cost: a temporary file of the size
of the kept images (58 kB each at 320x180), removed with the shelf. A worker that decides a whole camera has its shelf
in memory.
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

import numpy as np
from numpy.typing import NDArray

from indexer.errors import EngineError
from indexer.imaging.thumbnails import decode

_STEP_BYTES = 1 << 24
_ROW_BYTES = 64
_HINTS = 2**16, 4  # boxes, and what a box takes (`indexer.imaging.kernel.search`)
_HINTS_BYTES = 2**16 * 4 * 4
_RESIDENT_BYTES = 3 << 29
"""A process with more resident memory lets go of the pages of its shelf; they come back when they are read."""


@dataclass(frozen=True)
class Slot:
    """Where an array lies: a shelf (its name, its file and what that is on the disk, its size in bytes), an offset in
    bytes, a shape.

    Rows begin `stride` bytes after each other, a multiple of 64; what is beyond the width is 0.
    """

    shelf: str
    file: str | None
    identity: tuple[int, int]
    room: int
    offset: int
    height: int
    width: int

    @property
    def stride(self) -> int:
        """Bytes from one row to the next."""
        return -(-self.width // _ROW_BYTES) * _ROW_BYTES


@dataclass(frozen=True)
class FillTask:
    """Thumbnails to be decoded into slots, in whichever process."""

    slots: tuple[Slot, ...]
    data: tuple[bytes, ...]


def room_for(shapes: Sequence[tuple[int, int]]) -> int:
    """Bytes of a shelf that holds an image of each of these (height, width) at once."""
    return sum(height * -(-width // _ROW_BYTES) * _ROW_BYTES for height, width in shapes)


class Shelf:
    """Room for so many bytes of grey images; a context manager that gives its space back.

    A shared one is a file without a name on the disk, so that no end of the process, however sudden, leaves it behind.
    Other processes reach it by its descriptor. Its space is taken before it is promised: a disk that fills up is found
    here, in one sentence, and not as a picture with a hole or a process killed over its map. One that is not shared is
    memory of this process alone.
    """

    _shelves = count()

    def __init__(self, room: int, *, shared: bool) -> None:
        self._file = tempfile.TemporaryFile(prefix="indexer-", buffering=0) if shared else None  # noqa: SIM115 - closed by __exit__
        self._place = None if self._file is None else f"/proc/{os.getpid()}/fd/{self._file.fileno()}"
        self._name = f"{os.getpid()}-{next(self._shelves)}"
        self._room = _HINTS_BYTES + room
        self._end = _HINTS_BYTES
        self._taken = 0
        self._free: dict[tuple[int, int], list[Slot]] = defaultdict(list)
        self._identity = (0, 0) if self._file is None else _identity(self._file.fileno())

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        _maps.pop(self._name, None)
        if self._file is not None:
            self._file.close()

    def reserve(self, height: int, width: int) -> Slot:
        """A slot for a (height, width) image, to be filled."""
        if self._free[height, width]:
            return self._free[height, width].pop()
        slot = Slot(self._name, self._place, self._identity, self._room, self._end, height, width)
        self._end += height * slot.stride
        self._take_space()
        return slot

    def put(self, image: NDArray[np.uint8]) -> Slot:
        """The slot of a new array, (H, W), uint8."""
        slot = self.reserve(*image.shape)
        _write(slot, image)
        return slot

    def give_back(self, slot: Slot) -> None:
        """Lets another image of the same shape have a slot."""
        self._free[slot.height, slot.width].append(slot)

    def _take_space(self) -> None:
        """Takes the space of what is promised so far, and with the first of it the room for the rest."""
        if self._file is None:
            if self._name not in _maps:
                _maps[self._name] = _Map.of(None, np.zeros(self._room, dtype=np.uint8))
            return
        if self._end <= self._taken:
            return
        grown = min(self._room, -(-self._end // _STEP_BYTES) * _STEP_BYTES)
        try:
            if not self._taken:
                self._file.truncate(self._room)
            os.posix_fallocate(self._file.fileno(), self._taken, grown - self._taken)
        except OSError as problem:
            raise EngineError(
                f"the folder for temporary files, {tempfile.gettempdir()}, cannot hold the prepared pictures "
                f"({problem.strerror}); free some space, or set TMPDIR to a folder with more"
            ) from problem
        self._taken = grown


def fill(task: FillTask) -> list[str | None]:
    """Decodes thumbnails into their slots; for each, what is wrong with it if it is spoiled."""
    return [_fill(slot, data) for slot, data in zip(task.slots, task.data, strict=True)]


def take(slot: Slot) -> NDArray[np.uint8]:
    """The array in a slot, (H, W), uint8, not copied, not to be changed."""
    end = slot.offset + slot.height * slot.stride
    return whole(slot)[slot.offset : end].reshape(slot.height, slot.stride)[:, : slot.width]


def whole(slot: Slot) -> NDArray[np.uint8]:
    """All that lies on the shelf of a slot, (N,), uint8, not copied, not to be changed."""
    return _of(slot).pixels


def hints(slot: Slot) -> NDArray[np.int32]:
    """What all processes have learned of where the images of a shelf differ, (N, 4), int32; to be changed."""
    return _of(slot).hints


def stay_small() -> None:
    """Lets go of the pages of mapped shelves if this process has grown large."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    if pages * resource.getpagesize() > _RESIDENT_BYTES:
        for mapped in list(_maps.values()):
            if mapped.memory is not None:
                mapped.memory.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class _Map:
    """A shelf as this process sees it."""

    memory: mmap.mmap | None
    pixels: NDArray[np.uint8]
    hints: NDArray[np.int32]

    @classmethod
    def of(cls, memory: mmap.mmap | None, pixels: NDArray[np.uint8]) -> "_Map":
        return cls(memory, pixels, pixels[:_HINTS_BYTES].view(np.int32).reshape(_HINTS))


_maps: dict[str, _Map] = {}
_mapping = threading.Lock()


def _of(slot: Slot) -> _Map:
    found = _maps.get(slot.shelf)
    return found if found is not None else _map(slot)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _map(slot: Slot) -> _Map:
    """Maps the shelf of a slot, unless it is gone: its descriptor may be another file's by then."""
    with _mapping:  # a worker of a cluster may have several threads
        for other in [other for other, mapped in _maps.items() if mapped.memory is not None]:
            del _maps[other]  # one at a time: a map would keep the space of a removed file
        found = _maps[slot.shelf] = _mapped(slot)
    return found


def _mapped(slot: Slot) -> _Map:
    assert slot.file is not None, "a shelf in the memory of another process"
    descriptor = os.open(slot.file, os.O_RDWR)
    try:
        if _identity(descriptor) != slot.identity:
            raise EngineError("the prepared pictures of a camera are gone; run compare again")
        memory = mmap.mmap(descriptor, slot.room)
    finally:
        os.close(descriptor)
    return _Map.of(memory, np.frombuffer(memory, dtype=np.uint8))


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
    take(slot)[:] = image
