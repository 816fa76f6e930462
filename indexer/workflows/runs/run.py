"""What all writing commands share: they lock the index, recover interrupted removals, and record the run.

Most commands have the lock until they end (`record_run`). A long one has it for each batch of its work (`open_run`), so
that other commands can work between two batches.

Decision 0037: only a command that has locked the whole index recovers interrupted removals.

Decision 0044: a long run has one row, and takes the lock for each batch.
"""

import os
import platform
import pwd
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Any

from indexer.domain.plurals import counted
from indexer.errors import DatabaseError, RunInterrupt
from indexer.escaping import command_line
from indexer.store import removals, runs
from indexer.store.database import Database
from indexer.store.index_identity import get_index_id, make_token
from indexer.store.locks.holders import in_use_error
from indexer.store.locks.run_lock import discard_run_locks, list_running, run_lock
from indexer.store.locks.writer_lock import WriteLock, writer_lock
from indexer.workflows.context import Clock
from indexer.workflows.runs.killed_runs import list_killed_runs
from indexer.workflows.runs.lock_wait import FOREVER, LockWait
from indexer.workflows.runs.recovery import Recovery, recover_removals

_GAP_SHARE, _LONGEST_GAP_S = 0.05, 0.1
"""How long the lock stays free between two batches: a share of the time of the first one, at most so many seconds."""


@dataclass
class ActiveRun:
    """A run in progress: its number, its lock, and the counts that are written when it ends.

    `token`: 32 hex digits that no other run has, of this index or another; `index_id`: 32 hex digits of the index.
    `username` and `hostname`: who runs it, and where. `recovered`: how many interrupted removals it recovered.
    """

    id: int
    recovery: Recovery
    write_lock: WriteLock
    token: str
    index_id: str
    username: str
    hostname: str
    counts: dict[str, Any] = field(default_factory=dict)
    recovered: Counter[str] = field(default_factory=Counter)


@contextmanager
def record_run(
    database: Database,
    command: str,
    *,
    arguments: Mapping[str, Any],
    clock: Clock,
    by_camera: bool = False,
    nobody_else: bool = False,
    wait: LockWait | None = None,
) -> Iterator[ActiveRun]:
    """A run of a writing command. Its row exists from the beginning and stores at the end how the run went.

    A command that works `by_camera` locks each camera before it reads what it will change. `nobody_else`: a person
    confirms that no other command works on the files, where locks cannot tell. `wait`: how long to wait for the lock;
    by default only for the batch of a long run. Raises `IndexInUseError` if another command has the lock.
    """
    with ExitStack() as stack:
        lock = partial(_recovered_lock, database, command, clock=clock, by_camera=by_camera, nobody_else=nobody_else)
        write_lock, recovery = (wait or LockWait()).enter(stack, lock)
        run = _start_run(database, command, arguments=arguments, clock=clock, recovery=recovery, write_lock=write_lock)
        with _recorded_end(database, command, run, clock=clock):
            yield run


class LongRun:
    """A long run in progress: one row, and the lock for each batch; `counts` are written after each batch."""

    def __init__(
        self, database: Database, command: str, first: ActiveRun, *, by_camera: bool, clock: Clock, wait: LockWait
    ) -> None:
        self._database, self._command, self._first = database, command, first
        self._by_camera, self._clock, self._wait = by_camera, clock, wait
        self._not_before_s = float("-inf")

    @property
    def id(self) -> int:
        """The number of the run."""
        return self._first.id

    @property
    def counts(self) -> dict[str, Any]:
        """What the run counted so far."""
        return self._first.counts

    @contextmanager
    def record_batch(self, *, cameras: Sequence[str] = (), wait: LockWait | None = None) -> Iterator[ActiveRun]:
        """The run with the lock, until the end of the block; then its counts are written.

        It waits for the lock, recovers what other commands left unfinished, and, of a run that works by camera, has
        locked these cameras. `wait`: how long, if not as the run does. Raises `DatabaseError` if the lock cannot be
        taken, or was lost, or if nothing shows any more that the run is at work: then another run is to be opened.
        """
        if not list_running(self._database, [self.id]):  # as after a restart of the server in a quiet hour
            raise DatabaseError(f"others can no longer see that {self._command!r} is at work")
        pause_s = self._not_before_s - time.monotonic()
        if pause_s > 0:
            Event().wait(pause_s)  # time.sleep fails under a clock that libfaketime sets
        with ExitStack() as stack:
            stack.callback(self._leave_gap, time.monotonic())
            write_lock, recovery = (wait or self._wait).enter(stack, partial(self._locked, cameras))
            batch = replace(self._first, write_lock=write_lock, recovery=recovery)
            _add_recovered(self._first, recovery)
            yield batch
            self._first.counts = batch.counts
            with self._database.write() as session:
                runs.update_counts(session, self.id, self.counts)

    def _leave_gap(self, start_s: float) -> None:
        """Leaves the lock free for a moment after a batch, so that the commands that wait for it can take it."""
        now_s = time.monotonic()
        self._not_before_s = now_s + min(_LONGEST_GAP_S, _GAP_SHARE * (now_s - start_s))

    @contextmanager
    def _locked(self, cameras: Sequence[str]) -> Iterator[tuple[WriteLock, Recovery]]:
        lock = _recovered_lock(
            self._database, self._command, clock=self._clock, by_camera=self._by_camera, is_batch=True
        )
        with lock as (write_lock, recovery):
            for camera in cameras:
                holder = write_lock.acquire(camera)
                if holder is not None:
                    raise in_use_error(self._database.name, holder)
            yield write_lock, recovery


