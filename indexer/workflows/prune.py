"""prune: plan from the current decisions, then take the planned files away, one at a time, with the journal around
each.

It promises that a file goes only after it and its keeper were read again and found as the index knows them, that a
row says so before anything is touched, and that a failure costs that file alone.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.images import State
from indexer.domain.removal import Brake, Flagged, IndexedFile, Plan, RemovalState, plan_removal
from indexer.errors import UsageProblem
from indexer.files.checking import FileIdentity, Fingerprint, Mismatch, check, same_file
from indexer.files.moving import delete, move_no_replace
from indexer.files.quarantine import forget_place, quarantine_folder, quarantine_place
from indexer.files.walking import QUARANTINE_NAME
from indexer.interrupts import uninterrupted
from indexer.store import cameras, decisions, images, removals, runs
from indexer.store.database import Database
from indexer.store.removals import Act
from indexer.workflows.running import Run, writing
from indexer.workflows.watching import Clock, Progress, silent


@dataclass
class PruneReport:
    """What was taken away and what was not."""

    run_id: int = 0
    removed: int = 0
    size_bytes: int = 0
    hard_links: int = 0
    outdated: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)
    quarantines: Counter[str] = field(default_factory=Counter)
    present: dict[str, int] = field(default_factory=dict)
    removed_of: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are remembered."""
        return {
            "removed": self.removed,
            "size_bytes": self.size_bytes,
            "hard_links": self.hard_links,
            "outdated": self.outdated,
            "failed": len(self.failures),
            "left_out": self.left_out,
            "held_back": self.held_back,
            "cameras": {camera: (number, self.present[camera]) for camera, number in self.removed_of.items()},
        }


@dataclass(frozen=True)
class Manner:
    """How files are taken away: into quarantine (None: where DESIGN says, else this folder), or deleted at once."""

    permanent: bool = False
    quarantine: str | None = None
    max_share: float | None = None


def plan(database: Database, *, camera: str | None = None, max_share: float | None = None) -> Plan:
    """What prune would take away now; cameras of which it would take more than is plausible are held back."""
    with database.read() as session:
        if camera is not None:
            cameras.get_camera(session, camera)
        flagged = decisions.list_flagged(session, camera=camera)
        brake = Brake(max_share, _largest_shares(runs.list_counts(session, command="prune")))
        return plan_removal(flagged, present=cameras.count_present(session), brake=brake)


