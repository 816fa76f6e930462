"""The prepared images of one camera: loaded when a search needs them, into an image buffer that the matcher reads.

It promises that no image is decoded twice, and that errors name the images that are unavailable. It does not know
decisions.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np

from indexer.domain.camera_images import CameraImages, ImageKey
from indexer.domain.descriptions import Levels, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.domain.masks import Mask
from indexer.execution import ParallelMap, WorkerFailure, map_files, map_path
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.image_buffer import FillTask, ImageBuffer, Slot, fill
from indexer.imaging.matching import MatchTask
from indexer.workflows.context import Advance, unwrap
from indexer.workflows.image_files import ThumbnailResult, ThumbnailTask, read_native, recreate_thumbnail
from indexer.workflows.profile_parameters import proved_recipe

_PREFETCH_COUNT = 256
_FETCH_COUNT = 512  # thumbnails whose PNG are in memory at a time
_SAVE_BATCH_SIZE = 64
_ABSENT = -1  # the offset of an image that is not in the buffer
_FILL_BATCH_SIZE = 32  # thumbnails per task: enough to be worth sending to a worker

Result = TypeVar("Result")
Fetch = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Loads thumbnails by image id; those that do not exist are left out."""
SaveThumbnails = Callable[[Sequence[tuple[int, Thumbnail]]], None]
"""Saves new thumbnails, by image id."""


class PixelsUnavailableError(Exception):
    """A camera cannot be decided now: the pixels of an image are unavailable. Its decisions stay as they are."""


class CorruptThumbnailsError(Exception):
    """Thumbnails in the index are corrupt or gone; they can be made again from their files."""

    def __init__(self, image_ids: Sequence[int]) -> None:
        super().__init__(image_ids)
        self.image_ids = image_ids


class PreparedImages(Protocol):
    """The prepared images of a camera, by their index in rank order, ready to be searched."""

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among `keepers`, in this order."""
        ...

    def drop(self, index: int) -> None:
        """Frees an image: no later search needs it."""
        ...


class ThumbnailSource:
    """The thumbnails of a camera, loaded many at a time.

    `upcoming` gives the images that will be needed, in that order, as far as that is known. They are loaded in advance,
    so that there are few queries and all workers decode. `cache` has slots of the buffer by image key, which are used,
    added to, and never freed here.
    """

    def __init__(
        self,
        ranked: CameraImages,
        buffer: ImageBuffer,
        *,
        fetch: Fetch,
        executor: ParallelMap,
        upcoming: Callable[[], Iterable[int]],
        cache: MutableMapping[ImageKey, Slot] | None = None,
    ) -> None:
        self._ranked = ranked
        self._buffer = buffer
        self._fetch = fetch
        self._executor = executor
        self._upcoming = upcoming
        self._slots: dict[int, Slot] = {}
        self._offsets = np.full(len(ranked), _ABSENT, dtype=np.int64)
        self._loaded: set[int] = set()
        self._cache = cache
        for index, key in enumerate(ranked.image_keys() if cache else ()):
            if key in (cache or {}):
                self._add_slot(index, (cache or {})[key])

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among `keepers` of its shape, in this order.

        Raises `CorruptThumbnailsError` if a thumbnail that it loads is corrupt or gone.
        """
        offsets = self._offsets[keepers]
        missing = keepers[offsets == _ABSENT].tolist()
        if missing or index not in self._slots:
            self._load([*missing, *([index] if index not in self._slots else [])])
            offsets = self._offsets[keepers]
        return MatchTask(self._slots[index], offsets, scoring)

    def drop(self, index: int) -> None:
        """Frees an image: no later search needs it."""
        slot = None if self._cache is not None else self._slots.pop(index, None)
        if slot is not None:
            self._offsets[index] = _ABSENT
            self._buffer.free(slot)

    def _add_slot(self, index: int, slot: Slot) -> None:
        self._slots[index] = slot
        self._offsets[index] = slot.offset
        self._loaded.add(index)

    def _load(self, missing: Sequence[int]) -> None:
        upcoming = (index for index in self._upcoming() if index not in self._loaded)
        indices = list(dict.fromkeys([*missing, *islice(upcoming, _PREFETCH_COUNT)]))
        for begin in range(0, len(indices), _FETCH_COUNT):
            self._load_at_once(indices[begin : begin + _FETCH_COUNT])

    def _load_at_once(self, indices: Sequence[int]) -> None:
        data = self._fetch([self._ranked[index].id for index in indices])
        uncached_ids = [self._ranked[index].id for index in indices if self._ranked[index].id not in data]
        if uncached_ids:  # dropped by another compare that found them corrupt
            raise CorruptThumbnailsError(uncached_ids)
        for index in indices:
            self._add_slot(index, self._buffer.reserve(*(self._ranked[index].shape or (0, 0))))
        batches = [indices[begin : begin + _FILL_BATCH_SIZE] for begin in range(0, len(indices), _FILL_BATCH_SIZE)]
        tasks = (
            FillTask(
                tuple(self._slots[index] for index in batch), tuple(data[self._ranked[index].id] for index in batch)
            )
            for batch in batches
        )
        corrupt_ids: list[int] = []
        for batch, result in zip(batches, self._executor(fill, tasks), strict=True):
            problems = zip(batch, unwrap(result), strict=True)
            corrupt_ids += [self._ranked[index].id for index, problem in problems if problem is not None]
        if corrupt_ids:
            raise CorruptThumbnailsError(corrupt_ids)
        if self._cache is not None:
            self._cache.update({self._ranked.image_key(index): self._slots[index] for index in indices})


