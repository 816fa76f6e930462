"""Records the verdicts of a session of `review`: one run, one short lock for each request.

It promises that

- what it calls recorded is committed;
- what it calls waiting is on the disk and is recorded as soon as the index is free, also by the next session; and
- one thread at a time writes.

While another command has the index, its database cannot be written, or this session decides a camera, verdicts wait in
their order in a file.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indexer.domain.verdict_changes import VerdictChange, parse_changes, to_json
from indexer.domain.verdicts import Pair
from indexer.errors import DatabaseError, IndexerError, IndexInUseError, RowRefusedError
from indexer.files.pending_entries import PendingEntries
from indexer.store import verdicts
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.review.judging import AppliedChange, apply_changes
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.run import ActiveRun, LongRun, open_run

_PATIENCE_S = 0.1  # for another thread of this session that writes
_WAIT = LockWait(limit_s=0.0, batch_limit_s=0.3, pauses_s=(0.02, 0.05, 0.1))


@dataclass(frozen=True)
class RecordedChanges:
    """What became of the changes of one request: they are `committed`, or wait on the disk.

    `waiting_for`: the command that has the index, or why the database refuses; None if they wait for this session.
    """

    applied: tuple[AppliedChange, ...]
    committed: bool = True
    waiting_for: str | None = None


@dataclass
class ReviewCounts:
    """How many verdicts a session recorded and withdrew."""

    recorded: int = 0
    withdrawn: int = 0


class VerdictRecorder:
    """Writes to the index for a session; its methods may be called from any thread."""

    def __init__(self, database: Database, pending: PendingEntries, *, camera: str | None, clock: Clock) -> None:
        self._database, self._pending, self._camera, self._clock = database, pending, camera, clock
        self._lock = threading.Lock()  # of the run and its transactions
        self._order = threading.Lock()  # of what came first
        self._stack = ExitStack()
        self._run: LongRun | None = None
        self.counts = ReviewCounts()

    @property
    def run_id(self) -> int | None:
        """The number of the run of this session; None as long as it wrote nothing."""
        return None if self._run is None else self._run.id

    @property
    def waiting(self) -> int:
        """How many requests wait for the index."""
        return len(self._pending.waiting)

    def close(self) -> None:
        """Ends the run of this session."""
        with self._lock:
            self._stack.close()

    @contextmanager
    def batch(self, cameras: Sequence[str] = ()) -> Iterator[ActiveRun]:
        """The run of this session with the lock of the index, on a server with those of these cameras.

        Raises `IndexInUseError` if another command has it.
        """
        with self._lock, self._batch(cameras) as run:
            yield run

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lets no other thread of this process write until the end of the block, which takes the lock itself."""
        with self._lock:
            yield

    def record(self, changes: Sequence[VerdictChange]) -> RecordedChanges:
        """Makes changes of verdicts, all or none. While another command has the index, its database cannot be written,
        or this session decides a camera, they are noted to be made.

        Raises as `apply_changes`, and `OSError` if the changes can be neither made nor noted.
        """
        with self._order:
            holder = None
            if not self._pending.waiting and self._lock.acquire(timeout=_PATIENCE_S):
                try:
                    return RecordedChanges(tuple(self._apply(changes)))
                except RowRefusedError:
                    raise
                except DatabaseError as problem:
                    holder = problem.holder if isinstance(problem, IndexInUseError) else str(problem)
                finally:
                    self._lock.release()
            self._pending.append({"changes": [to_json(change) for change in changes], "at": self._clock().isoformat()})
            return RecordedChanges((), committed=False, waiting_for=holder)

    def record_waiting(self) -> tuple[list[AppliedChange], list[str]]:
        """Makes the changes that wait, in order, until one must wait on.

        Returns those that were made, and why others never can be.
        """
        applied, problems, written = list[AppliedChange](), list[str](), set[Pair]()
        with self._lock:
            while waiting := self._pending.waiting:
                number = min(waiting)
                try:
                    applied += self._apply_entry(waiting[number], written)
                except (IndexerError, ValueError) as problem:
                    if isinstance(problem, DatabaseError) and not isinstance(problem, RowRefusedError):
                        break
                    problems.append(f"a verdict that waited cannot be recorded: {problem} ({waiting[number]!r})")
                self._pending.finish(number)
        return applied, problems

    def _apply_entry(self, entry: Mapping[str, Any], written: set[Pair]) -> list[AppliedChange]:
        """Makes the changes of an entry, and adds their pairs to `written`."""
        changes = parse_changes(entry.get("changes"))
        at = datetime.fromisoformat(str(entry.get("at")))
        # What was written just now is older than what comes after it, whenever that was noted.
        is_later = any(change.pair in written for change in changes)
        applied = self._apply(changes, decided_at=self._clock() if is_later else at)
        written |= {change.pair for change in changes}
        return applied

    def _apply(self, changes: Sequence[VerdictChange], *, decided_at: datetime | None = None) -> list[AppliedChange]:
        with self._database.read() as session:
            cameras = {image.camera for change in changes for image in verdicts.get_images(session, change.pair)}
        with self._batch(sorted(cameras)) as run:
            with self._database.write() as session:
                applied = apply_changes(session, changes, run_id=run.id, at=self._clock(), decided_at=decided_at)
            self.counts.withdrawn += sum(change.after is None for change in changes)
            self.counts.recorded += sum(change.after is not None for change in changes)
            run.counts = vars(self.counts).copy()
        return applied

    @contextmanager
    def _batch(self, cameras: Sequence[str]) -> Iterator[ActiveRun]:
        if self._run is None:
            arguments: dict[str, Any] = {"camera": self._camera}
            run = open_run(self._database, "review", arguments=arguments, clock=self._clock, by_camera=True, wait=_WAIT)
            self._run = self._stack.enter_context(run)
        with self._run.record_batch(cameras=cameras) as active:
            yield active
