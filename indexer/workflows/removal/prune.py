"""prune: plan from the current decisions, then remove the planned files, one at a time, in the plan's order.

It promises that

- it removes only files that a person saw in the plan and for which the plan still holds;
- Ctrl-C waits for the current file; and
- a failure costs that file alone.

How one file is removed: `indexer.workflows.removal.remove_file`.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from indexer.domain.plurals import counted
from indexer.domain.removal import IndexedFile, Plan, RemovalCandidate
from indexer.errors import FolderError
from indexer.files.presence import find_problems
from indexer.files.verification import MismatchError, UnreadableFileError
from indexer.interrupts import uninterrupted
from indexer.store import image_folders, previews, removals
from indexer.store.database import Database
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.ingested_folders import find_ingested_parent, find_parent
from indexer.workflows.removal.missing_folders import find_missing_folder
from indexer.workflows.removal.preview_recorder import PreviewRecorder
from indexer.workflows.removal.quarantine_space import find_lack_of_space_for_all
from indexer.workflows.removal.removal_plan import plan as plan
from indexer.workflows.removal.remove_file import RemovalOptions, RemovalResult, remove_file
from indexer.workflows.removal.safeguards import Safeguards
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import has_unrecorded_removals, record_legacy_removals


@dataclass
class PruneReport:
    """What was removed and what was not; `run_id` is None if there was nothing to remove: then no run is recorded.

    `protected`: files that must stay, and why. `stopped`: why the run ended before its plan did. `changed_in`: the
    folders of files that are not what the index knows. `missing_folders`: folders of the plan's files that are gone.
    `undecided`: present images that compare did not decide, so that the plan could not hold them.
    """

    run_id: int | None = None
    removed: int = 0
    size_bytes: int = 0
    hard_links: int = 0
    outdated: int = 0
    protected: list[tuple[str, str]] = field(default_factory=list)
    stopped: str | None = None
    failures: list[tuple[str, str]] = field(default_factory=list)
    changed_in: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)
    quarantines: Counter[str] = field(default_factory=Counter)
    present: dict[str, int] = field(default_factory=dict)
    removed_of: Counter[str] = field(default_factory=Counter)
    missing_folders: list[str] = field(default_factory=list)
    undecided: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether files or cameras of the plan were left alone that a person must look at."""
        return bool(self.failures or self.held_back or self.stopped)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {
            "removed": self.removed,
            "size_bytes": self.size_bytes,
            "hard_links": self.hard_links,
            "outdated": self.outdated,
            "protected": len(self.protected),
            "failed": len(self.failures),
            "left_out": self.left_out,
            "held_back": self.held_back,
            "cameras": {camera: (number, self.present[camera]) for camera, number in self.removed_of.items()},
        }


def prune(
    database: Database,
    shown_plan: Plan,
    *,
    options: RemovalOptions,
    camera: str | None,
    clock: Clock,
    progress: Progress = no_progress,
) -> PruneReport:
    """Removes the files of a plan that a person has seen, as far as the plan still holds. Returns the report.

    A plan without files records no run, unless removals are still to be recovered, or those of an earlier version to be
    recorded. Raises `FolderError` if the quarantine of the options is no folder, or lies in a folder that was ever
    ingested.
    """
    arguments = {
        "camera": camera,
        "permanent": options.permanent,
        "quarantine": options.quarantine,
        "max_share": options.max_share,
        "include_restored": options.include_restored,
    }
    require_usable_options(options, database=database)
    report = PruneReport()
    _count_plan(report, shown_plan)
    if not shown_plan.victims and not _has_open_removals(database):
        return report
    with record_run(database, "prune", arguments=arguments, clock=clock) as run:
        report.run_id = run.id
        current_plan = plan(
            database, camera=camera, max_share=options.max_share, include_restored=options.include_restored
        )
        current_ids = {item.decision_id for item in current_plan.victims}
        victims = [item for item in shown_plan.victims if item.decision_id in current_ids]
        report.outdated = len(shown_plan.victims) - len(victims)
        _count_plan(report, current_plan)
        run.counts = report.counts
        record_legacy_removals(database, run=run, at=clock())
        _remove(database, victims, report, options=options, run=run, clock=clock, progress=progress)
    return report


def look_for_files(database: Database, plan: Plan, *, options: RemovalOptions) -> Plan:
    """The plan, with the files of it that cannot be removed as they are not there or cannot be looked at, or as their
    keepers are so; and why its files do not all fit into the quarantine, if they do not.

    Only the folders are listed: size and bytes of files are checked when they are removed. A file whose removal was cut
    off is not looked for, as prune first recovers it.
    """
    with database.read() as session:
        interrupted_ids = {removal.image_id for removal in removals.list_pending(session)}
    victims = [item for item in plan.victims if item.victim.image_id not in interrupted_ids]
    files = {file.path: file for item in victims for file in (item.keeper, item.victim)}
    problems = find_problems(files)
    missing = {path for path, problem in problems.items() if not isinstance(problem, UnreadableFileError)}
    failures = [
        (item.victim.path, reason) for item in victims if (reason := _describe_problem(item, problems)) is not None
    ]
    folders = {find_missing_folder(f"{folder}/x") for folder in {os.path.dirname(path) for path in missing}}
    return replace(
        plan,
        failures=tuple(failures),
        changed_in=tuple(sorted({files[path].root for path in missing})),
        missing_folders=tuple(sorted(folder for folder in folders if folder is not None)),
        stopped=_find_lack_of_space([item.victim for item in victims if item.victim.path not in problems], options),
    )


