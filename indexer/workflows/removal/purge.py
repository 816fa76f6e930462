"""purge: delete quarantined files for good and free their space.

It promises that a file is deleted only while its keeper is present and unchanged, and only if the file itself is what
was put into quarantine.

Where a whole quarantine is not there, nobody can tell whether it was deleted or its disk is away. A person can
(`close_gone`): the journal then says that its files are gone. This deletes nothing, and the keepers go on standing for
them; they must be there.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from indexer.domain.decisions import ordered_pair
from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.domain.verdicts import Pair
from indexer.errors import FolderError, RunError, UsageError
from indexer.escaping import command_line, printable
from indexer.files.absence import is_absent
from indexer.files.lost_files import is_lost
from indexer.files.moving import aside_path, delete_witnessed, restore_from_aside
from indexer.files.quarantine import quarantine_of, release_quarantine_path
from indexer.files.refusals import describe_os_error
from indexer.files.verification import ContentDigest, MismatchError, may_be_same_file, verify, verify_again
from indexer.interrupts import uninterrupted
from indexer.store import cameras, images, removals, runs, verdicts
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.removal.deletion_obstacles import (
    find_obstacle,
    find_other_size,
    find_reason_not_to_close,
    is_gone,
)
from indexer.workflows.removal.interrupted_acts import has_left_quarantine
from indexer.workflows.removal.missing_folders import find_quarantine_problem
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import lock_quarantines, record_again, record_legacy_removals


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


@dataclass(frozen=True)
class PurgeSelection:
    """Which files to purge.

    `quarantine`: only files of this quarantine; None: of all. `older_than_days`: only files that were removed more than
    so many days ago; None: all. `gone`: instead, the files whose quarantine does not exist, and those whose removal was
    cut off and that are nowhere. `camera` and `run_id`: only files of this camera, or that this run removed.
    """

    quarantine: str | None = None
    older_than_days: float | None = None
    gone: bool = False
    camera: str | None = None
    run_id: int | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What was asked for, as the run stores it."""
        named: dict[str, Any] = {} if self.quarantine is None else {"quarantine": printable(self.quarantine)}
        named |= {} if self.camera is None else {"camera": self.camera}
        named |= {} if self.run_id is None else {"run": self.run_id}
        return named | ({"gone": True} if self.gone else {"older_than_days": self.older_than_days})


@dataclass(frozen=True)
class PurgeCandidate:
    """A file that purge would delete, or whose quarantine is gone: where it was, and where it lies or lay."""

    removal_id: int
    path: str
    quarantine_path: str | None
    size_bytes: int
    removed_at: datetime | None


@dataclass(frozen=True)
class PurgeObstacle:
    """A file that would stay in quarantine: where it lies or lay, and why it would stay."""

    removal_id: int
    path: str
    reason: str


@dataclass(frozen=True)
class PurgePlan:
    """The files that purge would delete; if `gone`, those that it would record as gone with their quarantine.

    `quarantines`: how many of them each quarantine has. Files and keepers are read only when purge acts. `skipped`: the
    files that would stay, as far as that is known before.
    """

    gone: bool
    size_bytes: int
    quarantines: dict[str, int]
    files: tuple[PurgeCandidate, ...]
    skipped: tuple[PurgeObstacle, ...]

    @property
    def obstacles(self) -> dict[int, str]:
        """Why each file would stay that would, by its removal."""
        return {file.removal_id: file.reason for file in self.skipped}

    @property
    def removal_ids(self) -> set[int]:
        """The removals of all files, also of those that would stay."""
        return {file.removal_id for file in self.files} | self.obstacles.keys()


def parse_purge(
    quarantine: str | None,
    *,
    everything: bool,
    older_than_days: float | None,
    gone: bool = False,
    camera: str | None = None,
    run_id: int | None = None,
) -> PurgeSelection:
    """The files that a person asked for: of a camera, of a run, all, of an age, or those that are gone.

    Raises `UsageError` if none is given, and for two of the last three.
    """
    given = (everything, older_than_days is not None, gone).count(True)
    if given > 1 or (given == 0 and camera is None and run_id is None):
        raise UsageError(
            "say what to delete: --camera NAME, --run ID, --all, --older-than DAYS, or --gone for files that are gone "
            "already"
        )
    return PurgeSelection(quarantine, older_than_days, gone, camera, run_id)


