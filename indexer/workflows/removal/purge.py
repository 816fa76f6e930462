"""purge: delete quarantined files for good and free their space.

It promises that a file is deleted only while its keeper is present and unchanged, and only if the file itself is what
was put into quarantine.

Where a whole quarantine is not there, nobody can tell whether it was deleted or its disk is away. A person can
(`close_gone`): the journal then says that its files are gone. This deletes nothing, and the keepers go on standing for
them; they must be there.
"""

import os
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from indexer.domain.decisions import ordered_pair
from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.errors import UsageError
from indexer.escaping import command_line
from indexer.files.moving import aside_path, delete_witnessed, restore_from_aside
from indexer.files.quarantine import is_quarantine_mounted, quarantine_of, release_quarantine_path
from indexer.files.refusals import describe_os_error
from indexer.files.system_folders import is_in_separate_system_folder
from indexer.files.verification import (
    ContentDigest,
    MismatchError,
    is_same_file,
    may_be_same_file,
    verify,
    verify_again,
)
from indexer.interrupts import uninterrupted
from indexer.store import adoption, removals, verdicts
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.removal.missing_folders import find_missing_folder, relocate_hint
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import lock_quarantines, record_legacy_removals


@dataclass
class PurgeReport:
    """What was freed, and what was skipped and why."""

    purged: int = 0
    size_bytes: int = 0
    gone: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {"purged": self.purged, "size_bytes": self.size_bytes, "gone": self.gone, "skipped": len(self.skipped)}


def require_choice(*, everything: bool, older_than_days: float | None, gone: bool = False) -> None:
    """Raises `UsageError` unless a request says in exactly one manner which files."""
    if (everything, older_than_days is not None, gone).count(True) != 1:
        raise UsageError("say what to delete: --all, or --older-than DAYS; or --gone, for what is gone already")


def list_purgeable(database: Database, *, older_than_days: float | None, clock: Clock) -> list[JournalEntry]:
    """The quarantined files that were removed more than `older_than_days` days ago (None: all)."""
    before = None if older_than_days is None else clock() - timedelta(days=older_than_days)
    with database.read() as session:
        return removals.list_quarantined(session, removed_before=before)


def purge(
    database: Database,
    *,
    older_than_days: float | None,
    clock: Clock,
    shown: Set[int] | None = None,
    progress: Progress = no_progress,
) -> PurgeReport:
    """Deletes quarantined files. Returns the report of what was freed.

    `shown`: only these removals, which a person was asked about.
    """
    report = PurgeReport()
    with record_run(database, "purge", arguments={"older_than_days": older_than_days}, clock=clock) as run:
        record_legacy_removals(database, run=run, at=clock())
        chosen = list_purgeable(database, older_than_days=older_than_days, clock=clock)
        if shown is not None:
            chosen = [removal for removal in chosen if removal.id in shown]
        advance = progress("purging", len(chosen))
        for removal in chosen:
            if _is_gone(removal):
                _mark_gone(database, removal, report, clock=clock)
                continue
            with uninterrupted():
                problem = _purge_file(database, removal, run=run, clock=clock)
            if problem is None:
                report.purged += 1
                report.size_bytes += removal.size_bytes
            else:
                report.skipped.append((removal.quarantine_path or removal.path, problem))
            run.counts = report.counts
            advance(1)
    return report


def list_gone(database: Database) -> list[JournalEntry]:
    """The files of quarantines that are not there: deleted by hand, or on a disk that is away."""
    with database.read() as session:
        quarantined = removals.list_quarantined(session)
    return [removal for removal in quarantined if removal.pending is None and _is_quarantine_missing(removal)]


