"""One camera's prepared images at hand: decoded once, in a temporary file that workers map into memory.

It promises that a slot gives back the array that was put there, in any process of this machine, without copying. It
does not know what the arrays show or which image a slot belongs to.

Decision: a mapped file instead of arrays sent to workers. The operating system keeps hot pages and drops cold ones,
so that a camera of any size costs disk, not memory, and no array is ever pickled. Cost: a temporary file of the
camera's prepared size (58 kB an image at 320x180), removed with the shelf.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from indexer.pixels.thumbnails import decode

_LEAST_BYTES = 1 << 24


@dataclass(frozen=True)
class Slot:
    """Where an array lies: a file, an offset in bytes, a shape."""

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
    """A growing file of grey images; a context manager that removes it."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="indexer-", suffix=".shelf", buffering=0)  # noqa: SIM115 - closed by __exit__
        self._end = 0
        self._size = 0

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        _mapped.pop(self._file.name, None)
        self._file.close()

    def reserve(self, height: int, width: int) -> Slot:
        """A new slot for a (height, width) image; black until it is filled."""
        slot = Slot(self._file.name, self._end, height, width)
        self._end += height * width
        if self._end > self._size:
            self._size = max(2 * self._size, self._end, _LEAST_BYTES)  # it costs no disk until something is written
            self._file.truncate(self._size)
        return slot

    def put(self, image: NDArray[np.uint8]) -> Slot:
        """The slot of a new array, (H, W), uint8."""
        slot = self.reserve(*image.shape)
        _write(slot, image)
        return slot


def fill(task: FillTask) -> None:
    """Decodes a thumbnail into its slot."""
    image = decode(task.data)
    if image.shape != (task.slot.height, task.slot.width):
        raise ValueError(
            f"the thumbnail is {image.shape} and not {task.slot.height, task.slot.width} as the index says"
        )
    _write(task.slot, image)


def take(slot: Slot) -> NDArray[np.uint8]:
    """The array in a slot, (H, W), uint8, read-only and not copied."""
    return whole(slot)[slot.offset : _end(slot)].reshape(slot.height, slot.width)


def whole(*slots: Slot) -> NDArray[np.uint8]:
    """All that lies on the shelf of these slots, (N,), uint8, read-only and not copied; long enough for each."""
    file, end = slots[0].file, max(_end(slot) for slot in slots)
    mapped = _mapped.get(file)
    if mapped is None or mapped.size < end:
        _mapped.clear()  # one shelf at a time: a map would keep the space of a removed file
        # As a plain array: every view of a memmap would be made by a Python function.
        mapped = _mapped[file] = np.asarray(np.memmap(file, dtype=np.uint8, mode="r"))
    return mapped


def _write(slot: Slot, image: NDArray[np.uint8]) -> None:
    with Path(slot.file).open("r+b", buffering=0) as file:
        file.seek(slot.offset)
        file.write(np.ascontiguousarray(image).data)


def _end(slot: Slot) -> int:
    return slot.offset + slot.height * slot.width


_mapped: dict[str, NDArray[np.uint8]] = {}