def plan_purge(database: Database, selection: PurgeSelection, *, clock: Clock) -> PurgePlan:
    """The files of a selection, and why some of them would stay. It writes nothing.

    Raises `FolderError` if the named quarantine never had a file of this index; `CameraError` and `RunError` if there
    is no such camera or run.
    """
    selected = _list_selected(database, selection, clock=clock)
    chosen = [removal for removal in selected if not has_left_quarantine(removal)]
    with database.read() as session:
        verdict_of = {(judged.image_a_id, judged.image_b_id): judged for judged in verdicts.list_verdicts(session)}
    reasons = {
        removal.id: (
            find_reason_not_to_close(removal, reads=False)
            if selection.gone or is_gone(removal)
            else find_obstacle(removal, verdict=verdict_of.get(_pair(removal)), run=None)
        )
        for removal in chosen
    }
    planned = [removal for removal in chosen if reasons[removal.id] is None]
    return PurgePlan(
        selection.gone,
        sum(removal.size_bytes for removal in planned),
        dict(Counter(quarantine_of(removal.quarantine_path) for removal in planned if removal.quarantine_path)),
        tuple(
            PurgeCandidate(removal.id, removal.path, removal.quarantine_path, removal.size_bytes, removal.removed_at)
            for removal in planned
        ),
        tuple(
            PurgeObstacle(
                removal.id, removal.path if selection.gone else removal.quarantine_path or removal.path, reason
            )
            for removal in chosen
            if (reason := reasons[removal.id]) is not None
        ),
    )


def _list_selected(database: Database, selection: PurgeSelection, *, clock: Clock) -> list[JournalEntry]:
    days = selection.older_than_days
    with database.read() as session:
        if selection.camera is not None:
            cameras.get_camera(session, selection.camera)
        if selection.run_id is not None and not runs.run_exists(session, selection.run_id):
            raise RunError(f"there is no run {selection.run_id}; see: {command_line('audit', 'runs')}")
        quarantined = removals.list_quarantined(session)
        old = removals.list_quarantined(
            session, removed_before=None if days is None else clock() - timedelta(days=days)
        )
        interrupted = removals.list_pending(session) if selection.gone else []
    removed = {removal.id: removal for removal in [*old, *interrupted]}.values()
    chosen = [
        removal
        for removal in removed
        if selection.camera in {None, removal.camera}
        and selection.run_id in {None, removal.run_id}
        and (not selection.gone or _is_closable(removal))
    ]
    if selection.quarantine is None:
        return chosen
    folders = {os.path.abspath(selection.quarantine), os.path.realpath(selection.quarantine)}
    known = {
        quarantine_of(removal.quarantine_path) for removal in [*quarantined, *interrupted] if removal.quarantine_path
    }
    if known and not folders & known:
        names = ", ".join(map(repr, sorted(known)))
        raise FolderError(f"no file of this index lies in {selection.quarantine!r}; they lie in: {names}")
    return [removal for removal in chosen if quarantine_of(removal.quarantine_path or "") in folders]


def _is_closable(removal: JournalEntry) -> bool:
    if removal.pending is None:
        return find_quarantine_problem(removal) is not None  # one that cannot be read is then refused, with the reason
    return is_lost(removal.path, aside=removal.aside_path, quarantine_path=removal.quarantine_path)


def purge(
    database: Database,
    selection: PurgeSelection,
    *,
    clock: Clock,
    shown: PurgePlan | None = None,
    progress: Progress = no_progress,
) -> PurgeReport:
    """Deletes quarantined files of a selection. Returns the report of what was freed.

    `shown`: what a person was asked about. No other file is deleted; what would have stayed then stays, whatever
    changed since. Raises `FolderError`, `CameraError` and `RunError` as `plan_purge` does.
    """
    report = PurgeReport()
    with record_run(database, "purge", arguments=selection.arguments, clock=clock) as run:
        record_legacy_removals(database, run=run, at=clock())
        chosen = _list_shown(database, selection, shown, clock=clock)
        obstacles = {} if shown is None else shown.obstacles
        advance = progress("purging", len(chosen))
        for removal in chosen:
            with uninterrupted():
                problem = obstacles.get(removal.id)
                if is_gone(removal):
                    problem = problem or find_reason_not_to_close(removal, reads=True)
                    if problem is None:
                        _mark_gone(database, removal, report, clock=clock)
                elif (problem := problem or _purge_file(database, removal, run=run, clock=clock)) is None:
                    report.purged += 1
                    report.size_bytes += removal.size_bytes
                if problem is not None:
                    _note_other_content(database, removal, problem, clock=clock)
                    report.skipped.append((removal.quarantine_path or removal.path, problem))
                run.counts = report.counts
            advance(1)
    return report


def _note_other_content(database: Database, removal: JournalEntry, problem: str, *, clock: Clock) -> None:
    """Writes into the journal that something lies in quarantine that was not put there, if that is the problem."""
    if removal.pending is None and problem == find_other_size(removal):
        with database.write() as session:
            removals.finish_act(session, removal.id, RemovalState.QUARANTINED, at=clock(), problem=problem)


