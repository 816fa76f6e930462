"""ingest of videos: find what is new, look at its frames in workers, store what they show, account for all others.

It promises that

- a known video is not read twice;
- each video is written whole or not at all; and
- the lock is held while one video is written and not while it is read, so that other commands work beside it.

The videos of a camera are read one after the other, each compared with what the one before gave; those of several
cameras at once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count

from indexer.domain.camera_images import ImageKey
from indexer.domain.descriptions import Limits, ThumbnailRecipe
from indexer.domain.names import clamped_mtime
from indexer.domain.spans import SpanReason
from indexer.domain.videos import Sampling, VideoState
from indexer.execution import ParallelMap, WorkerFailure
from indexer.files.partial_frames import discard_attempt_folder, find_progress, make_attempt_folder, partial_folder
from indexer.files.reading import os_error_message
from indexer.imaging.novelty import MemoryImage
from indexer.store import cameras, open_images, profiles, videos
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.videos import KnownVideo
from indexer.workflows.capture.attempts import VideoAttempt, read_attempts
from indexer.workflows.capture.gate_memory import find_memory
from indexer.workflows.capture.options import VideoOptions
from indexer.workflows.capture.plan_videos import PlannedVideo, plan_videos
from indexer.workflows.capture.read_video import Crash, VideoResult, VideoTask
from indexer.workflows.capture.store_frames import FramesFolder
from indexer.workflows.capture.store_video import VideoStore, WitnessGoneError
from indexer.workflows.capture.video_diff import VideoDiff, VideoToRead, diff_videos
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.ingest import ingest_under_lock
from indexer.workflows.ingest.name_plan import apply_rules
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.ingest.video_outcomes import VideoOutcome, VideoReport
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.lock_wait import FOREVER, LockWait
from indexer.workflows.runs.run import ActiveRun, LongRun, open_run

_MAX_ATTEMPTS = 3
"""So often is a video read again because one of its witnesses was removed meanwhile; the last time without memory."""
_MAX_CRASHES = 2
"""So often is a video read again after it ended its process: without that packet, then up to there."""
_SECONDS_PER_MB = 4.0
"""A video may take so long, or the time of an image if that is more: at 2 Mb/s as long as it lasts."""

MakeExecutor = Callable[[float], AbstractContextManager[ParallelMap]]
"""An executor for videos, each of which may take so many seconds."""


def ingest_with_videos(
    database: Database,
    request: IngestRequest,
    options: VideoOptions,
    *,
    executor: ParallelMap,
    make_video_executor: MakeExecutor,
    limits: Limits,
    clock: Clock,
    progress: Progress = no_progress,
    wait: LockWait = FOREVER,
) -> IngestReport:
    """Stores the images that discovery found, then what is new in its videos. Returns the outcome of every path.

    Raises `OSError` if the folder for frames cannot be written to.
    """
    arguments = request.arguments | options.arguments
    with open_run(database, "ingest", arguments=arguments, clock=clock, by_camera=True, wait=wait) as run:
        with run.record_batch() as batch:
            report = ingest_under_lock(
                database, request, run=batch, executor=executor, limits=limits, clock=clock, progress=progress
            )
        report.videos = ingest_videos(
            database,
            request,
            options,
            run=run,
            make_executor=make_video_executor,
            limits=limits,
            clock=clock,
            progress=progress,
        )
        report.unmatched += report.videos.names.unmatched
        run.counts["videos"] = report.videos.counts
        with database.read() as session:
            report.undecided = open_images.count_undecided(session)
    return report


def ingest_videos(
    database: Database,
    request: IngestRequest,
    options: VideoOptions,
    *,
    run: LongRun,
    make_executor: MakeExecutor,
    limits: Limits,
    clock: Clock,
    progress: Progress = no_progress,
) -> VideoReport:
    """Stores what is new in the videos of a request, in a long run between two of its batches.

    Raises `OSError` if the folder for frames cannot be written to.
    """
    report = VideoReport(frames_folder=options.frames_folder)
    with partial_folder(options.frames_folder) as partial:
        ingest = VideoIngest(database, options, report, limits=limits, clock=clock)
        planned = ingest.plan(request, run=run)
        if planned:
            advance = progress("reading videos", len(planned))
            with make_executor(max(map(ingest.time_s, planned))) as executor:
                _read_all(ingest, planned, executor, partial=partial, run=run, advance=advance)
    return report


def _read_all(
    ingest: "VideoIngest",
    planned: Sequence[PlannedVideo],
    executor: ParallelMap,
    *,
    partial: str,
    run: LongRun,
    advance: Callable[[int], None],
) -> None:
    """Reads the videos of each camera one after the other, in the order of their times; one of each at once."""
    waiting: dict[str, list[PlannedVideo]] = defaultdict(list)
    for video in sorted(planned, key=lambda each: each.rank, reverse=True):
        waiting[video.camera].append(video)
    while waiting:
        attempts = ingest.begin([of_camera.pop() for of_camera in waiting.values()], partial=partial)
        number = len(waiting)
        for attempt, result in zip(attempts, read_attempts(executor, attempts), strict=True):
            again = ingest.finish(attempt, result, run=run)
            if again is not None:
                waiting[again.camera].append(again)
                number -= 1
        advance(number)
        waiting = defaultdict(list, {camera: rest for camera, rest in waiting.items() if rest})


class VideoIngest:
    """Videos from the difference to the last row, in steps: `plan`; then for each video `begin` an attempt, let workers
    read it, and `finish` it. What became of each is counted in the report.

    `is_postponed`: of a path that was read, whether the video is left alone and not counted, because it may be
    unfinished.
    """

    def __init__(
        self,
        database: Database,
        options: VideoOptions,
        report: VideoReport,
        *,
        limits: Limits,
        clock: Clock,
        is_postponed: Callable[[str, VideoResult], bool] | None = None,
    ) -> None:
        self._is_postponed = is_postponed
        self._database, self._options = database, options
        self._report, self._limits = report, limits
        self._store = VideoStore(database, clock=clock)
        self._attempt_numbers = count()

    def plan(self, request: IngestRequest, *, run: LongRun) -> list[PlannedVideo]:
        """The videos to read, in no particular order; notes what moved or is gone."""
        request = apply_rules(self._database, request)
        diff = diff_videos(self._database, request)
        for _ in diff.unchanged:
            self._report.count(VideoOutcome.UNCHANGED)
        for candidate, reason in diff.refused:
            self._report.refuse(candidate.path, reason)
        self._relocate(diff, run=run)
        self._mark_missing(diff, run=run)
        return plan_videos(self._database, request, diff, run=run, report=self._report)

    def time_s(self, video: PlannedVideo) -> float:
        """So many seconds a worker may take for a video."""
        return max(self._options.time_s, video.video.candidate.size_bytes / 1e6 * _SECONDS_PER_MB)

    def _relocate(self, diff: VideoDiff, *, run: LongRun) -> None:
        """Gives known videos that moved, or came back, their paths."""
        by_camera = defaultdict[str, list[tuple[KnownVideo, VideoToRead]]](list)
        for known, video in diff.relocated:
            by_camera[known.camera].append((known, video))
        for camera, relocated in by_camera.items():
            with run.record_batch(cameras=[camera]) as batch, self._database.write() as session:
                for known, video in relocated:
                    path, root = video.candidate.path, video.candidate.root
                    videos.relocate_video(session, known.id, path=path, root=root, mtime_ns=video.identity.mtime_ns)
                    self._report.count(_outcome_of_known(known, path))
                batch.counts["videos"] = self._report.counts

    def _mark_missing(self, diff: VideoDiff, *, run: LongRun) -> None:
        """Marks the videos that are not at their paths any more."""
        if not diff.gone:
            return
        cameras_of_gone = sorted({known.camera for known in diff.gone.values()})
        with run.record_batch(cameras=cameras_of_gone) as batch, self._database.write() as session:
            paths = {video_id: known.path for video_id, known in diff.gone.items()}
            self._report.missing = videos.mark_videos_missing(session, paths)
            batch.counts["videos"] = self._report.counts

    def begin(self, planned: Sequence[PlannedVideo], *, partial: str) -> list[VideoAttempt]:
        """An attempt for each of these videos, which are of different cameras, with a folder in `partial`. A video that
        cannot be read now is counted, and left out."""
        with self._database.read() as session:
            in_force = profiles.list_in_force(session, {video.camera for video in planned})
            known_cameras = cameras.list_cameras(session)
        attempts = list[VideoAttempt]()
        for video in planned:
            stored = in_force[video.camera]
            recipe = thumbnail_recipe(stored.profile.preparation)
            if recipe is None:
                self._report.refuse(video.path, f"profile {stored.profile.name!r} has no work_width, which videos need")
                continue
            if recipe.features is not None:
                self._report.refuse(
                    video.path,
                    f"profile {stored.profile.name!r} has features, which frames of videos do not get; give the camera "
                    "another profile, and compare its images under this one later",
                )
                continue
            try:
                folder = make_attempt_folder(partial, next(self._attempt_numbers))
            except OSError as problem:
                self._report.refuse(video.path, f"its frames cannot be stored: {os_error_message(problem)}")
                continue
            memory = self._memory(video, stored, camera_id=known_cameras.get(video.camera))
            task = self._task(video, stored, recipe, (*memory.values(),), folder=folder)
            keys = {image.path: key for key, image in memory.items()}
            attempts.append(VideoAttempt(video, stored, folder, task, keys))
        return attempts

    def _memory(
        self, video: PlannedVideo, stored: StoredProfile, *, camera_id: int | None
    ) -> dict[ImageKey, MemoryImage]:
        """The images that the first frames of a video are compared with, by their keys; none in its last attempt."""
        if camera_id is None or video.attempts >= _MAX_ATTEMPTS:
            return {}
        return find_memory(self._database, camera_id, preparation_id=stored.preparation_id)

    def _task(
        self,
        video: PlannedVideo,
        stored: StoredProfile,
        recipe: ThumbnailRecipe,
        memory: tuple[MemoryImage, ...],
        *,
        folder: str,
    ) -> VideoTask:
        return VideoTask(
            path=video.path,
            camera=video.camera,
            named_at=video.named_at,
            named_source=video.named_source,
            earlier=video.earlier,
            recipe=recipe,
            scoring=stored.profile.scoring_parameters,
            memory=memory,
            every_s=self._options.every_s,
            sampling=self._options.sampling,
            frames_folder=self._options.frames_folder,
            partial_folder=folder,
            limits=self._limits,
            time_s=self.time_s(video),
            crashes=video.crashes,
        )

    def finish(
        self, attempt: VideoAttempt, result: VideoResult | WorkerFailure, *, run: LongRun, wait: LockWait | None = None
    ) -> PlannedVideo | None:
        """Writes what an attempt gave, and counts it. Returns the video if it must be read again.

        `wait`: for the lock of the camera, if not as the run does. If the index refuses, it raises `DatabaseError`, and
        may be called again with the same result.
        """
        again = self._finish(attempt, result, run=run, wait=wait)
        discard_attempt_folder(attempt.folder)
        return again

    def _finish(
        self, attempt: VideoAttempt, result: VideoResult | WorkerFailure, *, run: LongRun, wait: LockWait | None
    ) -> PlannedVideo | None:
        video, identity = attempt.video, attempt.video.video.identity
        if isinstance(result, WorkerFailure):
            packet = find_progress(attempt.folder)
            if packet is not None and len(video.crashes) < _MAX_CRASHES:
                return replace(video, crashes=(*video.crashes, Crash(packet, result.reason)))
            result = VideoResult(identity, refusal=f"reading it {result.reason}")
        if self._is_postponed is not None and self._is_postponed(video.path, result):
            return None
        changed = result.identity is not None and result.identity.fingerprint != identity.fingerprint
        problem = "it changed while it was read" if changed else result.problem
        if problem is not None:
            self._report.refuse(video.path, problem)
            return None
        try:
            with run.record_batch(cameras=[video.camera], wait=wait) as batch:
                self._write(attempt, result, run=batch)
                batch.counts["videos"] = self._report.counts
        except WitnessGoneError:
            return replace(video, attempts=video.attempts + 1)
        except OSError as refusal:
            where = f" ({refusal.filename!r})" if refusal.filename else ""
            self._report.refuse(video.path, f"its frames cannot be stored: {os_error_message(refusal)}{where}")
        return None

    def _write(self, attempt: VideoAttempt, result: VideoResult, *, run: ActiveRun) -> None:
        """Writes the rows of a video, and counts it; raises `WitnessGoneError` or `OSError` if nothing was written."""
        video = attempt.video
        if self._is_read(video.video):
            return self._report.count(VideoOutcome.UNCHANGED)
        if result.refusal is not None:
            self._store.add_refused(video.video, video.names, result.refusal, run=run)
        else:
            stored = self._store.add(
                video.video,
                video.names,
                result,
                folder=FramesFolder(self._options.frames_folder, attempt.folder),
                profile_id=attempt.profile.id,
                memory_keys=attempt.memory_keys,
                run=run,
            )
            result, self._report.adopted = stored.result, self._report.adopted + stored.adopted
        return self._count(video, result)

    def _is_read(self, video: VideoToRead) -> bool:
        """Whether the index has a video as it is: another command read it meanwhile, or the same one, which then could
        not write its counts."""
        candidate = video.candidate
        with self._database.read() as session:
            row = videos.list_known_videos(session, [candidate.path]).get(candidate.path)
        if row is None or row.state is not VideoState.READ:
            return False
        as_it_is = candidate.size_bytes, clamped_mtime(candidate.mtime_ns), video.identity.fingerprint
        return (row.size_bytes, row.mtime_ns, row.fingerprint) == as_it_is

    def _count(self, video: PlannedVideo, result: VideoResult) -> None:
        report = self._report
        if result.refusal is not None or result.reading is None:
            report.count(VideoOutcome.UNREADABLE)
            report.problems.append((video.path, str(result.refusal)))
            return
        is_whole = result.reading.state is VideoState.READ
        report.count(VideoOutcome.READ if is_whole else VideoOutcome.PARTIAL)
        if result.reading.reason is not None:
            report.problems.append((video.path, result.reading.reason))
        report.frames_read += result.frames_read
        report.frames_stored += len(result.frames)
        report.gaps += sum(span.frames == 0 for span in result.spans)
        report.spans += sum(span.frames > 0 for span in result.spans)
        report.frames_damaged += sum(span.frames for span in result.spans if span.reason is SpanReason.DAMAGED)
        report.all_frames += result.reading.sampling is Sampling.ALL and self._options.sampling is Sampling.AUTO


def _outcome_of_known(known: KnownVideo, path: str) -> VideoOutcome:
    """The outcome of a known video that lies at a path now."""
    if known.path != path:
        return VideoOutcome.MOVED
    return VideoOutcome.UNCHANGED if known.missing_reason is None else VideoOutcome.RETURNED