def close_gone(
    database: Database, *, clock: Clock, shown: Set[int] | None = None, progress: Progress = no_progress
) -> PurgeReport:
    """Writes into the journal that files are gone with their quarantine, as a person says. Returns the report.

    `shown`: only these removals, which the person was asked about.
    """
    report = PurgeReport()
    with record_run(database, "purge", arguments={"gone": True}, clock=clock) as run:
        chosen = [removal for removal in list_gone(database) if shown is None or removal.id in shown]
        unrecorded = _record_again(database, chosen, run=run, clock=clock)
        advance = progress("closing", len(chosen))
        for removal in chosen:
            problem = _find_reason_not_to_close(removal)
            if problem is None and removal.id in unrecorded:
                problem = "no record beside the images can be written now; mount the disk of the images"
            if problem is None:
                _mark_gone(database, removal, report, clock=clock, problem="a person said that its quarantine is gone")
            else:
                report.skipped.append((removal.path, problem))
            run.counts = report.counts
            advance(1)
    return report


def _record_again(
    database: Database, chosen: Sequence[JournalEntry], *, run: ActiveRun, clock: Clock
) -> frozenset[int]:
    """Writes the records beside the images anew, as they went with the quarantine; the ids of those not written."""
    with database.write() as session:
        adoption.mark_unrecorded(session, [removal.id for removal in chosen])
    record_legacy_removals(database, run=run, at=clock())
    with database.read() as session:
        return frozenset(removal.id for removal in removals.list_quarantined(session) if not removal.recorded)


def _is_quarantine_missing(removal: JournalEntry) -> bool:
    quarantine_path = removal.quarantine_path or ""
    return not is_quarantine_mounted(quarantine_path) and not os.path.lexists(quarantine_path)


def _find_reason_not_to_close(removal: JournalEntry) -> str | None:
    """Why a file must not count as gone: nothing would stand for it, or its disk is rather away; else None."""
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!a} is {removal.keeper_state}"
    try:
        verify(removal.keeper_path, expected=ContentDigest(removal.keeper_size_bytes, removal.keeper_hash))
    except MismatchError as problem:
        return f"its keeper {removal.keeper_path!a}: {problem.reason}; mount its disk"
    return None


def _is_gone(removal: JournalEntry) -> bool:
    """Whether somebody else took the file out of its quarantine, while the disk itself is still mounted.

    The quarantine's marker shows that, or the run's folder: a quarantine may be a mount point, which exists and is
    empty without its disk.
    """
    quarantine_path = removal.quarantine_path or ""
    if removal.pending is not None or not is_quarantine_mounted(quarantine_path):
        return False
    if os.path.lexists(aside_path(quarantine_path)):  # an interrupted purge left it there
        return False
    try:
        os.lstat(quarantine_path)
    except OSError as problem:
        return isinstance(problem, FileNotFoundError)
    return False


def _mark_gone(
    database: Database,
    removal: JournalEntry,
    report: PurgeReport,
    *,
    clock: Clock,
    problem: str = "somebody else had taken it out of the quarantine",
) -> None:
    """Writes into the journal that a quarantined file no longer exists."""
    report.gone += 1
    with database.write() as session:
        removals.finish_act(session, removal.id, RemovalState.PURGED, at=clock(), problem=problem)


def _find_objection(database: Database, removal: JournalEntry) -> str | None:
    """Why a person's later verdict speaks against the removal of a file, which then must not be deleted; else None."""
    with database.read() as session:
        verdict = verdicts.find_verdict(session, ordered_pair(removal.image_id, removal.keeper_id))
    if verdict is None or verdict.verdict == "same":
        return None
    return (
        f"{verdict.by} said that its keeper shows something different; "
        f"bring it back with: {command_line('restore', names=[removal.path])}"
    )


