"""What a worker on another machine has of a camera: pictures that were sent to it or that it read itself, by their
places in rank order.

It promises the answers of a worker that shares the shelf, or to say what it lacks. It may be given another camera's
work in between, by another thread or another run: a worker has a few such shelves, each a file without a name in its
folder for temporary files, and lets go of those that nobody asked for in a while.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from indexer.domain.keeper_index import IndexArray
from indexer.imaging.file_description import read_native
from indexer.imaging.headers import ImageRefused, Limits
from indexer.imaging.image_buffer import FillTask, Shelf, Slot, fill
from indexer.imaging.levels import Levels
from indexer.imaging.masks import Mask
from indexer.imaging.matching import Match, MatchTask, Measure, match

_MOST_SHELVES = 4  # before those are let go that are idle
_IDLE_S = 60.0  # a client that waits for its turn at a worker is not; the disk is what bounds the shelves of those
_KEPT_S = 600.0
_SHORTEST_S = 1.0  # between two looks
_ABSENT = -1  # an offset on no shelf


@dataclass(frozen=True)
class Sent:
    """A thumbnail, as PNG, with its (height, width)."""

    shape: tuple[int, int]
    data: bytes


@dataclass(frozen=True)
class ToRead:
    """A whole picture, by its path where it is read, for the profile `original`."""

    path: str
    content_hash: str
    mask: Mask
    limits: Limits
    levels: Levels | None = None


@dataclass(frozen=True)
class FarTask:
    """Pictures for the shelf of a camera (a name that nothing else has, how many images, bytes of room), those that
    will not be asked for again, and searches; all by place."""

    camera: str
    count: int
    room: int
    pictures: tuple[tuple[int, Sent | ToRead], ...]
    dropped: tuple[int, ...]
    searches: tuple[tuple[int, IndexArray], ...]
    measure: Measure


@dataclass(frozen=True)
class FarAnswer:
    """The answers from a shelf (its name; another one if it began anew); none where some pictures are `lacking`, or
    could not be had, with the reason."""

    shelf: str
    matches: tuple[Match, ...] = ()
    lacking: tuple[int, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()


def search_far(task: FarTask) -> FarAnswer:
    """Puts the pictures of a task on its camera's shelf, and answers its searches."""
    with _shelves.lent(task) as shelf:
        problems = shelf.take_in(task)
        wanted = [np.append(keepers, place) for place, keepers in task.searches]
        lacking = shelf.lacking(np.unique(np.concatenate(wanted))) if wanted else ()
        if problems or lacking:
            return FarAnswer(shelf.name, lacking=lacking, problems=problems)
        tasks = [shelf.task(place, keepers, task.measure) for place, keepers in task.searches]
        return FarAnswer(shelf.name, tuple(map(match, tasks)))


class _FarShelf:
    """The pictures of one camera, in this process."""

    def __init__(self, count: int, room: int) -> None:
        self.name = uuid4().hex
        self.users = 0
        self.used_at = monotonic()
        self._lock = threading.Lock()
        self._shelf = Shelf(room, shared=True)
        self._slots: dict[int, Slot] = {}
        self._offsets: NDArray[np.int64] = np.full(count, _ABSENT, dtype=np.int64)

    def take_in(self, task: FarTask) -> tuple[tuple[int, str], ...]:
        """Lets go of what is dropped and takes what is new; why some could not be had."""
        with self._lock:
            for place in task.dropped:
                slot = self._slots.pop(place, None)
                if slot is not None:
                    self._offsets[place] = _ABSENT
                    self._shelf.give_back(slot)
            new = [(place, picture) for place, picture in task.pictures if place not in self._slots]
            found = [(place, self._put(place, picture)) for place, picture in new]
        return tuple((place, problem) for place, problem in found if problem is not None)

    def lacking(self, places: IndexArray) -> tuple[int, ...]:
        """Those of the places whose picture is not here."""
        return tuple(places[self._offsets[places] == _ABSENT].tolist())

    def task(self, place: int, keepers: IndexArray, measure: Measure) -> MatchTask:
        """A search, among slots if the measure is native."""
        if measure.native:
            return MatchTask(self._slots[place], tuple(self._slots[keeper] for keeper in keepers.tolist()), measure)
        return MatchTask(self._slots[place], self._offsets[keepers], measure)

    def close(self) -> None:
        """Gives its space back."""
        self._shelf.__exit__(None, None, None)

    def _put(self, place: int, picture: Sent | ToRead) -> str | None:
        """Why a picture cannot be had, if it cannot."""
        if isinstance(picture, Sent):
            slot = self._shelf.reserve(*picture.shape)
            (problem,) = fill(FillTask((slot,), (picture.data,)))
            if problem is not None:
                self._shelf.give_back(slot)
                return problem
        else:
            try:
                whole = read_native(
                    picture.path,
                    content_hash=picture.content_hash,
                    mask=picture.mask,
                    limits=picture.limits,
                    levels=picture.levels,
                )
            except OSError as problem:
                return problem.strerror or str(problem)
            except ImageRefused as problem:
                return problem.reason
            slot = self._shelf.put(whole)
        self._slots[place] = slot
        self._offsets[place] = slot.offset
        return None


@dataclass
class _Shelves:
    """The shelves of this process, by camera, the one used last at the end."""

    shelves: dict[str, _FarShelf] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cleaning: threading.Timer | None = None

    @contextmanager
    def lent(self, task: FarTask) -> Iterator[_FarShelf]:
        """The shelf of a task's camera, until the end of the block."""
        with self.lock:
            shelf = self.shelves.pop(task.camera, None) or _FarShelf(task.count, task.room)
            self.shelves[task.camera] = shelf
            shelf.users += 1
            idle = self._idle(_IDLE_S)
            self._close(idle[: max(0, len(self.shelves) - _MOST_SHELVES)])
        try:
            yield shelf
        finally:
            with self.lock:
                shelf.users -= 1
                shelf.used_at = monotonic()
                self._look_again()

    def clean(self) -> None:
        """Lets go of shelves that nobody asked for in a while."""
        with self.lock:
            self._close(self._idle(_KEPT_S))
            self.cleaning = None
            self._look_again()

    def _idle(self, for_s: float) -> list[str]:
        """The cameras that nobody has asked for in so long, the one used longest ago first."""
        long_ago = monotonic() - for_s
        return [camera for camera, shelf in self.shelves.items() if not shelf.users and shelf.used_at <= long_ago]

    def _close(self, cameras: Sequence[str]) -> None:
        for camera in cameras:
            self.shelves.pop(camera).close()

    def _look_again(self) -> None:
        """Sets the clock for the shelf that was used longest ago."""
        if self.cleaning is None and self.shelves:
            oldest = min(shelf.used_at for shelf in self.shelves.values())
            self.cleaning = threading.Timer(max(_SHORTEST_S, oldest + _KEPT_S - monotonic()), self.clean)
            self.cleaning.daemon = True
            self.cleaning.start()


_shelves = _Shelves()
