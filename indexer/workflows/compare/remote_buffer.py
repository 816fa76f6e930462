"""The image buffer of one camera in the memory of a cluster worker: an actor, which holds images and searches them.

Images are those that were sent to it or that it read itself, by their index in rank order. It promises the matches of a
worker that shares the buffer of the command. The buffer is an unnamed file in the worker's folder for temporary files,
which goes with the actor.
"""

import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels, Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.domain.masks import Mask
from indexer.execution import ResourceLimits, WorkerFailure, run_limited
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.image_buffer import FillTask, ImageBuffer, Slot, fill
from indexer.imaging.matching import Match, MatchTask, match
from indexer.workflows.image_files import read_native

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
    """Images that are no longer needed, new images, and searches among all that the buffer then has; all by index."""

    dropped: tuple[int, ...]
    images: tuple[tuple[int, EncodedThumbnail | ImageFile], ...]
    searches: tuple[tuple[int, IndexArray], ...]


@dataclass(frozen=True)
class RemoteSearchResult:
    """The matches of a task, in order.

    `is_searched` is False if the task had no searches, or if images that were sent are unavailable: `problems`, by
    index, with the reason.
    """

    is_searched: bool
    matches: tuple[Match, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()


def _read_pixels(image: ImageFile) -> NDArray[np.uint8]:
    return read_native(
        image.path, content_hash=image.content_hash, mask=image.mask, limits=image.limits, levels=image.levels
    )


class RemoteBuffer:
    """The images of one camera, of which there are `image_count`; each image file is read within `file_limits`."""

    def __init__(
        self, image_count: int, capacity_bytes: int, scoring: ScoringParameters, file_limits: ResourceLimits
    ) -> None:
        self._scoring = scoring
        self._file_limits = file_limits
        self._buffer = ImageBuffer(capacity_bytes, shared=True)
        self._slots: dict[int, Slot] = {}
        self._offsets: NDArray[np.int64] = np.full(image_count, _ABSENT, dtype=np.int64)
        weakref.finalize(self, self._buffer.__exit__, None, None, None)

    def search(self, task: RemoteSearchTask) -> RemoteSearchResult:
        """Updates the images, and runs the searches."""
        for index in task.dropped:
            self._offsets[index] = _ABSENT
            self._buffer.free(self._slots.pop(index))
        problems: list[tuple[int, str]] = []
        for index, image in task.images:
            problem = self._put(index, image)
            if problem is not None:
                problems.append((index, problem))
                if isinstance(
                    image, ImageFile
                ):  # one is enough to hold the camera back, and each may take its full time
                    break
        if problems:
            return RemoteSearchResult(is_searched=False, problems=tuple(problems))
        matches = tuple(match(self._match_task(index, keepers)) for index, keepers in task.searches)
        return RemoteSearchResult(is_searched=bool(matches), matches=matches)

    def _match_task(self, index: int, keepers: IndexArray) -> MatchTask:
        """The search of an image among `keepers`: as slots at native size, else as offsets."""
        if self._scoring.native:
            return MatchTask(
                self._slots[index], tuple(self._slots[keeper] for keeper in keepers.tolist()), self._scoring
            )
        return MatchTask(self._slots[index], self._offsets[keepers], self._scoring)

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
                pixels = run_limited(_read_pixels, image, self._file_limits)
            except OSError as problem:
                return problem.strerror or str(problem)
            except ImageRefusedError as problem:
                return problem.reason
            if isinstance(pixels, WorkerFailure):
                return f"decoding it {pixels.reason}"
            slot = self._buffer.put(pixels)
        self._slots[index] = slot
        self._offsets[index] = slot.offset
        return None
