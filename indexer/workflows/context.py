"""What workflows are given instead of taking it: the time, who watches, and where a comparison computes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from indexer.errors import EngineError
from indexer.execution import ParallelMap, WorkerFailure
from indexer.imaging.headers import Limits
from indexer.store.database import Database

Result = TypeVar("Result")

Clock = Callable[[], datetime]
"""Gives the time now, aware UTC."""

Advance = Callable[[int], None]
"""Tells that so many more items are done."""

Progress = Callable[[str, int | None], Advance]
"""Begins a stage of so many items (None: unknown) and gives the function that advances it."""


def no_progress(_stage: str, _total: int | None) -> Advance:
    """A progress that nobody watches."""
    return lambda _count: None


@dataclass(frozen=True)
class ComparisonContext:
    """What a comparison works with: the memory, the workers, the limits of reading, the clock, the watcher."""

    database: Database
    executor: ParallelMap
    limits: Limits
    clock: Clock
    progress: Progress = no_progress


def unwrap(result: Result | WorkerFailure) -> Result:
    """The answer of a worker that was given pixels of our own making.

    Raises
    ------
    EngineError
        If the worker was lost over them.
    """
    if isinstance(result, WorkerFailure):
        raise EngineError(f"a worker {result.reason}; run compare again, with fewer --processes")
    return result
