"""The image buffers of a worker on another machine: images of a camera that were sent to it or that it read itself, by
their index in rank order.

It promises the matches of a worker that shares the buffer of the command, or a list of the images that it lacks. Tasks
of other cameras may come in between, from another thread or another run. So a worker has a few such buffers, each an
unnamed file in its folder for temporary files, and closes those that were not used for a while.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels, Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.domain.masks import Mask
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.image_buffer import FillTask, ImageBuffer, Slot, fill
from indexer.imaging.matching import Match, MatchTask, match
from indexer.workflows.image_files import read_native

_MAX_BUFFERS = 4  # with more of them, idle ones are closed
_IDLE_S = 60.0  # before that its client may be waiting for the worker; only the disk bounds the buffers of such clients
_EXPIRY_S = 600.0  # after this an unused buffer is closed in any case
_MIN_CLEANUP_DELAY_S = 1.0  # between two cleanups
_ABSENT = -1  # the offset of an image that is not in the buffer


@dataclass(frozen=True)
class EncodedThumbnail:
    """A thumbnail as PNG, with its (height, width)."""

    shape: tuple[int, int]
    data: bytes


@dataclass(frozen=True)
class ImageFile:
    """An image file that the worker reads at native size (profile `original`); `path` is the worker's path."""

    path: str
    content_hash: str
    mask: Mask
    limits: Limits
    levels: Levels | None = None


@dataclass(frozen=True)
class RemoteSearchTask:
    """New images for the buffer of a camera, images that are no longer needed, and searches; all by index.

    Attributes
    ----------
    camera : str
        A name that is unique to the camera and the run.
    count : int
        Images of the camera.
    capacity_bytes : int
        Size of its buffer.
    """

    camera: str
    count: int
    capacity_bytes: int
    images: tuple[tuple[int, EncodedThumbnail | ImageFile], ...]
    dropped: tuple[int, ...]
    searches: tuple[tuple[int, IndexArray], ...]
    scoring: ScoringParameters


@dataclass(frozen=True)
class RemoteSearchResult:
    """The matches of a task, in order; none if the searches need images that are `missing`, or if some of the images
    sent are unavailable (`problems`, by index, with the reason). A new `buffer_name` means that the worker lost its
    buffer."""

    buffer_name: str
    matches: tuple[Match, ...] = ()
    missing: tuple[int, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()


def search_remote(task: RemoteSearchTask) -> RemoteSearchResult:
    """Puts the images of a task into the buffer of its camera, and runs its searches."""
    with _buffers.borrow(task) as buffer:
        problems = buffer.update(task)
        needed = [np.append(keepers, index) for index, keepers in task.searches]
        missing = buffer.missing(np.unique(np.concatenate(needed))) if needed else ()
        if problems or missing:
            return RemoteSearchResult(buffer.name, missing=missing, problems=problems)
        tasks = [buffer.task(index, keepers, task.scoring) for index, keepers in task.searches]
        return RemoteSearchResult(buffer.name, tuple(map(match, tasks)))


class RemoteBuffer:
    """The images of one camera in this process; `users` tasks use them now."""

    def __init__(self, image_count: int, capacity_bytes: int) -> None:
        self.name = uuid4().hex
        self.users = 0
        self.used_at = monotonic()
        self._lock = threading.Lock()
        self._buffer = ImageBuffer(capacity_bytes, shared=True)
        self._slots: dict[int, Slot] = {}
        self._offsets: NDArray[np.int64] = np.full(image_count, _ABSENT, dtype=np.int64)

    def update(self, task: RemoteSearchTask) -> tuple[tuple[int, str], ...]:
        """Frees the dropped images and adds the new ones; the index of each unavailable one, with the reason."""
        with self._lock:
            for index in task.dropped:
                slot = self._slots.pop(index, None)
                if slot is not None:
                    self._offsets[index] = _ABSENT
                    self._buffer.free(slot)
            new_images = [(index, image) for index, image in task.images if index not in self._slots]
            outcomes = [(index, self._put(index, image)) for index, image in new_images]
        return tuple((index, problem) for index, problem in outcomes if problem is not None)

    def missing(self, indices: IndexArray) -> tuple[int, ...]:
        """Those of `indices` whose image is not in the buffer."""
        return tuple(indices[self._offsets[indices] == _ABSENT].tolist())

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among `keepers`: as slots at native size, else as offsets."""
        if scoring.native:
            return MatchTask(self._slots[index], tuple(self._slots[keeper] for keeper in keepers.tolist()), scoring)
        return MatchTask(self._slots[index], self._offsets[keepers], scoring)

    def close(self) -> None:
        """Gives the space of the buffer back."""
        self._buffer.__exit__(None, None, None)

    def _put(self, index: int, image: EncodedThumbnail | ImageFile) -> str | None:
        """Adds an image; the reason if it is unavailable, else None."""
        if isinstance(image, EncodedThumbnail):
            slot = self._buffer.reserve(*image.shape)
            (problem,) = fill(FillTask((slot,), (image.data,)))
            if problem is not None:
                self._buffer.free(slot)
                return problem
        else:
            try:
                pixels = read_native(
                    image.path,
                    content_hash=image.content_hash,
                    mask=image.mask,
                    limits=image.limits,
                    levels=image.levels,
                )
            except OSError as problem:
                return problem.strerror or str(problem)
            except ImageRefusedError as problem:
                return problem.reason
            slot = self._buffer.put(pixels)
        self._slots[index] = slot
        self._offsets[index] = slot.offset
        return None


@dataclass
class _RemoteBuffers:
    """The buffers of this process, by camera, the one used last at the end."""

    buffers: dict[str, RemoteBuffer] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cleanup_timer: threading.Timer | None = None

    @contextmanager
    def borrow(self, task: RemoteSearchTask) -> Iterator[RemoteBuffer]:
        """The buffer of a task's camera, not closed before the end of the block."""
        with self.lock:
            buffer = self.buffers.pop(task.camera, None) or RemoteBuffer(task.count, task.capacity_bytes)
            self.buffers[task.camera] = buffer
            buffer.users += 1
            idle = self._list_idle(_IDLE_S)
            self._close(idle[: max(0, len(self.buffers) - _MAX_BUFFERS)])
        try:
            yield buffer
        finally:
            with self.lock:
                buffer.users -= 1
                buffer.used_at = monotonic()
                self._schedule_cleanup()

    def close_expired(self) -> None:
        """Closes the buffers that were not used for `_EXPIRY_S`."""
        with self.lock:
            self._close(self._list_idle(_EXPIRY_S))
            self.cleanup_timer = None
            self._schedule_cleanup()

    def _list_idle(self, min_idle_s: float) -> list[str]:
        """The cameras whose buffers were not used for `min_idle_s`, in order of their last use."""
        cutoff = monotonic() - min_idle_s
        return [camera for camera, buffer in self.buffers.items() if not buffer.users and buffer.used_at <= cutoff]

    def _close(self, cameras: Sequence[str]) -> None:
        for camera in cameras:
            self.buffers.pop(camera).close()

    def _schedule_cleanup(self) -> None:
        """Starts a timer for the buffer that was used longest ago, unless one runs."""
        if self.cleanup_timer is None and self.buffers:
            oldest = min(buffer.used_at for buffer in self.buffers.values())
            self.cleanup_timer = threading.Timer(
                max(_MIN_CLEANUP_DELAY_S, oldest + _EXPIRY_S - monotonic()), self.close_expired
            )
            self.cleanup_timer.daemon = True
            self.cleanup_timer.start()


_buffers = _RemoteBuffers()
