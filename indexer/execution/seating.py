"""One `map` over workers that come and go: who is given what, and what becomes of items whose worker is gone.

It promises results in the order of the items, items asked for as workers have room, that a worker's end costs nothing
but time, and that an item is given up only after so many workers have ended while they had it and nothing else; or
after more, where they had tasks of other clients each time, as one of those may be the reason, but no run is endless.
It does not know how a worker is reached: a `VerdictLine` does.

Decision: workers are given their tasks by us, a few each, instead of by Dask's scheduler. Its own count of deaths
(`allowed-failures`) is set by who runs the cluster, begins anew with each task, and blames every task that waited at
the worker. Here all items of a worker that ended are suspects: each is tried alone, with a worker that is given nothing
else meanwhile, while the other workers go on. Enforced by tests/execution/test_seating.py.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic

from indexer.errors import EngineError
from indexer.execution.errands import Failed, Finished, errand
from indexer.execution.events import Answered, Ended, Gone, Line, Present
from indexer.execution.executor import Bounds, Item, Lost, Result

_MOST_DEATHS = 3  # of workers that had one item and nothing else
_MOST_ENDS = 10  # of workers that had one item of ours, whatever others had there
_AHEAD = 4  # times the tasks in flight: done, and waiting for one before them
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Terms:
    """How much is sent: what an item may take, tasks per thread and bytes in flight, and how long nobody may be there.

    Bytes are of all tasks together; one task is sent whatever its size.
    """

    bounds: Bounds
    in_flight: int
    bytes_in_flight: int = 2**29
    nobody_s: float = 60.0


@dataclass(eq=False)
class _Task(Generic[Item, Result]):
    """Items that go together, until they went one by one (`parts`); at last their results or the problem over them."""

    items: list[Item]
    wish: str | None = None
    results: list[Result | Lost] | None = None
    problem: Exception | None = None
    parts: "list[_Task[Item, Result]]" = field(default_factory=list)
    deaths: int = 0
    ends: int = 0
    sent_at: float = 0.0
    size_bytes: int = 0

    @property
    def is_done(self) -> bool:
        if self.parts:
            return all(part.is_done for part in self.parts)
        return self.results is not None or self.problem is not None

    def split(self) -> "list[_Task[Item, Result]]":
        """The same items one by one; itself if there is one only."""
        if len(self.items) == 1:
            return [self]
        self.parts = [_Task([item], self.wish) for item in self.items]
        return self.parts

    def taken(self) -> Iterator[Result | Lost]:
        """The results, up to where there is a problem instead."""
        for part in self.parts:
            yield from part.taken()
        if self.problem is not None:
            raise self.problem
        yield from self.results or ()


@dataclass(eq=False)
class _Seat(Generic[Item, Result]):
    """A worker, its threads, and the tasks it has of us by key; `alone` while it has a suspect."""

    threads: int
    tasks: "dict[str, _Task[Item, Result]]" = field(default_factory=dict)
    alone: bool = False

    @property
    def load(self) -> float:
        return len(self.tasks) / max(1, self.threads)


class Round(Generic[Item, Result]):
    """One map: `shares` are lists of items that go together, each with the worker that it would like best."""

    def __init__(
        self,
        line: Line,
        function: Callable[[Item], Result],
        shares: Iterator[tuple[list[Item], str | None]],
        *,
        terms: Terms,
    ) -> None:
        self._line = line
        self._function = function
        self._shares = shares
        self._terms = terms
        self._seats: dict[str, _Seat[Item, Result]] = {}
        self._order: deque[_Task[Item, Result]] = deque()
        self._again: deque[_Task[Item, Result]] = deque()
        self._suspects: deque[_Task[Item, Result]] = deque()
        self._under_way: dict[str, str] = {}  # worker by key
        self._bytes = 0
        self._nobody_since: float | None = monotonic()

    def results(self) -> Iterator[Result | Lost]:
        """The results in order."""
        try:
            while True:
                self._hand_out()
                if not self._order:
                    return
                if self._order[0].is_done:
                    yield from self._order.popleft().taken()
                else:
                    self._hear()
        finally:
            for key in self._under_way:
                self._line.forget(key)

    def _hand_out(self) -> None:
        kept_free = self._try_suspects()
        while (room := self._room(kept_free)) and (task := self._next()) is not None:
            wished = task.wish is not None and task.wish in self._seats and task.wish not in kept_free
            self._send(task, task.wish if wished and task.wish is not None else room)
        if not self._order and (task := self._drawn()) is not None:  # nobody is there, but for what?
            self._again.append(task)

    def _try_suspects(self) -> set[str]:
        """Gives suspects to workers that have nothing else; the workers that are kept free of anything but suspects."""
        trying = {worker for worker, seat in self._seats.items() if seat.alone}
        most = max(1, len(self._seats) // 2)
        others = sorted((seat.load, worker) for worker, seat in self._seats.items() if worker not in trying)
        kept_free = {worker for _, worker in others[: max(0, min(len(self._suspects), most - len(trying)))]}
        for worker in sorted(kept_free):
            if not self._seats[worker].tasks and self._suspects:
                self._seats[worker].alone = True
                self._send(self._suspects.popleft(), worker)
        return trying | kept_free

    def _room(self, kept_free: set[str]) -> str | None:
        """The worker with the most room, if any has some."""
        if self._under_way and self._bytes >= self._terms.bytes_in_flight:
            return None
        seats = [(seat.load, worker) for worker, seat in self._seats.items() if worker not in kept_free]
        load, worker = min(seats, default=(float("inf"), ""))
        return worker if load < self._terms.in_flight else None

    def _next(self) -> "_Task[Item, Result] | None":
        """A task to be sent: one whose worker is gone, else new items unless too many wait for one before them."""
        if self._again:
            return self._again.popleft()
        threads = sum(seat.threads for seat in self._seats.values())
        return None if len(self._order) >= _AHEAD * self._terms.in_flight * threads else self._drawn()

    def _drawn(self) -> "_Task[Item, Result] | None":
        """A task of new items; None if there are no more."""
        share = next(self._shares, None)
        if share is None:
            return None
        task = _Task[Item, Result](*share)
        self._order.append(task)
        return task

    def _send(self, task: "_Task[Item, Result]", worker: str) -> None:
        payload = errand(self._function, task.items, bounds=self._terms.bounds)
        task.size_bytes, task.sent_at = len(payload), monotonic()
        key = self._line.send(worker, payload)
        self._bytes += task.size_bytes
        self._under_way[key] = worker
        self._seats[worker].tasks[key] = task

    def _hear(self) -> None:
        event = self._line.hear(self._patience_s())
        if isinstance(event, Answered):
            self._take(event)
        elif isinstance(event, Gone):
            self._leave(event)
        elif isinstance(event, Present):
            for worker, threads in event.threads.items():
                self._seats.setdefault(worker, _Seat(threads))
            self._nobody_since = None if self._seats else self._nobody_since
        elif isinstance(event, Ended):
            raise EngineError(event.reason)

    def _patience_s(self) -> float:
        """How long to listen; raises if nobody has been there for too long."""
        if self._nobody_since is None:
            return _PATIENCE_S
        left_s = self._nobody_since + self._terms.nobody_s - monotonic()
        if left_s <= 0:
            raise EngineError(
                f"the cluster has had no worker for {self._terms.nobody_s:g} s; start some (dask worker ADDRESS), "
                "and the same command goes on"
            )
        return min(left_s, _PATIENCE_S)

    def _take(self, answered: Answered) -> None:
        task = self._dismiss(answered.key)
        outcome = answered.outcome
        if task is None:
            return  # it was taken back, as its worker was thought to be gone
        if isinstance(outcome, Finished):
            task.results = pickle.loads(outcome.results)
        elif not isinstance(outcome, Failed):
            raise EngineError(f"a worker of the cluster {outcome.reason}; install the same indexer on every worker")
        elif len(task.items) > 1:
            self._again.extendleft(reversed(task.split()))
        elif isinstance(outcome.problem, MemoryError):
            task.results = [Lost("needed more memory than it may have")]
        else:
            task.problem = outcome.problem

    def _dismiss(self, key: str) -> "_Task[Item, Result] | None":
        """Takes a task from its worker."""
        worker = self._under_way.pop(key, None)
        if worker is None:
            return None
        seat = self._seats[worker]
        task = seat.tasks.pop(key)
        seat.alone = False
        self._bytes -= task.size_bytes
        return task

    def _leave(self, gone: Gone) -> None:
        """Lets go of a worker: what it had is tried again, one by one and alone if it may be the reason."""
        seat = self._seats.get(gone.worker)
        if seat is None:
            return
        tasks = []
        for key in list(seat.tasks):
            self._line.forget(key)
            if (task := self._dismiss(key)) is not None:
                tasks.append(task)
        del self._seats[gone.worker]
        self._nobody_since = None if self._seats else monotonic()
        if gone.leaving:
            self._again.extendleft(reversed(tasks))
        elif len(tasks) == 1 and len(tasks[0].items) == 1:
            self._blame(tasks[0], shared=gone.shared)
        else:
            self._suspects.extend(part for task in tasks for part in task.split())

    def _blame(self, task: "_Task[Item, Result]", *, shared: bool) -> None:
        """Counts a death that of our items one alone can have caused; that of a `shared` worker for little."""
        task.ends += 1
        task.deaths += not shared
        time_s = self._terms.bounds.time_s
        if task.deaths < _MOST_DEATHS and task.ends < _MOST_ENDS:
            self._suspects.append(task)
        elif time_s is not None and monotonic() - task.sent_at >= time_s:
            task.results = [Lost(f"took longer than {time_s:g} s")]
        elif task.deaths < _MOST_DEATHS:
            task.results = [Lost(f"was with a process that ended ({_MOST_ENDS} times)")]
        else:
            task.results = [Lost(f"ended the process that worked on it ({_MOST_DEATHS} times)")]


def any_worker(shares: Iterator[list[Any]]) -> Iterator[tuple[list[Any], None]]:
    """Shares that are for whoever has room."""
    return ((share, None) for share in shares)