def _largest_shares(earlier: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The largest share of each camera's images that an earlier prune took."""
    largest: dict[str, float] = {}
    for counts in earlier:
        for camera, (removed, present) in counts.get("cameras", {}).items():
            largest[camera] = max(largest.get(camera, 0.0), removed / present)
    return largest


def prune(
    database: Database,
    shown: Plan,
    *,
    manner: Manner,
    camera: str | None,
    clock: Clock,
    progress: Progress = silent,
) -> PruneReport:
    """Takes away the files of a plan that a person has seen, as far as it still holds."""
    arguments = {
        "camera": camera,
        "permanent": manner.permanent,
        "quarantine": manner.quarantine,
        "max_share": manner.max_share,
    }
    _require_unwalked(shown, manner=manner)
    report = PruneReport()
    with writing(database, "prune", arguments=arguments, clock=clock) as run:
        report.run_id = run.id
        now = plan(database, camera=camera, max_share=manner.max_share)
        still = {item.decision_id for item in now.victims}
        victims = [item for item in shown.victims if item.decision_id in still]
        report.outdated = len(shown.victims) - len(victims)
        report.left_out = {str(reason): number for reason, number in now.left_out.items()}
        report.held_back = {held.camera.camera: held.reason for held in now.held_back}
        report.present = {camera.camera: camera.images for camera in now.cameras}
        advance = progress("removing", len(victims))
        for item in victims:
            with uninterrupted():
                _take_away(database, item, report, manner=manner, run=run, clock=clock)
            run.counts = report.counts
            advance(1)
        run.counts = report.counts
    return report


def _require_unwalked(shown: Plan, *, manner: Manner) -> None:
    """Refuses a quarantine that a walk of the victims' roots would see."""
    if manner.permanent or manner.quarantine is None:
        return
    folder = os.path.realpath(manner.quarantine)
    if QUARANTINE_NAME in folder.split(os.sep):
        return
    for root in sorted({os.path.realpath(item.victim.root) for item in shown.victims}):
        if os.path.commonpath([folder, root]) == root:
            raise UsageProblem(
                f"the quarantine {manner.quarantine!a} lies inside {root!a}, and the next ingest would take the files "
                f"in again; name a folder outside"
            )


def _take_away(
    database: Database, item: Flagged, report: PruneReport, *, manner: Manner, run: Run, clock: Clock
) -> None:
    """Takes one file away, or notes why not."""
    if same_file(item.victim.path, item.keeper.path):
        report.hard_links += 1
        return
    try:
        check(item.keeper.path, expected=_fingerprint(item.keeper))
    except Mismatch as problem:
        _note_failure(database, item, report, f"its keeper: {problem.reason}", run=run, clock=clock)
        return
    try:
        victim = check(item.victim.path, expected=_fingerprint(item.victim))
    except Mismatch as problem:
        _note_failure(database, item, report, problem.reason, run=run, clock=clock)
        return
    try:
        if manner.permanent:
            _delete(database, item, victim, run=run, clock=clock)
        else:
            _quarantine(database, item, victim, report, manner=manner, run=run, clock=clock)
    except _ActFailed as problem:
        report.failures.append((item.victim.path, str(problem)))
        return
    report.removed += 1
    report.removed_of[item.camera] += 1
    report.size_bytes += item.victim.size_bytes


class _ActFailed(Exception):
    """A file could not be taken away; it is where it was, and the journal says why."""


def _quarantine(
    database: Database,
    item: Flagged,
    victim: FileIdentity,
    report: PruneReport,
    *,
    manner: Manner,
    run: Run,
    clock: Clock,
) -> None:
    folder = quarantine_folder(item.victim.root, override=manner.quarantine)
    try:
        place = quarantine_place(
            folder,
            run=f"run-{run.id}",
            name=str(item.victim.image_id),
            basename=os.path.basename(item.victim.path),
        )
    except OSError as problem:
        reason = f"the quarantine {folder!a} cannot be used: {problem.strerror}"
        with database.write() as session:
            removals.note_failure(session, item, problem=reason, at=clock(), run_id=run.id)
        raise _ActFailed(reason) from problem
    with _journalled(database, item, act="quarantine", place=place, run=run, clock=clock):
        move_no_replace(item.victim.path, place, expected=victim)
    report.quarantines[folder] += 1


def _delete(database: Database, item: Flagged, victim: FileIdentity, *, run: Run, clock: Clock) -> None:
    with _journalled(database, item, act="delete", place=None, run=run, clock=clock):
        delete(item.victim.path, expected=victim)


@contextmanager
def _journalled(
    database: Database, item: Flagged, *, act: Act, place: str | None, run: Run, clock: Clock
) -> Iterator[None]:
    """The journal around one act: a row before it, and the same row written on after it, each committed."""
    with database.write() as session:
        removal_id = removals.begin_removal(session, item, act=act, quarantine_path=place, at=clock(), run_id=run.id)
    try:
        yield
    except (OSError, Mismatch) as problem:
        reason = problem.reason if isinstance(problem, Mismatch) else str(problem.strerror)
        with database.write() as session:
            removals.finish_act(session, removal_id, RemovalState.FAILED, at=clock(), problem=reason)
        if place is not None:
            forget_place(place)
        raise _ActFailed(reason) from problem
    with database.write() as session:
        state = RemovalState.QUARANTINED if act == "quarantine" else RemovalState.DELETED
        removals.finish_act(session, removal_id, state, at=clock())
        images.set_state(session, [item.victim.image_id], State.REMOVED)


def _note_failure(
    database: Database, item: Flagged, report: PruneReport, reason: str, *, run: Run, clock: Clock
) -> None:
    report.failures.append((item.victim.path, reason))
    with database.write() as session:
        removals.note_failure(session, item, problem=reason, at=clock(), run_id=run.id)


def _fingerprint(file: IndexedFile) -> Fingerprint:
    return Fingerprint(file.size_bytes, file.content_hash)