class NativeImageSource:
    """The images of a camera at native size, read from their files one by one (the profile `original`).

    `task` raises `PixelsUnavailableError` if a file cannot be read or used.
    """

    def __init__(
        self, ranked: Sequence[Image], buffer: ImageBuffer, *, mask: Mask, levels: Levels | None, limits: Limits
    ) -> None:
        self._ranked = ranked
        self._buffer = buffer
        self._mask = mask
        self._levels = levels
        self._limits = limits
        self._slots: dict[int, Slot] = {}

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among `keepers`, in this order."""
        return MatchTask(self._slot(index), tuple(map(self._slot, keepers.tolist())), scoring)

    def drop(self, index: int) -> None:
        """Frees an image: no later search needs it."""
        slot = self._slots.pop(index, None)
        if slot is not None:
            self._buffer.free(slot)

    def _slot(self, index: int) -> Slot:
        if index not in self._slots:
            image = self._ranked[index]
            try:
                pixels = read_native(
                    image.path,
                    content_hash=image.content_hash,
                    mask=self._mask,
                    limits=self._limits,
                    levels=self._levels,
                )
            except OSError as problem:
                raise PixelsUnavailableError(f"{image.path!r}: {problem.strerror}") from problem
            except ImageRefusedError as problem:
                raise PixelsUnavailableError(f"{image.path!r}: {problem.reason}") from problem
            self._slots[index] = self._buffer.put(pixels)
        return self._slots[index]


def make_thumbnails(
    images: Sequence[Image],
    recipe: ThumbnailRecipe,
    *,
    limits: Limits,
    executor: ParallelMap,
    save: SaveThumbnails,
    advance: Advance,
) -> None:
    """Makes the thumbnails of images from their files, and saves them in batches.

    Raises
    ------
    PixelsUnavailableError
        At the end, if some could not be made.
    MissingLibraryError, EngineError
        If features are to be made, and this process or a worker cannot make them, or makes others.
    """
    recipe = proved_recipe(recipe)
    tasks = (
        ThumbnailTask(image.id, map_path(executor, image.path), image.content_hash, recipe, limits) for image in images
    )
    results = (
        ThumbnailResult(image.id, None, f"decoding it {result.reason}") if isinstance(result, WorkerFailure) else result
        for image, result in zip(images, map_files(executor, recreate_thumbnail, tasks), strict=True)
    )
    problems: list[str] = []
    paths = {image.id: image.path for image in images}
    while batch := list(islice(results, _SAVE_BATCH_SIZE)):
        save([(prepared.image_id, prepared.thumbnail) for prepared in batch if prepared.thumbnail is not None])
        problems += [
            f"{paths[prepared.image_id]!r}: {prepared.problem}" for prepared in batch if prepared.thumbnail is None
        ]
        advance(len(batch))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PixelsUnavailableError(f"{problems[0]}{more}")
