"""advise: looks at each camera, and keeps a record of what is wrong with it.

It promises that

- no image file is changed;
- a camera's findings change in one transaction; and
- a rerun that finds the same writes nothing but its run.

A camera that another command has locked is left alone, and counted.

Decision 0049: a camera is compared with itself, and "cannot be told" is an answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from indexer.domain.advice.findings import CameraFinding, CannotTell, Examination, Kind
from indexer.domain.advice.ledger import StoredFinding, update_ledger
from indexer.domain.advice.measurements import MeasuredFrame
from indexer.domain.naming.exif_times import read_exif
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import rule_of
from indexer.domain.plurals import counted
from indexer.execution import WorkerFailure
from indexer.execution.executor import map_files, map_path
from indexer.imaging.activity_map import WHOLE_FRAME, ActivityMap
from indexer.imaging.concentration import RESTLESS
from indexer.store import cameras, captured_images, findings, naming_rules, profiles
from indexer.store.captured_images import CapturedFile
from indexer.store.database import Database
from indexer.store.findings import region_text
from indexer.store.profiles import StoredProfile
from indexer.workflows.advice.comparison import compare_by
from indexer.workflows.advice.examine import CameraExaminer, CameraRecord, GreyFrame
from indexer.workflows.advice.measurement import ConditionResult, ConditionTask, measure_file
from indexer.workflows.advice.rounds import FrameRounds
from indexer.workflows.advice.trials import with_trial
from indexer.workflows.compare.ignore_proposals import MIN_KEPT_SHARE, IgnoreProposal, find_proposal
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import ActiveRun, record_run

DAYS, FRAMES = 14, 200
"""How far back from a camera's newest image the examination goes, and how many frames it looks at, at most."""

_RESTLESS_SHARE = 0.5  # of neighbours in time; eight cameras had 0.34 at most, but for those that keep nearly all


@dataclass(frozen=True)
class CameraAdvice:
    """What was found about one camera.

    `frames` were looked at, of `images` in the time from `since` to `last`; `unusable` could not be read. `problem`
    says why the camera was left alone; then nothing is known.
    """

    camera: str
    images: int = 0
    frames: int = 0
    unusable: int = 0
    since: datetime | None = None
    last: datetime | None = None
    findings: tuple[StoredFinding, ...] = ()
    untold: tuple[CannotTell, ...] = ()
    problem: str | None = None