@contextmanager
def open_run(
    database: Database,
    command: str,
    *,
    arguments: Mapping[str, Any],
    clock: Clock,
    by_camera: bool = False,
    wait: LockWait = FOREVER,
) -> Iterator[LongRun]:
    """A long run, which has the lock for each batch of its work and not between them.

    Its row exists from the beginning and stores at the end how the run went. If its process is killed, the next command
    records that it was interrupted. Raises `DatabaseError` if the lock cannot be taken.
    """
    with ExitStack() as stack:
        with ExitStack() as locks:
            lock = partial(_recovered_lock, database, command, clock=clock, by_camera=by_camera, is_batch=True)
            write_lock, recovery = wait.enter(locks, lock)
            first = _start_run(
                database,
                command,
                arguments=arguments,
                clock=clock,
                recovery=recovery,
                write_lock=write_lock,
                is_long=True,
            )
            stack.enter_context(run_lock(database, first.id))
        with _recorded_end(database, command, first, clock=clock):
            yield LongRun(database, command, first, by_camera=by_camera, clock=clock, wait=wait)


@contextmanager
def _recovered_lock(
    database: Database,
    command: str,
    *,
    clock: Clock,
    by_camera: bool,
    nobody_else: bool = False,
    is_batch: bool = False,
) -> Iterator[tuple[WriteLock, Recovery]]:
    """The lock of a command, and what was recovered when it was taken."""
    needs_recovery = by_camera and bool(_list_interrupted_images(database))
    with writer_lock(
        database, command=command, since=clock(), by_camera=by_camera, recovering=needs_recovery, is_batch=is_batch
    ) as write_lock:
        if by_camera and not write_lock.exclusive and _list_interrupted_images(database):
            write_lock.try_acquire_all()  # interrupted just now, or a moment before the others began
        if write_lock.exclusive:
            recovery = recover_removals(database, clock=clock, write_lock=write_lock, nobody_else=nobody_else)
        else:
            recovery = Recovery(unresolved=_list_interrupted_images(database))
        if by_camera:
            write_lock.downgrade()
        _mark_killed_runs(database)
        yield write_lock, recovery


def _mark_killed_runs(database: Database) -> None:
    """Records of the long runs that were cut off that they were."""
    killed = [run.id for run in list_killed_runs(database)]
    if killed:
        with database.write() as session:
            runs.mark_interrupted(session, killed)
        discard_run_locks(database, killed)


@contextmanager
def _recorded_end(database: Database, command: str, run: ActiveRun, *, clock: Clock) -> Iterator[None]:
    """Stores at the end of the block how the run ended, with its counts. A run's own row needs no lock."""
    _add_recovered(run, run.recovery)
    outcome = "failed"
    try:
        yield
        outcome = "done"
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise RunInterrupt(_describe_interrupt(command, run)) from None
    finally:
        counts = run.counts | ({"settled": dict(run.recovered)} if run.recovered else {})
        # Ctrl-C at this point interrupts nothing: the work is done, and its report is worth showing.
        with suppress(KeyboardInterrupt) if outcome == "done" else nullcontext(), database.write() as session:
            runs.finish_run(session, run.id, outcome=outcome, counts=counts, at=clock())


def _start_run(
    database: Database,
    command: str,
    *,
    arguments: Mapping[str, Any],
    clock: Clock,
    recovery: Recovery,
    write_lock: WriteLock,
    is_long: bool = False,
) -> ActiveRun:
    """A run with a token of its own, stored before its work begins."""
    token, username, hostname = make_token(), name_of_user(os.geteuid()), platform.node()
    with database.write() as session:
        run_id = runs.start_run(
            session,
            command,
            arguments=arguments,
            at=clock(),
            token=token,
            username=username,
            hostname=hostname,
            is_long=is_long,
        )
        return ActiveRun(run_id, recovery, write_lock, token, get_index_id(session), username, hostname)


_DEEDS = {"prune": ("removed", "removed"), "restore": ("restored", "brought back"), "purge": ("purged", "deleted")}
"""For each command that moves files: the count of these files, and what was done to them."""

_STORED_OUTCOMES = ("added", "changed", "moved", "returned", "renamed", "unreadable", "damaged", "too_small")


def _describe_interrupt(command: str, run: ActiveRun) -> str:
    """What a run that Ctrl-C ended did until then, and what to type next."""
    if command in _DEEDS:
        count, deed = _DEEDS[command]
        number = run.counts.get(count, 0)
        by_run = f"{counted(number, 'file was', 'files were')} {deed} by run {run.id}"
        done = by_run if number else f"no file was {deed}"
        undo = f"; to undo: {command_line('restore', '--run', str(run.id))}" if number and command == "prune" else ""
        return f"interrupted: {done}; the same command goes on from there{undo}"
    has_stored = any(run.counts.get(outcome) for outcome in (*_STORED_OUTCOMES, "videos"))
    if command == "ingest" and not has_stored:
        return "interrupted: nothing was stored yet"
    return f"interrupted: what run {run.id} stored is kept, and the same command goes on from there"


def name_of_user(uid: int) -> str:
    """The name of a user, or the number if the system has no name for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _list_interrupted_images(database: Database) -> frozenset[int]:
    """The images with a removal or return that was begun and not finished."""
    with database.read() as session:
        return frozenset(removal.image_id for removal in removals.list_pending(session))


def _add_recovered(run: ActiveRun, recovery: Recovery) -> None:
    """Adds what was recovered before a run's own work, as the run stores it; without zeros."""
    done = {"finished": recovery.finished, "undone": recovery.undone}
    run.recovered.update({name: number for name, number in done.items() if number})
    run.recovered.pop("left_open", None)
    if recovery.unresolved:
        run.recovered["left_open"] = len(recovery.unresolved)
