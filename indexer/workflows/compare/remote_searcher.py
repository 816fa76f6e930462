"""The searches of one camera, carried out by workers that share no memory with this process.

It promises the answers of `indexer.workflows.compare.searcher`. Each worker keeps a shelf of its own and is sent a
picture once; one that began anew says what it lacks, and is sent that again. What is on its way at once is bounded,
and here nothing stays but who was sent what.

Decision: searches are shared by their new images, not by the keepers they meet. Every worker then comes to have every
keeper (58 kB of its disk each at 320 wide), where sharing by keepers would divide them; but a duplicate, which most
images are, goes to one worker instead of to all, and each search ends as soon as its one worker has found a keeper.
Enforced by tests/workflows/compare/test_remote_searcher.py.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.errors import EngineProblem
from indexer.execution import Afar
from indexer.imaging.headers import Limits
from indexer.imaging.levels import Levels
from indexer.imaging.masks import Mask
from indexer.imaging.matching import Match, Measure
from indexer.workflows.compare.prepared_images import Fetch, HeldBack, Spoiled, found_by
from indexer.workflows.compare.remote_buffer import FarAnswer, FarTask, Sent, ToRead, search_far
from indexer.workflows.compare.searcher import Asked, Searches, is_worth_sending

_PICTURES_AT_ONCE = 256  # in one task: some 10 MB
_PAIRS_WORTH_THE_WAY = 8192  # some 30 ms of work; with a quarter of it compare took a fifth longer on loopback
_MOST_TRIES = 20  # of one share, each by a worker that has to begin anew

Pictures = Callable[[Sequence[Image]], Sequence[Sent | ToRead]]
"""Gives the pictures of images as they are sent."""


@dataclass
class _Seat:
    """A place that a worker takes: what was sent there (by place), to which shelf, and of what it heard that it is not
    asked for again."""

    has: NDArray[np.bool_]
    shelf: str = ""
    heard: int = 0
    tries: int = field(default=0)


@dataclass(frozen=True)
class _Told:
    """Of a task, what its answer is read with: its seat, the places of its pictures, and whether it asks anything."""

    seat: int
    places: tuple[int, ...]
    is_asked: bool


class SentSearches:
    """Searches by workers far away; those that are not worth the way are carried out here."""

    def __init__(
        self,
        ranked: Sequence[Image],
        near: Searches,
        *,
        measure: Measure,
        spread: Afar,
        pictures: Pictures,
        room: int,
    ) -> None:
        self._camera = uuid4().hex
        self._ranked = ranked
        self._near = near
        self._measure = measure
        self._spread = spread
        self._pictures = pictures
        self._room = room
        self._seats: list[_Seat] = []
        self._dropped: list[int] = []

    @property
    def workers(self) -> int:
        """How many workers share them."""
        return self._spread.workers

    def here(self, place: int, others: IndexArray) -> Match:
        """One search, in this process."""
        return self._near.here(place, others)

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        self._near.drop(place)
        self._dropped.append(place)

    def answers(self, asked: Sequence[Asked]) -> Iterable[Match]:
        """Many searches, by the workers where that is worth the way."""
        if not asked or not is_worth_sending(asked, self._measure, pairs=_PAIRS_WORTH_THE_WAY):
            return self._near.answers(asked)
        number = min(self.workers, len(asked))
        while len(self._seats) < number:
            self._seats.append(_Seat(np.zeros(len(self._ranked), dtype=bool)))
        waiting = {seat: tuple(asked[seat::number]) for seat in range(number)}
        found: dict[int, tuple[Match, ...]] = {}
        for seat in waiting:
            self._seats[seat].tries = 0
        while len(found) < number:
            told: deque[_Told] = deque()
            tasks = self._tasks([(seat, share) for seat, share in waiting.items() if seat not in found], told)
            for outcome in self._spread.seated(search_far, tasks):
                one, answer = told.popleft(), found_by(outcome)
                self._hear(self._seats[one.seat], one.places, answer)
                if one.is_asked and not answer.lacking:
                    found[one.seat] = answer.matches
        return [found[place % number][place // number] for place in range(len(asked))]

    def _tasks(
        self, shares: Iterable[tuple[int, tuple[Asked, ...]]], told: "deque[_Told]"
    ) -> Iterator[tuple[int, FarTask]]:
        """What each seat is told next, built when it is about to be sent; what is to be kept of it goes to `told`."""
        for seat, share in shares:
            task = self._task(self._seats[seat], share)
            told.append(_Told(seat, tuple(place for place, _ in task.pictures), bool(task.searches)))
            yield seat, task

    def _task(self, seat: _Seat, share: tuple[Asked, ...]) -> FarTask:
        """What a seat is told next: the searches, once it has all pictures that these need."""
        wanted = np.unique(np.concatenate([np.append(keepers, place) for place, keepers in share]))
        missing = wanted[~seat.has[wanted]]
        new = missing[:_PICTURES_AT_ONCE].tolist()
        dropped, seat.heard = tuple(self._dropped[seat.heard :]), len(self._dropped)
        pictures = zip(new, self._pictures([self._ranked[place] for place in new]), strict=True) if new else ()
        return FarTask(
            self._camera,
            len(self._ranked),
            self._room,
            tuple(pictures),
            tuple(place for place in dropped if seat.has[place]),
            share if len(new) == len(missing) else (),
            self._measure,
        )

    def _hear(self, seat: _Seat, sent: Sequence[int], answer: FarAnswer) -> None:
        """Learns from an answer what its worker has."""
        if answer.problems:
            self._raise(answer.problems)
        anew = answer.shelf != seat.shelf
        again = anew and bool(seat.shelf)
        if anew:
            seat.has[:] = False
            seat.shelf = answer.shelf
        seat.has[list(sent)] = True
        seat.has[list(answer.lacking)] = False
        seat.tries += again or bool(answer.lacking)
        if seat.tries > _MOST_TRIES:
            raise EngineProblem("the workers of the cluster end again and again; the same command goes on later")

    def _raise(self, problems: Sequence[tuple[int, str]]) -> None:
        if not self._measure.native:
            raise Spoiled([self._ranked[place].id for place, _ in problems])
        place, reason = problems[0]
        raise HeldBack(f"{self._ranked[place].path!a}: {reason}")


def cached_pictures(fetch: Fetch) -> Pictures:
    """Thumbnails, as the index has them."""

    def pictures(images: Sequence[Image]) -> Sequence[Sent | ToRead]:
        data: Mapping[int, bytes] = fetch([image.id for image in images])
        gone = [image.id for image in images if image.id not in data]
        if gone:  # by a compare beside this one, which found them spoiled
            raise Spoiled(gone)
        return [Sent(image.shape or (0, 0), data[image.id]) for image in images]

    return pictures


def pictures_there(mask: Mask, *, levels: Levels | None, limits: Limits, there: Callable[[str], str]) -> Pictures:
    """Whole pictures, which workers read themselves."""

    def pictures(images: Sequence[Image]) -> Sequence[Sent | ToRead]:
        return [ToRead(there(image.path), image.content_hash, mask, limits, levels) for image in images]

    return pictures
