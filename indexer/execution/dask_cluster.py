"""The engine of many machines: a Dask cluster, somebody's by its scheduler's address, or a small one of this machine.

It promises what `indexer.execution` does, that no task of ours stays on the cluster when the block ends, and that what
Dask has to say of a trouble is said by one sentence of ours and nothing else. It is loaded only when it is asked for:
Dask takes a third of a second and is an extra.
"""

import logging
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from indexer.errors import EngineError
from indexer.execution.executor import IN_FLIGHT, UNBOUNDED, Bounds, Item, Lost, Result, shares
from indexer.execution.path_mapping import Mounts
from indexer.execution.seating import Round, Terms, any_worker
from indexer.interrupts import uninterrupted

try:
    import dask
    from distributed import Client, LocalCluster

    from indexer.execution.connection import Way
except ImportError as problem:
    raise EngineError("Dask is not installed; type pip install distributed") from problem

_ANSWERS_S = 5  # a scheduler that is asked for the first time
_FEWEST = 2  # a single worker is told as two, so that it is sent enough to have no pause


@contextmanager
def cluster(
    address: str | None,
    *,
    workers: int,
    bounds: Bounds = UNBOUNDED,
    at_once: int = 1,
    in_flight: int = IN_FLIGHT,
    mounts: Mounts = Mounts(),  # noqa: B008 - frozen
    nobody_s: float = Terms.nobody_s,
) -> Iterator["Cluster"]:
    """The workers of a scheduler; without an address, so many of this machine's own that end with the block.

    What one item may take, how many go together and how many such tasks a worker's thread has, is as for `processes`.
    """
    with _quiet(), _scheduler(address, workers) as found:
        way = Way(_client(found, address))
        try:
            terms = Terms(bounds, in_flight, nobody_s=nobody_s)
            yield Cluster(way, terms, at_once=at_once, mounts=mounts)
        finally:
            with uninterrupted():
                way.close()


class Cluster:
    """The map that the cluster is."""

    def __init__(self, way: Way, terms: Terms, *, at_once: int, mounts: Mounts) -> None:
        self._way = way
        self._terms = terms
        self._at_once = at_once
        self._seats: list[str] = []
        self.there = mounts.there

    @property
    def workers(self) -> int:
        """The threads of the workers that are there now."""
        return max(_FEWEST, sum(self._way.threads.values()))

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result | Lost]:
        """The function's result for each item, in order; `Lost` where workers were lost over it."""
        together = shares(items, single=2 * self.workers, largest=self._at_once)
        return self._round(function, any_worker(together))

    def seated(
        self, function: Callable[[Item], Result], items: Iterable[tuple[int, Item]], /
    ) -> Iterator[Result | Lost]:
        """The same, each item with the worker that its seat's last one went to."""
        seats = self._seats = _taken(self._seats, dict(self._way.threads))
        return self._round(
            function, (([item], seats[number % len(seats)] if seats else None) for number, item in items)
        )

    def _round(
        self, function: Callable[[Item], Result], given: Iterator[tuple[list[Item], str | None]]
    ) -> Iterator[Result | Lost]:
        line = self._way.line()
        try:
            yield from Round(line, function, given, terms=self._terms).results()
        finally:
            line.close()


def _taken(seats: Sequence[str], threads: Mapping[str, int]) -> list[str]:
    """Seats with their workers, one for each thread: those that are there stay, others take the free seats."""
    free = [worker for worker, number in threads.items() for _ in range(number)]
    kept: list[str | None] = []
    for worker in seats:
        kept.append(worker if worker in free else None)
        if worker in free:
            free.remove(worker)
    filled = [worker or (free.pop(0) if free else None) for worker in kept]
    return [worker for worker in filled if worker is not None] + free


class _Client(Client):
    """A client; one that never came to be has nothing to end, and Dask's own way would say so with a traceback."""

    def __del__(self) -> None:
        if self.status == "running":
            super().__del__()


def _client(scheduler: Any, address: str | None) -> Any:
    made: Future[Any] = Future()

    def make() -> None:
        try:
            made.set_result(_Client(scheduler, timeout=_ANSWERS_S, set_as_default=False, name="indexer"))
        except BaseException as problem:
            made.set_exception(problem)

    # In a thread: where something else than a scheduler listens, Dask waits for its words for ever, or chokes on them.
    Thread(target=make, daemon=True).start()
    try:
        return made.result(timeout=2 * _ANSWERS_S)
    except Exception as problem:
        said = str(problem).splitlines()[0] if str(problem) else "it says nothing"
        raise EngineError(f"no scheduler answers at {address} ({said}); start one with dask scheduler") from problem


@contextmanager
def _scheduler(address: str | None, workers: int) -> Iterator[Any]:
    """What a client connects to."""
    if address is not None:
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="indexer-dask-") as scratch:
        with uninterrupted(), _deaf():
            own = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # each item is bounded, see `errands`
                dashboard_address=None,
                local_directory=scratch,
                silence_logs=logging.CRITICAL,
            )
        try:
            yield own
        finally:
            with uninterrupted():
                for nanny in own.workers.values():  # at once, whatever the workers are at
                    with suppress(Exception):
                        nanny.close_gracefully()
                        os.kill(nanny.pid, signal.SIGKILL)
                with suppress(Exception):
                    own.close(timeout=10)


@contextmanager
def _deaf() -> Iterator[None]:
    """Lets what is started within not hear Ctrl-C, which a terminal sends to all: it is for this process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what Dask logs and warns of away from people: what matters of it is an error of ours."""
    before = logging.root.manager.disable
    settings = {"distributed.admin.large-graph-warning-threshold": "1 TB", "distributed.comm.retry.count": 0}
    logging.disable(logging.CRITICAL)
    try:
        with dask.config.set(settings), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