@dataclass
class AdviceReport:
    """What was found about the cameras."""

    cameras: list[CameraAdvice] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are stored with the run."""
        return {
            "cameras": len(self.cameras),
            "frames": sum(camera.frames for camera in self.cameras),
            "findings": sum(len(camera.findings) for camera in self.cameras),
            "held_back": len(self.held_back),
        }

    @property
    def held_back(self) -> list[CameraAdvice]:
        """The cameras that were left alone."""
        return [camera for camera in self.cameras if camera.problem is not None]

    @property
    def needs_person(self) -> bool:
        """Whether there is an open finding, or a camera that was not looked at."""
        return any(camera.findings or camera.problem for camera in self.cameras)


def advise(
    context: ComparisonContext, *, camera: str | None = None, days: int = DAYS, frames: int = FRAMES
) -> AdviceReport:
    """Looks at all cameras, or one, and stores what is wrong with each.

    Parameters
    ----------
    context
    camera : str or None
        Its name; None: all.
    days : int, above 0
        How far back from its newest image each camera is examined.
    frames : int, at least `indexer.domain.advice.sampling.RUN_LENGTH`
        How many frames of each camera are looked at, at most.

    Raises
    ------
    CameraError
        If there is no such camera.
    """
    report = AdviceReport()
    arguments = {"camera": camera, "days": days, "frames": frames}
    with context.database.read() as session:
        camera_ids = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
        in_force = profiles.list_in_force(session, camera_ids)
    with record_run(context.database, "advise", arguments=arguments, clock=context.clock, by_camera=True) as run:
        advance = context.progress("looking at cameras", len(camera_ids))
        for name, camera_id in camera_ids.items():
            examination = _CameraExamination(context, name, camera_id, in_force[name], days=days, frames=frames)
            report.cameras.append(examination.run(run))
            run.counts = report.counts
            advance(1)
    return report


def list_captured(database: Database, camera_id: int, *, days: int) -> list[CapturedFile]:
    """The images of the last days of a camera, removed ones included, by time."""
    with database.read() as session:
        last = captured_images.find_last_capture(session, camera_id)
        if last is None:
            return []
        return list(captured_images.iter_captured(session, camera_id, since=last - timedelta(days=days)))


def measure_frames(
    context: ComparisonContext, present: Sequence[CapturedFile], chosen: Sequence[int]
) -> Iterator[GreyFrame]:
    """The chosen images of a camera, measured by the workers, in order; without those that cannot be read.

    Parameters
    ----------
    context
    present : of CapturedFile
        The present images of the camera, by time.
    chosen : of int
        Positions in `present`, ascending.
    """
    files = [present[position] for position in chosen]
    with context.database.read() as session:
        rules = RuleBook(naming_rules.list_rules(session))
    tasks = [
        ConditionTask(
            file.image.image_id, map_path(context.executor, file.path), file.image.content_hash, context.limits
        )
        for file in files
    ]
    results = map_files(context.executor, measure_file, tasks)
    for position, file, result in zip(chosen, files, results, strict=True):
        if not isinstance(result, WorkerFailure) and result.condition is not None and result.grey is not None:
            frame = MeasuredFrame(
                file.image.image_id, file.image.captured_at, result.condition, exif_at=_exif_at(file, result, rules)
            )
            yield GreyFrame(frame, result.grey, position)


def _exif_at(file: CapturedFile, result: ConditionResult, rules: RuleBook) -> datetime | None:
    """When an image was taken by EXIF, read as ingest reads it; None if its time is not from its name, or has none."""
    if not file.image.from_name or result.exif_time is None:
        return None
    local = read_exif(result.exif_time, offset=result.exif_offset)
    return None if local is None else to_utc(local, rule_of(file.path, rules).zone)


class _CameraExamination:
    """The examination of one camera."""

    def __init__(
        self,
        context: ComparisonContext,
        name: str,
        camera_id: int,
        stored: StoredProfile,
        *,
        days: int,
        frames: int,
    ) -> None:
        self._context, self._name, self._camera_id, self._stored = context, name, camera_id, stored
        self._days, self._most = days, frames

    def run(self, run: ActiveRun) -> CameraAdvice:
        """Examines the camera and stores what was found, unless another command has locked it."""
        holder = run.write_lock.acquire(self._name)
        if holder is not None:
            problem = f"it is being written by {holder}; run advise again after that"
            return CameraAdvice(self._name, problem=problem)
        try:
            return self._examine(run)
        finally:
            run.write_lock.release([self._name])

    def _examine(self, run: ActiveRun) -> CameraAdvice:
        captured = list_captured(self._context.database, self._camera_id, days=self._days)
        present = [file for file in captured if file.is_present]
        if not present:
            return CameraAdvice(self._name, images=len(captured))
        rounds = FrameRounds(
            [file.image.captured_at for file in present],
            lambda positions: measure_frames(self._context, present, positions),
            most=self._most,
        )
        record = self._make_record(captured)
        compare = compare_by(self._context.executor)
        examiner = CameraExaminer(record, now=self._context.clock(), days=self._days, compare=compare)
        examination = rounds.examine(examiner)
        if not rounds.frames:
            problem = f"none of {counted(len(rounds.looked_at), 'frame')} could be read; is the disk there?"
            return CameraAdvice(self._name, images=len(captured), unusable=len(rounds.looked_at), problem=problem)
        examination = self._with_trials(examination, decided=len(record.keepers))
        measured = rounds.frames
        examination = self._with_restless_area(
            examination, present, decided=len(record.keepers), activity=examiner.map_activity(measured)
        )
        first, last = present[0].image.captured_at, present[-1].image.captured_at
        return CameraAdvice(
            self._name,
            images=len(captured),
            frames=len(measured),
            unusable=len(rounds.looked_at) - len(measured),
            since=first,
            last=last,
            findings=self._store(examination, reaches_back_to=_end_of_reference(measured, last), at=last, run=run),
            untold=examination.untold,
        )

    def _make_record(self, captured: Sequence[CapturedFile]) -> CameraRecord:
        keepers = {file.image.image_id: file.keeper_id for file in captured if file.keeper_id is not None}
        with self._context.database.read() as session:
            since = captured[0].image.captured_at
            looked_at = captured_images.list_looked_at(session, self._camera_id, since=since)
        return CameraRecord([file.image for file in captured], keepers, looked_at)

    def _with_trials(self, examination: Examination, *, decided: int) -> Examination:
        """The examination with what the advice would change, where that can be tried."""
        tried = (
            with_trial(
                finding,
                self._context,
                camera=self._name,
                camera_id=self._camera_id,
                stored=self._stored,
                decided=decided,
            )
            for finding in examination.findings
        )
        return Examination(tuple(tried), examination.untold)

    def _with_restless_area(
        self, examination: Examination, present: Sequence[CapturedFile], *, decided: int, activity: ActivityMap
    ) -> Examination:
        """The examination with the area in which nearly all kept images differ, if there is one.

        If few images are kept, it must move most of the time: then it is no place where cars pass by.
        """
        if not decided:
            untold = CannotTell(Kind.RESTLESS_AREA, "no image was decided yet, which compare does")
            return Examination(examination.findings, (*examination.untold, untold))
        proposal = find_proposal(
            self._context.database,
            self._name,
            self._camera_id,
            self._stored,
            search=RESTLESS,
            min_kept_share=0 if activity.largest_share(WHOLE_FRAME) >= _RESTLESS_SHARE else MIN_KEPT_SHARE,
        )
        if proposal is None or not _is_worth_a_look(proposal, activity):
            return examination
        times = (present[0].image.captured_at, present[-1].image.captured_at)
        if times[1] - times[0] < timedelta(minutes=30):
            return examination
        return Examination((*examination.findings, _restless_area(proposal, since=times[0])), examination.untold)

    def _store(
        self, examination: Examination, *, reaches_back_to: datetime, at: datetime, run: ActiveRun
    ) -> tuple[StoredFinding, ...]:
        """Writes what changed; returns the open findings."""
        with self._context.database.read() as session:
            stored = findings.list_findings(session, camera=self._name, with_past=True)
        changes = update_ledger(stored, examination, reaches_back_to=reaches_back_to, at=at)
        if changes.added or changes.continued:
            with self._context.database.write() as session:
                findings.write_changes(
                    session, changes, camera_id=self._camera_id, at=self._context.clock(), run_id=run.id
                )
        with self._context.database.read() as session:
            return tuple(findings.list_findings(session, camera=self._name))


def _end_of_reference(frames: Sequence[GreyFrame], last: datetime) -> datetime:
    """When the first third of the frames was taken, which the others are compared with; `last` if there is none."""
    return frames[len(frames) // 3].frame.captured_at if frames else last


def _is_worth_a_look(proposal: IgnoreProposal, activity: ActivityMap) -> bool:
    """Whether much is kept, or each part of the area moves most of the time."""
    moves = all(activity.largest_share(region) >= _RESTLESS_SHARE for region in proposal.rectangles)
    return moves or proposal.kept >= MIN_KEPT_SHARE * proposal.images


def _restless_area(proposal: IgnoreProposal, *, since: datetime) -> CameraFinding:
    return CameraFinding(
        Kind.RESTLESS_AREA,
        since=since,
        until=None,
        strength=max(proposal.kept / max(proposal.kept_with, 1), 1.0),
        evidence={
            "frame_share": round(proposal.share, 3),
            "pairs": proposal.pairs,
            "decided_pairs": proposal.decided,
            "larger_pairs": proposal.pairs - proposal.decided,
            "touching_pairs": proposal.touching,
            "images": proposal.images,
            "kept": proposal.kept,
            "kept_without": proposal.kept_with,
            "base": proposal.profile,
            "name": proposal.name,
            "ignored_already": region_text(proposal.ignored_already),
        },
        regions=proposal.rectangles,
    )
