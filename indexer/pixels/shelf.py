"""One camera's prepared images at hand: decoded once, in a temporary file that workers map into memory.

It promises that a slot gives back the array that was put there, in any process of this machine, without copying. It
does not know what the arrays show or which image a slot belongs to.

Decision: a mapped file instead of arrays sent to workers. The operating system keeps hot pages and drops cold ones,
so that a camera of any size costs disk, not memory, and no array is ever pickled. Cost: a temporary file of the
camera's prepared size (58 kB an image at 320x180), removed with the shelf.
"""

import os
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from indexer.errors import EngineProblem
from indexer.pixels.thumbnails import decode

_STEP_BYTES = 1 << 24


@dataclass(frozen=True)
class Slot:
    """Where an array lies: a file, an offset in bytes, a shape.

    `shelf` tells shelves apart whose files have one name after another: they are named by number, not by the disk.
    """

    shelf: str
    file: str
    offset: int
    height: int
    width: int


@dataclass(frozen=True)
class FillTask:
    """A thumbnail to be decoded into a slot, in whichever process."""

    slot: Slot
    data: bytes


class Shelf:
    """A growing file of grey images; a context manager that gives its space back.

    The file has no name on the disk from the start, so that no end of the process, however sudden, leaves it behind.
    Other processes reach it by its descriptor. Its space is taken before it is promised: a disk that fills up is
    found here, in one sentence, and not as a picture with a hole or a process killed over its map.
    """

    _shelves = count()

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="indexer-", buffering=0)  # noqa: SIM115 - closed by __exit__
        self._name = f"/proc/{os.getpid()}/fd/{self._file.fileno()}"
        self._shelf = f"{os.getpid()}-{next(self._shelves)}"
        self._end = 0
        self._size = 0

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        _mapped.pop(self._shelf, None)
        self._file.close()

    def reserve(self, height: int, width: int) -> Slot:
        """A new slot for a (height, width) image; black until it is filled."""
        slot = Slot(self._shelf, self._name, self._end, height, width)
        self._end += height * width
        if self._end > self._size:
            grown = -(-self._end // _STEP_BYTES) * _STEP_BYTES
            try:
                os.posix_fallocate(self._file.fileno(), self._size, grown - self._size)
            except OSError as problem:
                raise EngineProblem(
                    f"the folder for temporary files, {tempfile.gettempdir()}, cannot hold the prepared pictures "
                    f"({problem.strerror}); free some space, or set TMPDIR to a folder with more"
                ) from problem
            self._size = grown
        return slot

    def put(self, image: NDArray[np.uint8]) -> Slot:
        """The slot of a new array, (H, W), uint8."""
        slot = self.reserve(*image.shape)
        _write(slot, image)
        return slot


def fill(task: FillTask) -> str | None:
    """Decodes a thumbnail into its slot; what is wrong with it, if it is spoiled."""
    try:
        image = decode(task.data)
    except ValueError as problem:
        return str(problem)
    if image.shape != (task.slot.height, task.slot.width):
        return f"it is {image.shape} and not {task.slot.height, task.slot.width} as the index says"
    _write(task.slot, image)
    return None


def take(slot: Slot) -> NDArray[np.uint8]:
    """The array in a slot, (H, W), uint8, read-only and not copied."""
    return whole(slot)[slot.offset : _end(slot)].reshape(slot.height, slot.width)


def whole(*slots: Slot) -> NDArray[np.uint8]:
    """All that lies on the shelf of these slots, (N,), uint8, read-only and not copied; long enough for each."""
    shelf, end = slots[0].shelf, max(_end(slot) for slot in slots)
    mapped = _mapped.get(shelf)
    if mapped is None or mapped.size < end:
        _mapped.clear()  # one shelf at a time: a map would keep the space of a removed file
        # As a plain array: every view of a memmap would be made by a Python function.
        mapped = _mapped[shelf] = np.asarray(np.memmap(slots[0].file, dtype=np.uint8, mode="r"))
    return mapped


def _write(slot: Slot, image: NDArray[np.uint8]) -> None:
    with Path(slot.file).open("r+b", buffering=0) as file:
        file.seek(slot.offset)
        rest = memoryview(image.tobytes())
        while rest:
            rest = rest[file.write(rest) or 0 :]


def _end(slot: Slot) -> int:
    return slot.offset + slot.height * slot.width


_mapped: dict[str, NDArray[np.uint8]] = {}