def close_gone(
    database: Database,
    selection: PurgeSelection,
    *,
    clock: Clock,
    shown: PurgePlan | None = None,
    progress: Progress = no_progress,
) -> PurgeReport:
    """Writes into the journal that files are gone with their quarantine, as a person says. Returns the report.

    `shown`: what the person was asked about, as `purge` has it.

    Raises `FolderError`, `CameraError` and `RunError` as `plan_purge` does.
    """
    report = PurgeReport()
    with record_run(database, "purge", arguments=selection.arguments, clock=clock) as run:
        chosen = _list_shown(database, selection, shown, clock=clock)
        obstacles = {} if shown is None else shown.obstacles
        advance = progress("closing", len(chosen))
        problems = dict[int, str | None]()
        for removal in chosen:
            problems[removal.id] = obstacles.get(removal.id) or find_reason_not_to_close(removal, reads=True)
            advance(1)
        # The records went with the quarantine; what is not closed keeps what the index knows of its record.
        closable_ids = [removal_id for removal_id, problem in problems.items() if problem is None]
        recorded_ids = record_again(database, closable_ids, run=run, at=clock())
        for removal in chosen:
            problem = problems[removal.id]
            if problem is None and removal.id not in recorded_ids:
                problem = "no record beside the images can be written now; mount the disk of the images"
            if problem is None:
                _mark_gone(database, removal, report, clock=clock, problem="a person said that it is gone")
            else:
                report.skipped.append((removal.path, problem))
            run.counts = report.counts
    return report


def _list_shown(
    database: Database, selection: PurgeSelection, shown: PurgePlan | None, *, clock: Clock
) -> list[JournalEntry]:
    """The files of a selection that a person was shown; all of them if nobody was."""
    selected = _list_selected(database, selection, clock=clock)
    ids = None if shown is None else shown.removal_ids
    return [removal for removal in selected if ids is None or removal.id in ids]


def _mark_gone(
    database: Database,
    removal: JournalEntry,
    report: PurgeReport,
    *,
    clock: Clock,
    problem: str = "somebody else had taken it out of the quarantine",
) -> None:
    """Writes into the journal that a removed file no longer exists."""
    report.gone += 1
    state = RemovalState.DELETED if removal.quarantine_path is None else RemovalState.PURGED
    with database.write() as session:
        removals.finish_act(session, removal.id, state, at=clock(), problem=problem)
        if removal.state is RemovalState.PLANNED:  # it was cut off, and no recovery could end it
            removals.release(session, removal.image_id)
            images.set_state(session, [removal.image_id], ImageState.REMOVED)


def _purge_file(database: Database, removal: JournalEntry, *, run: ActiveRun, clock: Clock) -> str | None:
    """Deletes one file. Returns why not if it was kept, else None."""
    quarantine_path = removal.quarantine_path or ""
    with database.read() as session:
        verdict = verdicts.find_verdict(session, _pair(removal))
    if (obstacle := find_obstacle(removal, verdict=verdict, run=run)) is not None:
        return obstacle
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


def _pair(removal: JournalEntry) -> Pair:
    return ordered_pair(removal.image_id, removal.keeper_id)


def _delete(
    database: Database, removal: JournalEntry, quarantine_path: str, *, clock: Clock, before_unlink: Callable[[], None]
) -> str | None:
    """Deletes one file under its locks, after it and its keeper were read again. Returns why not if it was kept."""
    keeper_digest = ContentDigest(removal.keeper_size_bytes, removal.keeper_hash)
    try:
        keeper = verify(removal.keeper_path, expected=keeper_digest)
    except MismatchError as problem:
        return f"its keeper {removal.keeper_path!r}: {problem.reason}"
    aside = aside_path(quarantine_path)
    try:
        expected = ContentDigest(removal.size_bytes, removal.content_hash)
        restore_from_aside(quarantine_path, expected=expected, before_unlink=before_unlink)
        identity = verify(quarantine_path, expected=expected)
        if removal.content_hash == removal.keeper_hash and may_be_same_file(identity, keeper):
            return f"its keeper {removal.keeper_path!r} seems to be the same file, through another mount"
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
        if is_absent(aside):  # else the next writing command recovers it
            with database.write() as session:
                removals.finish_act(session, removal.id, RemovalState.QUARANTINED, at=clock(), problem=reason)
        return reason
    with database.write() as session:
        removals.finish_act(session, removal.id, RemovalState.PURGED, at=clock())
    release_quarantine_path(quarantine_path)
    return None
