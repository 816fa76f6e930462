"""What every engine gives: something with the signature of `map`. And the simplest one, this process alone.

Engines promise results in the order of the items, and a bounded number of items in flight whatever the number of
items. They know neither pictures nor the database; workers are given plain values only.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT = 4
"""Tasks per worker: enough to keep it busy while results are written, few enough to stay small."""


@dataclass(frozen=True)
class WorkerFailure:
    """What stands in the place of a result whose worker died or did not end in time."""

    reason: str


@dataclass(frozen=True)
class ResourceLimits:
    """What one item may take: memory that a worker may add to what it has, and seconds. None: as much as there is.

    Items that travel together have the time of one; where that is too short, each is given it again alone.
    """

    memory_bytes: int | None = None
    time_s: float | None = None


UNLIMITED = ResourceLimits()


class ParallelMap(Protocol):
    """What an engine gives: `map`."""

    @property
    def workers(self) -> int:
        """How many workers share the items."""
        ...

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """The function's result for each item, in order; `WorkerFailure` where a worker was lost over it."""
        ...


@runtime_checkable
class RemoteExecutor(ParallelMap, Protocol):
    """An engine whose workers may be on other machines: they share no memory with this process, and may see its files
    under other paths."""

    def map_path(self, path: str, /) -> str:
        """A path of this machine as workers open it."""
        ...

    def map_with_affinity(
        self, function: Callable[[Item], Result], items: Iterable[tuple[int, Item]], /
    ) -> Iterator[Result | WorkerFailure]:
        """`map` of items with the numbers of their seats: what has the number of an earlier one goes to the same
        worker, if that is still there. Items are drawn as workers have room."""
        ...


class _Serial:
    workers = 1

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        return map(function, items)


@contextmanager
def serial() -> Iterator[ParallelMap]:
    """Everything in this process, one item after the other."""
    yield _Serial()


def growing_batches(items: Iterable[Item], *, batches_per_size: int, max_size: int) -> Iterator[list[Item]]:
    """The items in lists: the first ones alone, so that all workers begin at once, then more and more together."""
    rest = iter(items)
    for number in count():
        batch = list(islice(rest, min(max_size, 1 + number // batches_per_size)))
        if not batch:
            return
        yield batch


def map_path(executor: ParallelMap, path: str) -> str:
    """A path of this machine as the workers of an engine open it."""
    return executor.map_path(path) if isinstance(executor, RemoteExecutor) else path
