"""relocate: tell the index that a folder was renamed or moved, with the images in it.

It promises that all paths of the index change in one transaction, or none, and that what protects files goes with them:
the records beside the images and the manifests of the quarantines get lines with the new paths before the index
changes. A crash in between leaves lines that protect more than they need to; the same command run again ends that. No
image is moved or opened. A removal that was cut off goes with its folder, and the next command settles it there.

Decision 0043: the records of other indexes' removals go with the folder too.
"""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from indexer.errors import FolderError, UsageError
from indexer.escaping import command_line
from indexer.files import manifest, witness_record
from indexer.files.folder_lock import lock_folders
from indexer.files.owners import Owner, add_owner
from indexer.files.quarantine import prepare_quarantine, quarantine_folder, quarantine_of
from indexer.files.refusals import describe_os_error
from indexer.files.system_folders import count_system_folders
from indexer.files.witness_record import WitnessLine, list_record_folders
from indexer.store import decisions, images, relocation, removals
from indexer.store.columns import relocated
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
    """The plan for a folder that became another one. Raises `FolderError` if that cannot be what happened."""
    old, new = _real_folders(old, new)
    with database.read() as session:
        present = list(relocation.iter_present_below(session, old))
        videos = list(relocation.iter_present_videos_below(session, old))
        removal_ids = relocation.list_removal_ids(session, old)
        if not present and not videos and not removal_ids and old not in images.list_roots(session):
            roots = ", ".join(map(ascii, images.list_outermost_roots(session))) or "none yet"
            raise FolderError(f"this index has nothing below {old!a}; it has images of: {roots}")
        quarantined = [removal for removal in removals.list_quarantined(session) if removal.id in removal_ids]
        targets = {file.path: relocated(file.path, old=old, new=new) for file in [*present, *videos]}
        known = relocation.list_known_paths(session, sorted(targets.values()))
    _require_moved(targets, known, new=new)
    not_there = [targets[file.path] for file in present if not _has_size(targets[file.path], file.size_bytes)]
    quarantine_paths = [relocated(removal.quarantine_path or "", old=old, new=new) for removal in quarantined]
    quarantined_there = sum(map(os.path.lexists, quarantine_paths))
    videos_there = sum(_has_size(relocated(file.path, old=old, new=new), file.size_bytes) for file in videos)
    there = len(present) - len(not_there), videos_there, 0 if present or videos else quarantined_there
    if (present or videos or quarantined) and not any(there):
        raise FolderError(f"no file of {old!a} is below {new!a}; name the folder that it became")
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
            f"{len(known)} files are in the index at the new path already, as {min(known)!a}; if {new!a} was ingested "
            f"as a copy, first: {command_line('forget', names=[new])}"
        )
    for path, target in targets.items():
        if os.path.lexists(path) and not _is_same_file(path, target):
            raise FolderError(f"{path!a} is still there; relocate is for a folder that was renamed or moved")


def relocate(database: Database, old: str, new: str, *, clock: Clock) -> RelocationReport:
    """Changes all paths of the index from below `old` to below `new`. Returns the report."""
    plan_relocation(database, old, new)
    arguments = {"old": ascii(old)[1:-1], "new": ascii(new)[1:-1]}
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
        report = RelocationReport(plan.old, plan.new, changed.images, changed.removals, plan.not_there, changed.videos)
        run.counts = report.counts
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
        raise FolderError(f"there is no folder {new!a}; name the folder that {old!a} became")
    if os.path.commonpath([old_path, new_path]) in {old_path, new_path}:
        raise UsageError(f"{old_path!a} and {new_path!a} must not lie in one another; move it by a third name")
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
        roots = {relocated(root, old=plan.old, new=plan.new) for root in images.list_roots(session)}
    nearby = {plan.old, plan.new, *(root for root in roots if root.startswith(f"{plan.new}/"))}
    paths = {os.path.join(folder, "image") for folder in nearby}
    paths |= {
        relocated(path, old=plan.old, new=plan.new) for entry in journal for path in (entry.path, entry.keeper_path)
    }
    sources = list_record_folders(paths)
    lines = {folder: list(_iter_relocated_lines(folder, plan)) for folder in sources}
    own = [_journal_line(entry, plan, run=run, clock=clock) for entry in journal if entry.recorded]
    if own or any(lines.values()):
        target = quarantine_folder(plan.new)
        prepare_quarantine(target)
        add_owner(target, Owner(run.index_id, plan.new, database.address, run.username, run.hostname))
        _append_lines(target, lines, own)
    quarantines = {
        quarantine_of(relocated(entry.quarantine_path, old=plan.old, new=plan.new))
        for entry in journal
        if entry.quarantine_path is not None
    }
    for folder in sorted({*sources, *quarantines}):
        _append_manifest_entries(folder, plan)


def _journal_line(entry: JournalEntry, plan: RelocationPlan, *, run: ActiveRun, clock: Clock) -> WitnessLine:
    """The line about a removal of this index, with the new paths."""
    line = witness_line(entry, "removed", index_id=run.index_id, token=run.token, at=entry.removed_at or clock())
    return _relocated_line(line, plan)


def _relocated_line(line: WitnessLine, plan: RelocationPlan) -> WitnessLine:
    removed_path, witness_path = (
        relocated(path, old=plan.old, new=plan.new) for path in (line.removed_path, line.witness_path)
    )
    return replace(line, removed_path=removed_path, witness_path=witness_path)


def _iter_relocated_lines(folder: str, plan: RelocationPlan) -> Iterator[tuple[WitnessLine, WitnessLine]]:
    """The lines of a record that are in force and name the old folder, each as it was and with the new paths."""
    last = {(line.removed_hash, line.removed_path): line for line in witness_record.read_lines(folder)}
    for line in last.values():
        moved = _relocated_line(line, plan)
        if line.event == "removed" and moved != line and line.is_in_force():
            yield line, moved


def _append_lines(
    target: str, lines: dict[str, list[tuple[WitnessLine, WitnessLine]]], own: Sequence[WitnessLine]
) -> None:
    """Writes the lines with the new paths into the record of `target`, and into those that had them.

    There the lines with the old paths end. `own` are lines about removals of this index, in case no record had them.
    """
    by_key = {(line.removed_hash, line.removed_path): line for line in own}
    by_key |= {(moved.removed_hash, moved.removed_path): moved for pairs in lines.values() for _, moved in pairs}
    with lock_folders({target, *(folder for folder, pairs in lines.items() if pairs)}):
        witness_record.append(target, *by_key.values())
        for folder, pairs in lines.items():
            ends = [replace(line, event="restored") for line, moved in pairs if line.removed_path != moved.removed_path]
            changed = [*(moved for _, moved in pairs if folder != target), *ends]
            if changed:
                witness_record.append(folder, *changed)


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
