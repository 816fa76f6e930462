"""What workflows get as arguments: the clock, the progress callback, and the context of a comparison."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from indexer.domain.descriptions import Limits
from indexer.errors import EngineError
from indexer.execution import ParallelMap, WorkerFailure

if TYPE_CHECKING:  # workers import this module, and need no database
    from indexer.store.database import Database

Result = TypeVar("Result")

Clock = Callable[[], datetime]
"""Returns the present time, aware, in UTC."""

Advance = Callable[[int], None]
"""Reports that this many more items are done."""

Progress = Callable[[str, int | None], Advance]
"""Begins a stage with a name and a number of items (None: unknown); returns the function that advances it."""


@dataclass(frozen=True)
class SystemTime:
    """The clocks of a command without end. `monotonic`: seconds of one that never steps; `wall`: seconds since 1970."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


def no_progress(_stage: str, _total: int | None) -> Advance:
    """A `Progress` that shows nothing."""
    return lambda _count: None


@dataclass(frozen=True)
class ComparisonContext:
    """What a comparison works with: the database, the executor, the limits for reading image files, the clock, the
    progress callback; `live`: whether somebody watches the progress, so that it should move within a task, too."""

    database: "Database"
    executor: ParallelMap
    limits: Limits
    clock: Clock
    progress: Progress = no_progress
    live: bool = False


def unwrap(result: Result | WorkerFailure) -> Result:
    """`result`, where the failure of a worker must end the command.

    The worker got pixels that indexer prepared itself, so no image file can be blamed.

    Raises
    ------
    EngineError
        If `result` is a `WorkerFailure`.
    """
    if isinstance(result, WorkerFailure):
        raise EngineError(f"a worker {result.reason}; run compare again, with fewer --processes")
    return result
