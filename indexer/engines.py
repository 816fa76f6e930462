"""How work is spread: engines that give something with the signature of `map`.

They promise results in the order of the items, a bounded number of items in flight whatever the number of items, and
that no worker outlives the block. They know neither pictures nor the database, and workers are given plain values
only.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT = 4  # items per worker: enough to keep it busy while results are written, few enough to stay small


class Map(Protocol):
    """What an engine gives: `map`, with the number of workers that share the items."""

    workers: int

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The function's result for each item, in order."""
        ...


class _Serial:
    workers = 1

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        return map(function, items)


class _Processes:
    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool = pool
        self.workers = workers

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        rest = iter(items)
        waiting: deque[Future[Result]] = deque(
            self._pool.submit(function, item) for item in islice(rest, self.workers * _IN_FLIGHT)
        )
        while waiting:
            result = waiting.popleft().result()
            for item in islice(rest, 1):
                waiting.append(self._pool.submit(function, item))
            yield result


@contextmanager
def serial() -> Iterator[Map]:
    """Everything in this process, one item after the other."""
    yield _Serial()


@contextmanager
def processes(count: int) -> Iterator[Map]:
    """Worker processes on this machine; Ctrl-C is the parent's alone.

    A fresh server process forks the workers: the parent's threads and locks are not theirs.
    """
    context = multiprocessing.get_context("forkserver")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    try:
        yield _Processes(pool, count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def engine(count: int) -> Iterator[Map]:
    """Worker processes, or this one alone where one is enough."""
    with serial() if count <= 1 else processes(count) as spread:
        yield spread


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