def _purge_file(database: Database, removal: JournalEntry, *, run: ActiveRun, clock: Clock) -> str | None:
    """Deletes one file. Returns why not if it was kept, else None."""
    quarantine_path = removal.quarantine_path or ""
    if (reason := _find_reason_to_keep(database, removal, quarantine_path, run=run)) is not None:
        return reason
    try:
        with lock_quarantines((removal.path, removal.keeper_path), quarantine=quarantine_of(quarantine_path)) as locks:
            with database.read() as session:
                current = removals.find_removal(session, removal.id)
            if current is None or (current.state, current.pending) != (removal.state, None):
                return f"another command was at work on it; see: {command_line('audit', 'removals')}"
            if not locks.exclusive and os.path.lexists(removal.path):
                return "another host may be at work on it, as something is at its old path; move that away first"

            def before_unlink() -> None:
                locks.require()
                run.write_lock.raise_if_lost()

            return _delete(database, removal, quarantine_path, clock=clock, before_unlink=before_unlink)
    except OSError as problem:
        return f"its quarantine cannot be locked: {describe_os_error(problem)}"


def _find_reason_to_keep(
    database: Database, removal: JournalEntry, quarantine_path: str, *, run: ActiveRun
) -> str | None:
    """Why a file is not deleted, as far as this is known before any file is read; else None."""
    if removal.pending is not None:
        return f"what was begun with it {run.recovery.describe_unresolved(removal.image_id)}"
    if _is_quarantine_missing(removal):
        return (
            f"the quarantine {quarantine_of(quarantine_path)!a} is not there; mount its disk, or if it was deleted: "
            f"{command_line('purge', '--gone')}{_describe_missing_root(removal)}"
        )
    if is_same_file(quarantine_path, removal.keeper_path):
        # A link on the way can do that: the keeper's path then leads to the very file that would be deleted.
        return f"it is the same file as its keeper {removal.keeper_path!a}"
    if (objection := _find_objection(database, removal)) is not None:
        return objection
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!a} is {removal.keeper_state}"
    if is_in_separate_system_folder(removal.keeper_path, removal.path):
        return (
            f"its keeper {removal.keeper_path!a} lies in a hidden folder, a bin, a snapshot or the like, and may be "
            f"gone tomorrow; bring it back with: {command_line('restore', names=[removal.path])}"
        )
    return None


def _describe_missing_root(removal: JournalEntry) -> str:
    """What to type if the folder that a file was in was renamed; empty if it is there."""
    folder = find_missing_folder(removal.path)
    return "" if folder is None else f"; {relocate_hint(folder)}"


def _delete(
    database: Database, removal: JournalEntry, quarantine_path: str, *, clock: Clock, before_unlink: Callable[[], None]
) -> str | None:
    """Deletes one file under its locks, after it and its keeper were read again. Returns why not if it was kept."""
    keeper_digest = ContentDigest(removal.keeper_size_bytes, removal.keeper_hash)
    try:
        keeper = verify(removal.keeper_path, expected=keeper_digest)
    except MismatchError as problem:
        return f"its keeper {removal.keeper_path!a}: {problem.reason}"
    aside = aside_path(quarantine_path)
    try:
        expected = ContentDigest(removal.size_bytes, removal.content_hash)
        restore_from_aside(quarantine_path, expected=expected, before_unlink=before_unlink)
        identity = verify(quarantine_path, expected=expected)
        if removal.content_hash == removal.keeper_hash and may_be_same_file(identity, keeper):
            return f"its keeper {removal.keeper_path!a} seems to be this file, seen through another mount"
        with database.write() as session:
            removals.begin_act(session, removal.id, act="purge")
        delete_witnessed(
            quarantine_path,
            expected=identity,
            aside=aside,
            require_witness=lambda: verify_again(removal.keeper_path, checked=keeper, expected=keeper_digest),
            before_unlink=before_unlink,
        )
    except (OSError, MismatchError) as problem:
        reason = problem.reason if isinstance(problem, MismatchError) else describe_os_error(problem)
        if not os.path.lexists(aside):  # else the next writing command recovers it
            with database.write() as session:
                removals.finish_act(session, removal.id, RemovalState.QUARANTINED, at=clock(), problem=reason)
        return reason
    with database.write() as session:
        removals.finish_act(session, removal.id, RemovalState.PURGED, at=clock())
    release_quarantine_path(quarantine_path)
    return None
