"""What all writing commands share: they lock the index, recover interrupted removals, and record the run.

Decision 0037: only a command that has locked the whole index recovers interrupted removals.
"""

import os
import platform
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.plurals import counted
from indexer.errors import RunInterrupt
from indexer.escaping import command_line
from indexer.store import removals, runs
from indexer.store.database import Database
from indexer.store.index_identity import get_index_id, make_token
from indexer.store.locks.writer_lock import WriteLock, writer_lock
from indexer.workflows.context import Clock
from indexer.workflows.runs.recovery import Recovery, recover_removals


@dataclass
class ActiveRun:
    """A run in progress: its number, its lock, and the counts that are written when it ends.

    `token`: 32 hex digits that no other run has, of this index or another; `index_id`: 32 hex digits of the index.
    `username` and `hostname`: who runs it, and where.
    """

    id: int
    recovery: Recovery
    write_lock: WriteLock
    token: str
    index_id: str
    username: str
    hostname: str
    counts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def record_run(
    database: Database,
    command: str,
    *,
    arguments: Mapping[str, Any],
    clock: Clock,
    by_camera: bool = False,
    nobody_else: bool = False,
) -> Iterator[ActiveRun]:
    """A run of a writing command. Its row exists from the beginning and stores at the end how the run went.

    A command that works `by_camera` locks each camera before it reads what it will change. `nobody_else`: a person
    confirms that no other command works on the files, where locks cannot tell.
    """
    needs_recovery = by_camera and bool(_list_interrupted_images(database))
    with writer_lock(
        database, command=command, since=clock(), by_camera=by_camera, recovering=needs_recovery
    ) as write_lock:
        if by_camera and not write_lock.exclusive and _list_interrupted_images(database):
            write_lock.try_acquire_all()  # interrupted just now, or a moment before the others began
        if write_lock.exclusive:
            recovery = recover_removals(database, clock=clock, write_lock=write_lock, nobody_else=nobody_else)
        else:
            recovery = Recovery(unresolved=_list_interrupted_images(database))
        if by_camera:
            write_lock.downgrade()
        run = _start_run(database, command, arguments=arguments, clock=clock, recovery=recovery, write_lock=write_lock)
        outcome = "failed"
        try:
            yield run
            outcome = "done"
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise RunInterrupt(_describe_interrupt(command, run)) from None
        finally:
            counts = run.counts | (
                {"settled": recovery_counts} if (recovery_counts := _count_recovered(recovery)) else {}
            )
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
        undo = f"; to undo: {command_line('restore', '--run', str(run.id))}" if command == "prune" else ""
        if not number:
            return f"interrupted: no file was {deed}"
        return f"interrupted: {counted(number, 'file was', 'files were')} {deed} by run {run.id}{undo}"
    if command == "ingest" and not any(run.counts.get(outcome) for outcome in _STORED_OUTCOMES):
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


def _count_recovered(recovery: Recovery) -> dict[str, int]:
    """The counts of the recovery before the run's own work, as the run stores them; without zeros."""
    numbers = {"finished": recovery.finished, "undone": recovery.undone, "left_open": len(recovery.unresolved)}
    return {name: number for name, number in numbers.items() if number}
