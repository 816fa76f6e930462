"""restore: bring quarantined files back to where they were.

It promises that

- nothing is overwritten;
- times are kept; and
- a restored file is not removed again by surprise: files that a person names are pinned with their keepers; files of
  a run that is undone are held back from later plans, and decided as before.

The person may say that a later prune can take them again.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from indexer.domain.paths import lies_at_or_below
from indexer.domain.plurals import counted
from indexer.domain.removal import RemovalState
from indexer.errors import ImageError, RunError, UsageError
from indexer.escaping import command_line, printable
from indexer.files.absence import is_absent
from indexer.files.moving import move_no_replace, restore_from_aside
from indexer.files.quarantine import (
    make_synced_folders,
    quarantine_of,
    release_quarantine_path,
)
from indexer.files.refusals import describe_os_error
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.interrupts import uninterrupted
from indexer.store import image_folders, reconsidered, removals, returns, runs
from indexer.store.database import Database
from indexer.store.image_lookup import matches_name
from indexer.store.removals import Act, JournalEntry
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.removal.interrupted_acts import has_left_quarantine
from indexer.workflows.removal.missing_folders import find_missing_folder, relocate_hint
from indexer.workflows.removal.return_obstacles import (
    PresentImages,
    RenamedFolders,
    ReturnSpace,
    describe_failure,
    find_obstacle,
    is_there,
    propose_move,
)
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import lock_quarantines, record_return


@dataclass(frozen=True)
class RestoreSelection:
    """Which files to bring back: all, those of one run, those that the profile in force would keep, or those that
    names mean.

    `names` are as they were typed: the path of a file or a folder, a file name alone, or a glob.
    """

    everything: bool = False
    run_id: int | None = None
    names: tuple[str, ...] = ()
    would_keep: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The names as absolute paths, their folders resolved."""
        absolute = map(os.path.abspath, self.names)
        return tuple(os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)) for path in absolute)

    @property
    def named(self) -> Iterable[tuple[str, str]]:
        """Each path, with the name as it was typed."""
        return zip(self.paths, self.names, strict=True)


def parse_selection(
    paths: Sequence[str], *, everything: bool, run_id: int | None, would_keep: bool = False
) -> RestoreSelection:
    """The files that a person asked to bring back: exactly one of all, a run, those that would be kept, or paths.

    Raises `UsageError` for none of them, and for several.
    """
    if (everything, run_id is not None, would_keep, bool(paths)).count(True) != 1:
        raise UsageError("say what to bring back: --all, --run ID, --would-keep, or the paths where the files were")
    return RestoreSelection(everything, run_id, tuple(paths), would_keep)


@dataclass
class RestoreReport:
    """What came back and what did not.

    `pinned` and `held_back` say what keeps the files from a later prune. `folders`: how many files each folder got
    back. `made_folders`: the outermost folders that were gone and were made anew. `copies`: how many files stay in
    quarantine, as the same image is back already. `quarantined`: how many lie there in all. `run_id`: the run that
    brought them back; None without an index.
    """

    restored: int = 0
    pinned: bool = True
    copies: int = 0
    quarantined: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    held_back: bool = False
    folders: Counter[str] = field(default_factory=Counter)
    made_folders: list[str] = field(default_factory=list)
    run_id: int | None = None

    def count_return(self, path: str, *, missing_folder: str | None) -> None:
        """Counts a file that is back at a path; `missing_folder`: the folder that was made for it, if any."""
        self.restored += 1
        self.folders[os.path.dirname(path)] += 1
        if missing_folder is not None:
            self.made_folders.append(missing_folder)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {"restored": self.restored, "failed": len(self.failures), "copies": self.copies}


@dataclass
class RestorePlan:
    """What restore would bring back: how many files, to which folders, and which cannot come back, with the reason.

    `missing_folders`: the outermost folders that would be made anew. `copies`: how many files would stay in quarantine,
    as the same image is back already.
    """

    files: int = 0
    size_bytes: int = 0
    copies: int = 0
    folders: Counter[str] = field(default_factory=Counter)
    missing_folders: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Manner:
    """How a file comes back: with a pin, held back from later plans, or neither."""

    pin: bool
    hold: bool

    @property
    def act(self) -> Act:
        """The act as the journal has it."""
        return "restore" if self.pin else "restore_unpinned"