def _describe_problem(item: RemovalCandidate, problems: Mapping[str, MismatchError]) -> str | None:
    """Why a file cannot be removed, if there is a problem with its keeper or itself; else None."""
    for file, whose in ((item.keeper, "its keeper: "), (item.victim, "")):
        if file.path in problems:
            return f"{whose}{problems[file.path].reason}"
    return None


def _find_lack_of_space(victims: Sequence[IndexedFile], options: RemovalOptions) -> str | None:
    if options.permanent or options.quarantine is None:
        return None
    return find_lack_of_space_for_all(options.quarantine, victims)


def _has_open_removals(database: Database) -> bool:
    """Whether a run would recover removals, or record those of earlier versions."""
    with database.read() as session:
        is_pending = bool(removals.list_pending(session))
    return is_pending or has_unrecorded_removals(database)


def _count_plan(report: PruneReport, plan: Plan) -> None:
    """Counts what a plan leaves out, and the images of its cameras."""
    report.left_out = {str(reason): number for reason, number in plan.left_out.items()}
    report.held_back = {blocked.camera.camera: blocked.reason for blocked in plan.held_back}
    report.undecided = plan.undecided
    report.present = {camera.camera: camera.images for camera in plan.cameras}


def _remove(
    database: Database,
    victims: Sequence[RemovalCandidate],
    report: PruneReport,
    *,
    options: RemovalOptions,
    run: ActiveRun,
    clock: Clock,
    progress: Progress,
) -> None:
    """Removes the files one by one, until a result ends the run."""
    recorder, safeguards = _make_recorder(database, victims, options=options), Safeguards(database, victims, run=run)
    changed_ids, missing = set[int](), set[str | None]()
    advance = progress("removing", len(victims))
    for number, item in enumerate(victims, start=1):
        with uninterrupted():
            result = remove_file(
                database, item, options=options, run=run, clock=clock, recorder=recorder, safeguards=safeguards
            )
            _count_result(report, item, result)
            run.counts = report.counts
        if result.changed_id is not None:
            changed_ids.add(result.changed_id)
            missing |= {find_missing_folder(path) for path in (item.victim.path, item.keeper.path)}
        advance(1)
        if result.ends_run and number < len(victims):
            rest = counted(len(victims) - number, "file of the plan was", "files of the plan were")
            report.stopped = f"{result.problem}; {rest} not tried"
            break
    with database.read() as session:
        report.changed_in = image_folders.list_roots(session, sorted(changed_ids))
    report.missing_folders = sorted(folder for folder in missing if folder is not None)


def _make_recorder(
    database: Database, victims: Sequence[RemovalCandidate], *, options: RemovalOptions
) -> PreviewRecorder:
    """A recorder that knows which of the victims and their keepers already have a preview."""
    ids = {image_id for item in victims for image_id in (item.victim.image_id, item.keeper.image_id)}
    with database.read() as session:
        return PreviewRecorder(previews.list_images_with_picture(session, sorted(ids)), limits=options.limits)


def require_usable_options(options: RemovalOptions, *, database: Database) -> None:
    """Raises `FolderError` if files are to go to a quarantine that `require_usable_quarantine` refuses."""
    if not options.permanent and options.quarantine is not None:
        require_usable_quarantine(options.quarantine, database=database)


def require_usable_quarantine(quarantine: str, *, database: Database | None, folders: Iterable[str] = ()) -> None:
    """Raises `FolderError` for a quarantine that is no folder, or that an ingest would read.

    That is one inside a folder that was ever ingested, or inside one of `folders`, which are about to be. `database`:
    None if there is no index yet.
    """
    folder = os.path.realpath(quarantine)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise FolderError(f"the quarantine {quarantine!r} is no folder; name a folder, it is made if need be")
    root = find_parent(folder, folders) or (None if database is None else find_ingested_parent(database, folder))
    if root is not None:
        raise FolderError(
            f"the quarantine {quarantine!r} lies inside {root!r}, and the next ingest would take the files "
            f"in again; name a folder outside"
        )


def _count_result(report: PruneReport, item: RemovalCandidate, result: RemovalResult) -> None:
    """Counts how one removal ended."""
    if result.problem is not None:
        report.failures.append((item.victim.path, result.problem))
    elif result.protected is not None:
        report.protected.append((item.victim.path, result.protected))
    elif result.hard_link:
        report.hard_links += 1
    else:
        report.removed += 1
        report.removed_of[item.camera] += 1
        report.size_bytes += item.victim.size_bytes
        if result.quarantine is not None:
            report.quarantines[result.quarantine] += 1
