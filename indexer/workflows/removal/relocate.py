"""relocate: tell the index that a folder was renamed or moved, with the images in it.

It promises that all paths of the index change in one transaction, or none, and that what protects files goes with them:
the records beside the images and the manifests of the quarantines get lines with the new paths before the index
changes. A crash in between leaves lines that protect more than they need to; the same command run again ends that. No
image is moved or opened. A removal that was cut off goes with its folder, and the next command settles it there. If an
ingest took the new path for another place, and asked whether a camera that is at both is one, that question ends.

Decision 0043: the records of other indexes' removals go with the folder too.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from indexer.domain.paths import relocated
from indexer.domain.plurals import counted
from indexer.errors import FolderError, UsageError
from indexer.escaping import command_line, printable, quoted
from indexer.files import manifest, witness_record
from indexer.files.beneath import lies_beneath
from indexer.files.folder_lock import lock_folders
from indexer.files.owners import Owner, add_owner
from indexer.files.quarantine import prepare_quarantine, quarantine_folder, quarantine_of
from indexer.files.refusals import describe_os_error
from indexer.files.system_folders import count_system_folders
from indexer.files.witness_record import WitnessLine, list_record_folders
from indexer.store import confirmations, decisions, image_folders, relocation, removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import record_legacy_removals, witness_line


@dataclass(frozen=True)
class RelocationPlan:
    """What the index has below a folder, and how much of it is at the new path.

    `images` are present images, `there` those whose file is at the new path with its size. `removals` are rows of the
    journal; `quarantined` are the files in quarantine among them, `quarantined_there` those that are where they will be
    looked for. `not_there`: new paths of images without the file. `videos` are present videos, `videos_there` those
    whose file is at the new path with its size.
    """

    old: str
    new: str
    images: int
    there: int
    removals: int
    quarantined: int
    quarantined_there: int
    not_there: tuple[str, ...]
    videos: int
    videos_there: int


@dataclass(frozen=True)
class RelocationReport:
    """How many images, videos and rows of the journal have a new path, and which images are not at it."""

    old: str
    new: str
    images: int
    removals: int
    not_there: tuple[str, ...]
    videos: int

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        numbers = {"images": self.images, "removals": self.removals, "videos": self.videos}
        return numbers | {"not_there": len(self.not_there)}


def plan_relocation(database: Database, old: str, new: str) -> RelocationPlan:
    """The plan for a folder that became another one.

    Raises `UsageError` if these cannot be two folders, and `FolderError` if the one cannot have become the other.
    """
    old, new = _real_folders(old, new)
    with database.read() as session:
        present = list(relocation.iter_present_below(session, old))
        videos = list(relocation.iter_present_videos_below(session, old))
        removal_ids = relocation.list_removal_ids(session, old)
        if not present and not videos and not removal_ids and old not in image_folders.list_roots(session):
            roots = ", ".join(map(repr, image_folders.list_outermost_roots(session))) or "none yet"
            raise FolderError(f"this index has nothing below {old!r}; it has images of: {roots}")
        quarantined = [removal for removal in removals.list_quarantined(session) if removal.id in removal_ids]
        targets = {file.path: relocated(file.path, old=old, new=new) for file in [*present, *videos]}
        known = relocation.list_known_paths(session, sorted(targets.values()))
    _require_moved(targets, known, new=new)
    _require_quarantine_moved([removal.quarantine_path or "" for removal in quarantined], old=old, new=new)
    not_there = [targets[file.path] for file in present if not _has_size(targets[file.path], file.size_bytes)]
    quarantine_paths = [relocated(removal.quarantine_path or "", old=old, new=new) for removal in quarantined]
    quarantined_there = sum(map(os.path.lexists, quarantine_paths))
    videos_there = sum(_has_size(relocated(file.path, old=old, new=new), file.size_bytes) for file in videos)
    there = len(present) - len(not_there), videos_there, 0 if present or videos else quarantined_there
    if (present or videos or quarantined) and not any(there):
        raise FolderError(f"no file of {old!r} is below {new!r}; name the folder where it is now")
    return RelocationPlan(
        old,
        new,
        images=len(present),
        there=there[0],
        removals=len(removal_ids),
        quarantined=len(quarantined),
        quarantined_there=quarantined_there,
        not_there=tuple(not_there),
        videos=len(videos),
        videos_there=videos_there,
    )


def _require_moved(targets: Mapping[str, str], known: Set[str], *, new: str) -> None:
    """Raises `FolderError` if a file is still at its old path, or if the index has its new path already."""
    if known:
        raise FolderError(
            f"{counted(len(known), 'file is', 'files are')} in the index at the new path already, as {min(known)!r}; "
            f"if {new!r} was ingested as a copy, first: {command_line('forget', names=[new])}"
        )
    for path, target in targets.items():
        if os.path.lexists(path) and not _is_same_file(path, target):
            raise FolderError(
                f"{path!r} is still there; relocate is for a folder that was renamed or moved. If a part of it stayed, "
                f"or was made anew, move that into {new!r} first, as with: "
                f"{' '.join(map(quoted, ('mv', '-n', '--', path, os.path.dirname(target))))}"
            )


def _require_quarantine_moved(paths: Sequence[str], *, old: str, new: str) -> None:
    """Raises `FolderError` if a file in quarantine did not move with the folder that its quarantine was in."""
    for path in paths:
        if os.path.lexists(path) and not _is_same_file(path, relocated(path, old=old, new=new)):
            quarantine = quarantine_of(path)
            raise FolderError(
                f"the quarantine {quarantine!r} is still there; move it into {new!r}, too, or name the folder of the "
                "images alone, if that is what moved"
            )


def relocate(database: Database, old: str, new: str, *, clock: Clock) -> RelocationReport:
    """Changes all paths of the index from below `old` to below `new`. Returns the report.

    Raises what `plan_relocation` does, and `FolderError` if the records beside the images cannot be written.
    """
    plan_relocation(database, old, new)
    arguments = {"old": printable(old), "new": printable(new)}
    with record_run(database, "relocate", arguments=arguments, clock=clock) as run:
        plan = plan_relocation(database, old, new)
        try:
            _carry_protection(database, plan, run=run, clock=clock)
        except OSError as problem:
            raise FolderError(
                f"the records beside the images cannot be written to, and nothing was changed: "
                f"{describe_os_error(problem)}"
            ) from problem
        with database.write() as session:
            changes_rank = count_system_folders(f"{plan.old}/x") != count_system_folders(f"{plan.new}/x")
            list_ids = relocation.list_ready_below if changes_rank else relocation.list_rank_changes
            decisions.supersede(session, list_ids(session, plan.old), at=clock())
            changed = relocation.relocate(session, plan.old, plan.new)
            questions = confirmations.relocated_questions(session, old=plan.old, new=plan.new)
        report = RelocationReport(plan.old, plan.new, changed.images, changed.removals, plan.not_there, changed.videos)
        run.counts = report.counts | questions
        record_legacy_removals(database, run=run, at=clock())
    return report


def _real_folders(old: str, new: str) -> tuple[str, str]:
    """The real paths of two folders, the first of which may be gone."""
    if "\0" in old + new or not old or not new:
        raise UsageError("name two folders: the old path and the new one")
    # The old name itself may be a link to the new place by now: only the folder that it is in is resolved.
    holder, name = os.path.split(os.path.abspath(old))
    old_path, new_path = os.path.join(os.path.realpath(holder), name), os.path.realpath(new)
    if not os.path.isdir(new_path):
        raise FolderError(f"there is no folder {new!r}; name the folder where {old!r} is now")
    if os.path.commonpath([old_path, new_path]) in {old_path, new_path}:
        raise UsageError(
            f"{old_path!r} and {new_path!r} must not lie in each other; move the folder to a third path first"
        )
    return old_path, new_path


def _is_same_file(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _has_size(path: str, size_bytes: int) -> bool:
    try:
        return os.lstat(path).st_size == size_bytes
    except OSError:
        return False


def _carry_protection(database: Database, plan: RelocationPlan, *, run: ActiveRun, clock: Clock) -> None:
    """Writes records and manifests with the new paths. Raises `OSError` if one cannot be read or written."""
    with database.read() as session:
        removal_ids = relocation.list_removal_ids(session, plan.old)
        journal = [entry for entry in removals.list_away(session) if entry.id in removal_ids]
        roots = {relocated(root, old=plan.old, new=plan.new) for root in image_folders.list_roots(session)}
    nearby = {plan.old, plan.new, *(root for root in roots if root.startswith(f"{plan.new}/"))}
    paths = {os.path.join(folder, "image") for folder in nearby}
    paths |= {
        relocated(path, old=plan.old, new=plan.new) for entry in journal for path in (entry.path, entry.keeper_path)
    }
    sources = list_record_folders(paths)
    own = [_journal_line(entry, plan, run=run, clock=clock) for entry in journal if entry.recorded]
    changes = {folder: _relocated_record(folder, plan) for folder in sources}
    targets = set[str]()
    for root, lines in _group_uncovered(changes, own, plan=plan, roots=roots).items():
        target = quarantine_folder(root)
        prepare_quarantine(target)
        add_owner(target, Owner(run.index_id, root, database.address, run.username, run.hostname))
        targets.add(os.path.realpath(target))
        for line in lines:
            changes.setdefault(os.path.realpath(target), _RecordChange()).add(line)
    # A line with an old path ends only after the new one is on the disk.
    ordered = sorted(changes, key=lambda folder: folder not in targets)
    _append_lines({folder: changes[folder].lines for folder in ordered if changes[folder].lines})
    quarantines = {
        quarantine_of(relocated(entry.quarantine_path, old=plan.old, new=plan.new))
        for entry in journal
        if entry.quarantine_path is not None
    }
    for folder in sorted({*sources, *quarantines}):
        _append_manifest_entries(folder, plan)


def _journal_line(entry: JournalEntry, plan: RelocationPlan, *, run: ActiveRun, clock: Clock) -> WitnessLine:
    """The line about a removal of this index, with the new paths."""
    token = entry.run_token or run.token
    line = witness_line(entry, "removed", index_id=run.index_id, token=token, at=entry.removed_at or clock())
    return _relocated_line(line, plan)


def _relocated_line(line: WitnessLine, plan: RelocationPlan) -> WitnessLine:
    removed_path, witness_path = (
        relocated(path, old=plan.old, new=plan.new) for path in (line.removed_path, line.witness_path)
    )
    return replace(line, removed_path=removed_path, witness_path=witness_path)


@dataclass
class _RecordChange:
    """What is added to a record, and which witness it then names for each removed file, by hash and path."""

    lines: list[WitnessLine] = field(default_factory=list)
    witnesses: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, line: WitnessLine) -> None:
        """Adds a line at the end."""
        self.lines.append(line)
        self.witnesses[line.key] = line.witness_hash


def _relocated_record(folder: str, plan: RelocationPlan) -> _RecordChange:
    """The change of a record: its lines in force that name the old folder are added with the new paths.

    Where the path of the removed file changes, the line with the old path ends.
    """
    lines = witness_record.list_removals(folder)
    change = _RecordChange(witnesses={line.key: line.witness_hash for line in lines})
    for line in lines:
        moved = _relocated_line(line, plan)
        if moved != line and line.is_in_force():
            change.add(moved)
            if moved.key != line.key:
                change.lines.append(replace(line, event="restored"))
    return change


def _group_uncovered(
    changes: Mapping[str, _RecordChange], own: Sequence[WitnessLine], *, plan: RelocationPlan, roots: Collection[str]
) -> dict[str, list[WitnessLine]]:
    """The lines that no record near their new paths would have, by the ingested folder whose record gets them.

    `own` are lines about removals of this index, in case no record had them. Of several lines about one removed file
    the latest counts.
    """
    moved = [line for change in changes.values() for line in change.lines if line.event == "removed"]
    latest = {line.key: line for line in sorted([*own, *moved], key=lambda line: line.at)}
    records_near: dict[str, list[str]] = {}
    uncovered: dict[str, list[WitnessLine]] = defaultdict(list)
    for key, line in latest.items():
        for folder in sorted({os.path.dirname(path) for path in (line.removed_path, line.witness_path)}):
            if folder not in records_near:
                records_near[folder] = list_record_folders([os.path.join(folder, "image")])
            is_covered = any(
                changes[record].witnesses.get(key) == line.witness_hash
                for record in records_near[folder]
                if record in changes
            )
            root = _find_root(folder, roots={*roots, plan.new})
            if root is not None and not is_covered and line not in uncovered[root]:
                uncovered[root].append(line)
    return uncovered


def _find_root(folder: str, *, roots: Collection[str]) -> str | None:
    """The innermost of these folders that is a folder or above it; None if none is."""
    return max((root for root in roots if folder == root or lies_beneath(folder, root)), key=len, default=None)


def _append_lines(lines: Mapping[str, Sequence[WitnessLine]]) -> None:
    """Adds lines to records in this order, under the locks of all of them."""
    with lock_folders(lines):
        for folder, added in lines.items():
            witness_record.append(folder, *added)


def _append_manifest_entries(folder: str, plan: RelocationPlan) -> None:
    """Adds to the manifests of a quarantine the new paths of its files, so that `rescue` brings them there."""
    changed = [
        (quarantine_path, moved)
        for quarantine_path, entry in manifest.read(folder).entries.items()
        if (
            moved := replace(
                entry,
                path=relocated(entry.path, old=plan.old, new=plan.new),
                keeper_path=relocated(entry.keeper_path, old=plan.old, new=plan.new),
            )
        )
        != entry
    ]
    manifest.append_entries(changed)
