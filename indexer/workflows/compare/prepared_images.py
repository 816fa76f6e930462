"""The prepared images of one camera: had when a search needs them, and put on a shelf where the matcher finds them.

It promises that no picture is decoded twice, and that those that cannot be had are named. It does not know decisions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np

from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.errors import EngineProblem
from indexer.execution import Lost, Map, path_there
from indexer.imaging.file_description import Prepared, PrepareTask, Recipe, Thumbnail, prepare_again, read_native
from indexer.imaging.headers import ImageRefused, Limits
from indexer.imaging.image_buffer import FillTask, Shelf, Slot, fill
from indexer.imaging.levels import Levels
from indexer.imaging.masks import Mask
from indexer.imaging.matching import MatchTask, Measure
from indexer.workflows.context import Advance

_FETCHED_ALONG = 256
_MADE_AT_ONCE = 64
_ABSENT = -1  # an offset on no shelf
_FILLED_AT_ONCE = 32  # by one worker: enough to be worth sending

Result = TypeVar("Result")
Fetch = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Gives the thumbnails of images, by id; those that it does not have are left out."""
Keep = Callable[[Sequence[tuple[int, Thumbnail]]], None]
"""Takes thumbnails that were made, by image id."""


class HeldBack(Exception):
    """A camera cannot be decided now: an image's pixels cannot be had. Its decisions stay as they are."""


class Spoiled(Exception):
    """Thumbnails in the index cannot be read; they can be made again from their files."""

    def __init__(self, image_ids: Sequence[int]) -> None:
        super().__init__(image_ids)
        self.image_ids = image_ids


class PreparedImages(Protocol):
    """The prepared images of a camera, by their places in rank order, ready to be searched."""

    def task(self, place: int, keepers: IndexArray, measure: Measure) -> MatchTask:
        """The search of an image among keepers, in this order."""
        ...

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        ...


class Thumbnails:
    """The thumbnails of a camera, many fetched at a time.

    `upcoming` are images that will be asked for, in that order: they are fetched along, so that the database is asked
    seldom and all workers decode.
    """

    def __init__(
        self, ranked: Sequence[Image], shelf: Shelf, *, fetch: Fetch, spread: Map, upcoming: Iterable[int]
    ) -> None:
        self._ranked = ranked
        self._shelf = shelf
        self._fetch = fetch
        self._spread = spread
        self._upcoming = iter(upcoming)
        self._slots: dict[int, Slot] = {}
        self._offsets = np.full(len(ranked), _ABSENT, dtype=np.int64)
        self._loaded: set[int] = set()

    def task(self, place: int, keepers: IndexArray, measure: Measure) -> MatchTask:
        """The search of an image among keepers of its shape, in this order."""
        offsets = self._offsets[keepers]
        missing = keepers[offsets == _ABSENT].tolist()
        if missing or place not in self._slots:
            self._load([*missing, *([place] if place not in self._slots else [])])
            offsets = self._offsets[keepers]
        return MatchTask(self._slots[place], offsets, measure)

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        slot = self._slots.pop(place, None)
        if slot is not None:
            self._offsets[place] = _ABSENT
            self._shelf.give_back(slot)

    def _load(self, missing: Sequence[int]) -> None:
        along = (place for place in self._upcoming if place not in self._loaded)
        chosen = list(dict.fromkeys([*missing, *islice(along, _FETCHED_ALONG)]))
        data = self._fetch([self._ranked[place].id for place in chosen])
        gone = [self._ranked[place].id for place in chosen if self._ranked[place].id not in data]
        if gone:  # by a compare beside this one, which found them spoiled
            raise Spoiled(gone)
        for place in chosen:
            self._slots[place] = self._shelf.reserve(*(self._ranked[place].shape or (0, 0)))
            self._offsets[place] = self._slots[place].offset
        self._loaded.update(chosen)
        shares = [chosen[begin : begin + _FILLED_AT_ONCE] for begin in range(0, len(chosen), _FILLED_AT_ONCE)]
        tasks = (
            FillTask(
                tuple(self._slots[place] for place in places), tuple(data[self._ranked[place].id] for place in places)
            )
            for places in shares
        )
        spoiled: list[int] = []
        for places, answer in zip(shares, self._spread(fill, tasks), strict=True):
            problems = zip(places, found_by(answer), strict=True)
            spoiled += [self._ranked[place].id for place, problem in problems if problem is not None]
        if spoiled:
            raise Spoiled(spoiled)


class WholePictures:
    """The images of a camera at native size, read from their files one by one (the profile `original`)."""

    def __init__(
        self, ranked: Sequence[Image], shelf: Shelf, *, mask: Mask, levels: Levels | None, limits: Limits
    ) -> None:
        self._ranked = ranked
        self._shelf = shelf
        self._mask = mask
        self._levels = levels
        self._limits = limits
        self._slots: dict[int, Slot] = {}

    def task(self, place: int, keepers: IndexArray, measure: Measure) -> MatchTask:
        """The search of an image among keepers, in this order."""
        return MatchTask(self._slot(place), tuple(map(self._slot, keepers.tolist())), measure)

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        slot = self._slots.pop(place, None)
        if slot is not None:
            self._shelf.give_back(slot)

    def _slot(self, place: int) -> Slot:
        if place not in self._slots:
            image = self._ranked[place]
            try:
                whole = read_native(
                    image.path,
                    content_hash=image.content_hash,
                    mask=self._mask,
                    limits=self._limits,
                    levels=self._levels,
                )
            except OSError as problem:
                raise HeldBack(f"{image.path!a}: {problem.strerror}") from problem
            except ImageRefused as problem:
                raise HeldBack(f"{image.path!a}: {problem.reason}") from problem
            self._slots[place] = self._shelf.put(whole)
        return self._slots[place]


def make_thumbnails(
    images: Sequence[Image], recipe: Recipe, *, limits: Limits, spread: Map, keep: Keep, advance: Advance
) -> None:
    """Makes the thumbnails of images from their files, and hands them on a few at a time.

    Raises
    ------
    HeldBack
        At the end, if some could not be made.
    """
    tasks = (
        PrepareTask(image.id, path_there(spread, image.path), image.content_hash, recipe, limits) for image in images
    )
    made = (
        Prepared(image.id, None, f"decoding it {answer.reason}") if isinstance(answer, Lost) else answer
        for image, answer in zip(images, spread(prepare_again, tasks), strict=True)
    )
    problems: list[str] = []
    paths = {image.id: image.path for image in images}
    while batch := list(islice(made, _MADE_AT_ONCE)):
        keep([(one.image_id, one.thumbnail) for one in batch if one.thumbnail is not None])
        problems += [f"{paths[one.image_id]!a}: {one.problem}" for one in batch if one.thumbnail is None]
        advance(len(batch))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise HeldBack(f"{problems[0]}{more}")


def found_by(answer: Result | Lost) -> Result:
    """The answer of a worker that was given pixels of our own making.

    Raises
    ------
    EngineProblem
        If the worker was lost over them.
    """
    if isinstance(answer, Lost):
        raise EngineProblem(f"a worker {answer.reason}; run compare again, with fewer --processes")
    return answer
