"""The interface of all executors, which are called like `map`, and the simplest executor: this process alone.

Executors promise results in the order of the items, and a bounded number of items in flight for any number of items.
They know neither pictures nor the database; workers get only plain values.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, runtime_checkable

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
State = TypeVar("State")
State_co = TypeVar("State_co", covariant=True)

_REMOTE: dict[type, bool] = {}
"""Whether the executors of a class are remote, of the classes seen so far."""

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
    with the full time. On a cluster each item of a batch has its own time. There only items with limits may kill or
    hang: they run in a process of their own, the others in the worker itself.
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

    @property
    def file_limits(self) -> ResourceLimits:
        """The limits of an item that reads an image file, also in an executor whose other items have none."""
        ...

    def map_files(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """As a call, with the limits of items that read image files."""
        ...

    def actor_workers(self) -> Sequence[str]:
        """The workers that can each hold an actor now, by name; waits if there is none."""
        ...

    def start_actor(self, worker: str, factory: Callable[..., State], /, *arguments: Any) -> "RemoteActor[State]":
        """Starts to make an actor, `factory(*arguments)`, in the memory of a worker; it is there until it is closed.

        If the worker is gone, the results of its calls raise `ActorLostError`.
        """
        ...


class ActorLostError(Exception):
    """The worker that held an actor is gone, and the actor with it."""


class RemoteActor(Protocol[State_co]):
    """An object in the memory of a worker, that executes one method at a time."""

    def call(self, method: Callable[[State_co, Item], Result], argument: Item, /) -> "PendingResult[Result]":
        """Starts to execute a method of the object's class with one argument."""
        ...

    def close(self) -> None:
        """Frees the object on its worker. No result of it is waited for after that."""
        ...


class PendingResult(Protocol[Result_co]):
    """A result that a worker computes."""

    def result(self) -> Result_co:
        """The result, as soon as it is there. Raises `ActorLostError`, or what the method raised."""
        ...


@dataclass(frozen=True)
class _Threads:
    pool: "ThreadPoolExecutor"
    workers: int

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        return self.pool.map(function, items)


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


@contextmanager
def threads() -> Iterator[ParallelMap]:
    """An executor of threads of this process, one for each core that it may use: for functions that work without the
    interpreter's lock for most of their time. All items are taken at once."""
    from concurrent.futures import ThreadPoolExecutor  # here, as most commands need no threads

    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores) as pool:
        yield _Threads(pool, cores)


def growing_batches(items: Iterable[Item], *, batches_per_size: int, max_size: int) -> Iterator[list[Item]]:
    """The items in batches, in order. The first `batches_per_size` batches have one item, so that all workers start at
    once; each next group of as many batches has one item more, up to `max_size`."""
    rest = iter(items)
    for number in count():
        batch = list(islice(rest, min(max_size, 1 + number // batches_per_size)))
        if not batch:
            return
        yield batch


def map_files(
    executor: ParallelMap, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result | WorkerFailure]:
    """The function's results for items that read image files; remote workers limit each of them."""
    return executor.map_files(function, items) if isinstance(executor, RemoteExecutor) else executor(function, items)


def map_path(executor: ParallelMap, path: str) -> str:
    """The path that the workers of `executor` open for this local path."""
    # Whether an object has the methods of a protocol takes 0.1 ms to find out, and this is asked for each file.
    kind = type(executor)
    if kind not in _REMOTE:
        _REMOTE[kind] = isinstance(executor, RemoteExecutor)
    return cast(RemoteExecutor, executor).map_path(path) if _REMOTE[kind] else path
