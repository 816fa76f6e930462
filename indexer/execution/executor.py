"""The interface of all executors, which are called like `map`, and the simplest executor: this process alone.

Executors promise results in the order of the items, and a bounded number of items in flight for any number of items.
They know neither pictures nor the database; workers get only plain values.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT = 4
"""Tasks per worker: enough to keep it busy while results are written, few enough to bound the memory."""


@dataclass(frozen=True)
class WorkerFailure:
    """Replaces the result of an item whose worker died, exceeded its time, or exceeded its memory."""

    reason: str


@dataclass(frozen=True)
class ResourceLimits:
    """Limits of one item: bytes that a worker may add to its memory, and seconds. None: no limit.

    In a process pool the items of a batch share the time of one item. If that is too short, each item is retried alone
    with the full time. On a cluster each item of a batch has its own time.
    """

    memory_bytes: int | None = None
    time_s: float | None = None


UNLIMITED = ResourceLimits()


class ParallelMap(Protocol):
    """An executor: it is called like `map`."""

    @property
    def workers(self) -> int:
        """Number of workers that share the items."""
        ...

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """The function's result for each item, in order; a `WorkerFailure` for an item that exceeded its limits or
        lost its worker. Raises what the function raises."""
        ...


@runtime_checkable
class RemoteExecutor(ParallelMap, Protocol):
    """An executor whose workers may be on other machines: they share no memory with this process, and may have its
    files under other paths."""

    def map_path(self, path: str, /) -> str:
        """The path that workers open for this local path."""
        ...

    def map_with_affinity(
        self, function: Callable[[Item], Result], items: Iterable[tuple[int, Item]], /
    ) -> Iterator[Result | WorkerFailure]:
        """`map` of pairs of an affinity number and an item: items with equal numbers go to the same worker while that
        worker is present. Items are drawn from the iterable as workers have capacity."""
        ...


class _Serial:
    workers = 1

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        return map(function, items)


@contextmanager
def serial() -> Iterator[ParallelMap]:
    """An executor that runs every item in this process, one after the other."""
    yield _Serial()


def growing_batches(items: Iterable[Item], *, batches_per_size: int, max_size: int) -> Iterator[list[Item]]:
    """The items in batches, in order. The first `batches_per_size` batches have one item, so that all workers start at
    once; each next group of as many batches has one item more, up to `max_size`."""
    rest = iter(items)
    for number in count():
        batch = list(islice(rest, min(max_size, 1 + number // batches_per_size)))
        if not batch:
            return
        yield batch


def map_path(executor: ParallelMap, path: str) -> str:
    """The path that the workers of `executor` open for this local path."""
    return executor.map_path(path) if isinstance(executor, RemoteExecutor) else path