def restore(
    database: Database,
    selection: RestoreSelection,
    *,
    pin: bool,
    clock: Clock,
    hold: bool = False,
    progress: Progress = no_progress,
) -> RestoreReport:
    """Brings files back. Returns the report of what came back.

    `pin`: they and their keepers are pinned. `hold`: later plans leave them out until a person includes them.

    Raises `RunError` if there is no such run, and `ImageError` for a path where no removed file was, or for a file
    name that may mean files of several folders.
    """
    _require_matches(database, selection)
    arguments = {
        "all": selection.everything,
        "run": selection.run_id,
        "paths": [printable(path) for path in selection.paths],
        "would_keep": selection.would_keep,
        "pin": pin,
        "hold": hold,
    }
    with record_run(database, "restore", arguments=arguments, clock=clock) as run:
        report = RestoreReport(pinned=pin, held_back=hold, run_id=run.id)
        chosen = _list_selected(database, selection)
        advance = progress("restoring", len(chosen))
        renamed, present = RenamedFolders(database), PresentImages(database, chosen)
        for removal in chosen:
            missing_folder = find_missing_folder(removal.path)
            with uninterrupted():
                if present.has_copy_of(removal, named=bool(selection.names)):
                    report.copies += 1
                elif (
                    problem := present.describe(removal)
                    or renamed.describe(missing_folder)
                    or _restore_file(database, removal, manner=_Manner(pin, hold), run=run, clock=clock)
                ) is not None:
                    report.failures.append((removal.path, problem))
                else:
                    report.count_return(removal.path, missing_folder=missing_folder)
                    present.add(removal)
                run.counts = report.counts
            advance(1)
    report.quarantined = _count_quarantined(database)
    return report


def plan_restore(database: Database, selection: RestoreSelection) -> RestorePlan:
    """What `restore` would do, as far as it is known before the files in quarantine are read. It writes nothing.

    Raises `RunError` and `ImageError` as `restore` does.
    """
    _require_matches(database, selection)
    plan, chosen, coming = RestorePlan(), _list_selected(database, selection), set[str]()
    renamed, present, space = RenamedFolders(database), PresentImages(database, chosen), ReturnSpace()
    for removal in chosen:
        missing_folder = find_missing_folder(removal.path)
        if has_left_quarantine(removal):
            plan.copies += os.path.lexists(removal.path)
            continue
        if present.has_copy_of(removal, named=bool(selection.names)):
            plan.copies += 1
            continue
        problem = present.describe(removal) or renamed.describe(missing_folder) or space.describe(removal)
        problem = problem or find_obstacle(removal, run=None)
        if problem is None and removal.path in coming:
            problem = "another file comes back to this path before it"
        elif problem is None and os.path.lexists(removal.path):
            problem = _describe_occupied(removal)
        if problem is not None:
            plan.failures.append((removal.path, problem))
            continue
        coming.add(removal.path)
        space.add(removal)
        plan.files += 1
        plan.size_bytes += removal.size_bytes
        plan.folders[os.path.dirname(removal.path)] += 1
        if missing_folder is not None and missing_folder not in plan.missing_folders:
            plan.missing_folders.append(missing_folder)
        present.add(removal)
    return plan


def _count_quarantined(database: Database) -> int:
    with database.read() as session:
        return removals.sum_quarantined(session)[0]


def _require_matches(database: Database, selection: RestoreSelection) -> None:
    """Refuses a request that matches nothing in quarantine, before a run is begun."""
    with database.read() as session:
        if selection.run_id is not None and not runs.run_exists(session, selection.run_id):
            raise RunError(f"there is no run {selection.run_id}; see: {command_line('audit', 'runs')}")
        quarantined = removals.list_quarantined(session, run_id=selection.run_id)
    for path, name in selection.named:
        if not _list_named(quarantined, path, name):
            _refuse_deleted(database, path, name)
            raise ImageError(
                f"nothing from {path!r} is in quarantine; see: {command_line('audit', 'removals')}"
                f"{_describe_missing_roots(database)}"
            )


def _refuse_deleted(database: Database, path: str, name: str) -> None:
    """Raises `ImageError` if what a person named was deleted for good."""
    with database.read() as session:
        away = removals.list_away(session)
    deleted = [removal for removal in away if removal.state in {RemovalState.DELETED, RemovalState.PURGED}]
    if not (named := _list_named(deleted, path, name)):
        return
    last = named[-1]
    more = f", and {counted(len(named) - 1, 'more file')}" if len(named) > 1 else ""
    raise ImageError(
        f"{last.path!r} was deleted for good and cannot come back; it was removed by run {last.run_id}{more}. "
        f"What stands for it: {last.keeper_path!r}"
    )


def _describe_missing_roots(database: Database) -> str:
    """What to type if a folder of this index was renamed or moved; empty if all its folders are there."""
    with database.read() as session:
        missing = [root for root in sorted(image_folders.list_roots(session)) if not os.path.isdir(root)]
    folder = None if not missing else find_missing_folder(os.path.join(missing[0], "image"))
    return "" if folder is None else f"; {relocate_hint(folder)}"


def _list_selected(database: Database, selection: RestoreSelection) -> list[JournalEntry]:
    """The removals to undo, oldest first; but those of one image newest first, as the last one has its present path."""
    chosen = _list_matching(database, selection)
    first_ids: dict[int, int] = {}
    for removal in chosen:
        first_ids.setdefault(removal.image_id, removal.id)
    return sorted(chosen, key=lambda removal: (first_ids[removal.image_id], -removal.id))


def _list_matching(database: Database, selection: RestoreSelection) -> list[JournalEntry]:
    with database.read() as session:
        quarantined = removals.list_quarantined(session, run_id=selection.run_id)
        if selection.would_keep:
            would_keep = reconsidered.list_would_keep(session)
            return [removal for removal in quarantined if removal.id in would_keep]
    if not selection.names:
        return quarantined
    ids = {removal.id for path, name in selection.named for removal in _list_named(quarantined, path, name)}
    return [removal for removal in quarantined if removal.id in ids]


def _list_named(quarantined: Sequence[JournalEntry], path: str, name: str) -> list[JournalEntry]:
    """The removed files at or below a path; if there are none, those that lie there in quarantine; else those that its
    name alone, or as a glob, means.

    A link to a folder means the folder, unless files were below the link itself.

    Raises `ImageError` if a file name alone means files of several folders.
    """
    for folder in dict.fromkeys((path, os.path.realpath(path))):
        below = [removal for removal in quarantined if lies_at_or_below(removal.path, folder)]
        lying_there = [removal for removal in quarantined if lies_at_or_below(removal.quarantine_path or "", folder)]
        if below or lying_there:
            return below or lying_there
    matching = [removal for removal in quarantined if matches_name(removal.path, name)]
    folders = {os.path.dirname(removal.path) for removal in matching if os.path.basename(removal.path) == name}
    if len(folders) > 1:
        raise ImageError(
            f"{name!r} lay in {counted(len(folders), 'folder')}: {', '.join(map(repr, sorted(folders)))}; type a path"
        )
    return matching


def _restore_file(
    database: Database, removal: JournalEntry, *, manner: _Manner, run: ActiveRun, clock: Clock
) -> str | None:
    """Brings one file back. Returns why not if it failed, else None."""
    if (obstacle := ReturnSpace().describe(removal) or find_obstacle(removal, run=run)) is not None:
        return obstacle
    quarantine = quarantine_of(removal.quarantine_path or "")
    try:
        with lock_quarantines((removal.path, removal.keeper_path), quarantine=quarantine) as locks:

            def before_unlink() -> None:
                locks.require()
                run.write_lock.raise_if_lost()

            with database.read() as session:
                current = removals.find_removal(session, removal.id)
            if current is None or (current.state, current.pending) != (removal.state, None):
                return f"another command was at work on it; see: {command_line('audit', 'removals')}"
            problem = _move_back(database, current, manner=manner, run=run, clock=clock, before_unlink=before_unlink)
            if problem is None:
                record_return(removal, index_id=run.index_id, at=clock())
            return problem
    except OSError as problem:
        return f"its quarantine cannot be locked: {describe_os_error(problem)}"


def _move_back(
    database: Database,
    removal: JournalEntry,
    *,
    manner: _Manner,
    run: ActiveRun,
    clock: Clock,
    before_unlink: Callable[[], None],
) -> str | None:
    """Moves one file back, with the journal around it. Returns why not if it failed, else None."""
    quarantine_path = removal.quarantine_path or ""
    expected = ContentDigest(removal.size_bytes, removal.content_hash)
    try:
        restore_from_aside(quarantine_path, expected=expected, before_unlink=before_unlink)
        identity = verify(quarantine_path, expected=expected)
    except MismatchError as problem:
        return f"in quarantine: {problem.reason}"
    with database.write() as session:
        removals.begin_act(session, removal.id, act=manner.act)
        # Until the file is back, what held it back before goes on doing so: a failure or a crash ends no hold.
        removals.set_held_back(session, removal.id, held_back=removal.held_back or manner.hold)
    try:
        make_synced_folders(os.path.dirname(removal.path), closed=False)
        move_no_replace(quarantine_path, removal.path, expected=identity, before_unlink=before_unlink)
    except (OSError, MismatchError) as problem:
        reason = describe_failure(problem)
        # An act that could not even be undone stays open: the next writing command recovers it.
        if isinstance(problem, FileExistsError) or is_absent(removal.path):
            with database.write() as session:
                removals.finish_act(session, removal.id, RemovalState.QUARANTINED, at=clock(), problem=reason)
                removals.set_held_back(session, removal.id, held_back=removal.held_back)
        return _describe_occupied(removal) if isinstance(problem, FileExistsError) else reason
    with database.write() as session:
        removals.finish_act(session, removal.id, RemovalState.RESTORED, at=clock())
        removals.set_held_back(session, removal.id, held_back=manner.hold)
        returned = replace(removal, pending=manner.act, held_back=manner.hold)
        returns.mark_returned(session, returned, at=clock(), run_id=run.id)
    release_quarantine_path(quarantine_path)
    return None


def _describe_occupied(removal: JournalEntry) -> str:
    """Why a file cannot come back to its path, where there is a file, and what to type."""
    if is_there(removal.path, expected=ContentDigest(removal.size_bytes, removal.content_hash)):
        return (
            f"its picture is at its path already; to free all that is in quarantine: {command_line('purge', '--all')}"
        )
    occupied = FileExistsError()
    return f"{describe_failure(occupied)}{propose_move(occupied, path=removal.path)}"
