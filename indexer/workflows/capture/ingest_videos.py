"""ingest of videos: find what is new, look at its frames in workers, store what they show, account for all others.

It promises that a known video is not read twice, that each video is written whole or not at all, and that the lock is
held while one video is written and not while it is read, so that other commands work beside it. The videos of a camera
are read one after the other, each compared with what the one before gave; those of several cameras at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from indexer.domain.descriptions import Limits, Thumbnail
from indexer.domain.naming.moments import to_utc
from indexer.domain.videos import Sampling, VideoState
from indexer.errors import ProfileError
from indexer.execution import ParallelMap, WorkerFailure, map_path
from indexer.files.partial_frames import partial_folder
from indexer.files.reading import os_error_message
from indexer.store import cameras, decisions, profiles, spans, videos
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.capture.read_video import MemoryImage, VideoResult, VideoTask, read_video
from indexer.workflows.capture.store_video import FramesFolder, VideoNames, VideoStore, WitnessGoneError
from indexer.workflows.capture.video_diff import VideoDiff, VideoToRead, diff_videos, without_copies
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.ingest.ingest import ingest_under_lock
from indexer.workflows.ingest.name_plan import apply_rules, needs_recording, plan_names, record_rules
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.ingest.video_outcomes import VideoOutcome, VideoReport
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.lock_wait import FOREVER, LockWait
from indexer.workflows.runs.run import ActiveRun, LongRun, open_run

_MAX_ATTEMPTS = 3
"""So often is a video read again because one of its witnesses was removed meanwhile; the last time without memory."""
_SECONDS_PER_MB = 4.0
"""A video may take so long, or the time of an image if that is more: at 2 Mb/s as long as it lasts."""

MakeExecutor = Callable[[float], AbstractContextManager[ParallelMap]]
"""An executor for videos, each of which may take so many seconds."""


@dataclass(frozen=True)
class VideoOptions:
    """Where the frames of videos go, and which frames are looked at.

    `frames_folder`: a real path. `every_s`: seconds from one frame to the next, above 0. `time_s`: a video may always
    take so long.
    """

    frames_folder: str
    every_s: float = 1.0
    sampling: Sampling = Sampling.AUTO
    time_s: float = 120.0

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments as the run stores them."""
        return {
            "frames": ascii(self.frames_folder)[1:-1],
            "every_s": self.every_s,
            "sampling": str(self.sampling),
        }


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
        report.videos = VideoReport(frames_folder=options.frames_folder)
        with partial_folder(options.frames_folder) as partial:
            folder = FramesFolder(options.frames_folder, partial)
            ingest = _VideoIngest(database, options, folder, report.videos, run, limits=limits, clock=clock)
            ingest.run(request, make_video_executor, progress=progress)
        run.counts["videos"] = report.videos.counts
        with database.read() as session:
            report.undecided = decisions.count_undecided(session)
    return report


@dataclass(frozen=True)
class _PlannedVideo:
    """A video to read, with its camera and, if its path says so, when it began; `attempts`: how often it was read."""

    video: VideoToRead
    names: VideoNames
    named_at: datetime | None
    named_source: str | None
    attempts: int = 0

    @property
    def path(self) -> str:
        return self.video.candidate.path


class _VideoIngest:
    """The videos of one run, from the difference to the last row."""

    def __init__(
        self,
        database: Database,
        options: VideoOptions,
        folder: FramesFolder,
        report: VideoReport,
        run: LongRun,
        *,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._database, self._options, self._folder = database, options, folder
        self._report, self._run, self._limits = report, run, limits
        self._store = VideoStore(database, folder, clock=clock)
        self._numbers = count()

    def run(self, request: IngestRequest, make_executor: MakeExecutor, *, progress: Progress) -> None:
        """Reads and stores what is new; notes what moved or is gone."""
        request = apply_rules(self._database, request)
        diff = diff_videos(self._database, request)
        for _ in diff.unchanged:
            self._report.count(VideoOutcome.UNCHANGED)
        for candidate, reason in diff.refused:
            self._report.refuse(candidate.path, reason)
        for known, video in diff.relocated:
            with self._batch(known.camera), self._database.write() as session:
                candidate = video.candidate
                mtime_ns = video.identity.mtime_ns
                videos.relocate_video(session, known.id, path=candidate.path, root=candidate.root, mtime_ns=mtime_ns)
            is_same_path = known.path == candidate.path
            moved = VideoOutcome.RETURNED if is_same_path else VideoOutcome.MOVED
            is_retimed = is_same_path and known.missing_reason is None
            self._report.count(VideoOutcome.UNCHANGED if is_retimed else moved)
        if diff.gone:
            cameras_of_gone = sorted({known.camera for known in diff.gone.values()})
            with self._run.record_batch(cameras=cameras_of_gone) as batch, self._database.write() as session:
                paths = {video_id: known.path for video_id, known in diff.gone.items()}
                self._report.missing = videos.mark_videos_missing(session, paths)
                self._note(batch)
        planned = self._plan(request, diff)
        if planned:
            time_s = max(self._time_s(one) for one in planned)
            advance = progress("reading videos", len(planned))
            with make_executor(time_s) as executor:
                self._read_all(planned, executor, advance=advance)

    def _plan(self, request: IngestRequest, diff: VideoDiff) -> list[_PlannedVideo]:
        """The videos to read, named; copies, and those of cameras that are held back, are counted."""
        candidates = tuple(video.candidate for video in (*diff.to_read, *diff.equal))
        request = replace(request, candidates=candidates, names={})
        new = IndexDiff([], [(candidate, None) for candidate in candidates], {})
        request, _, self._report.names, held = plan_names(self._database, request, new)
        to_read, copies = without_copies(diff, lambda candidate: request.path_naming(candidate.path).camera)
        for _ in copies:
            self._report.count(VideoOutcome.EQUAL)
        copied = {video.candidate.path for video in copies}
        held = [candidate for candidate in held if candidate.path not in copied]
        if needs_recording(request):
            with self._run.record_batch(), self._database.write() as session:
                record_rules(session, request)
        for candidate in held:
            self._report.refuse(candidate.path, "its camera is held back")
        held_paths = {candidate.path for candidate in held}
        planned = []
        for video in to_read:
            if video.candidate.path not in held_paths:
                path = request.path_naming(video.candidate.path)
                named_at = None if path.moment is None else to_utc(path.moment, path.zone)
                source = None if named_at is None else path.moment_source
                names = VideoNames(path, path.camera, path.camera_source)
                planned.append(_PlannedVideo(video, names, named_at, source))
        return planned

    def _read_all(
        self, planned: Sequence[_PlannedVideo], executor: ParallelMap, *, advance: Callable[[int], None]
    ) -> None:
        """Reads the videos of each camera one after the other, in the order of their times; one of each at once."""
        waiting: dict[str, list[_PlannedVideo]] = defaultdict(list)
        for one in sorted(planned, key=_by_time, reverse=True):
            waiting[one.names.camera].append(one)
        while waiting:
            round_of_videos = [of_camera.pop() for of_camera in waiting.values()]
            for one in self._read_round(round_of_videos, executor):
                waiting[one.names.camera].append(one)
            advance(len(round_of_videos))
            waiting = defaultdict(list, {camera: rest for camera, rest in waiting.items() if rest})

    def _read_round(self, planned: Sequence[_PlannedVideo], executor: ParallelMap) -> Iterator[_PlannedVideo]:
        """Reads and stores one video of each camera. Yields those that must be read again."""
        with self._database.read() as session:
            in_force = profiles.list_in_force(session, {one.names.camera for one in planned})
            known_cameras = cameras.list_cameras(session)
        readable = list[_PlannedVideo]()
        for one in planned:
            if in_force[one.names.camera].profile.preparation.native:
                name = in_force[one.names.camera].profile.name
                self._report.refuse(one.path, f"profile {name!r} has no work_width, which videos need")
            else:
                readable.append(one)
        tasks = [self._task(executor, one, in_force[one.names.camera], known_cameras) for one in readable]
        for one, answer in zip(readable, executor(read_video, tasks), strict=True):
            result = (
                VideoResult(one.video.identity, refusal=f"reading it {answer.reason}")
                if isinstance(answer, WorkerFailure)
                else answer
            )
            if not self._write(one, result, in_force[one.names.camera]):
                yield replace(one, attempts=one.attempts + 1)

    def _task(
        self, executor: ParallelMap, one: _PlannedVideo, stored: StoredProfile, known_cameras: Mapping[str, int]
    ) -> VideoTask:
        recipe = thumbnail_recipe(stored.profile.preparation)
        if recipe is None:
            raise ProfileError(f"profile {stored.profile.name!r} has no work_width, which videos need")
        camera_id = known_cameras.get(one.names.camera)
        memory = tuple[MemoryImage, ...]()
        if camera_id is not None and one.attempts < _MAX_ATTEMPTS:
            with self._database.read() as session:
                latest = spans.list_latest_kept(session, camera_id, preparation_id=stored.preparation_id)
            memory = tuple(
                MemoryImage(image.path, Thumbnail(recipe.digest, 0, 0, image.thumbnail, image.flat)) for image in latest
            )
        return VideoTask(
            map_path(executor, one.path),
            one.names.camera,
            one.named_at,
            one.named_source,
            recipe,
            stored.profile.scoring_parameters,
            memory,
            self._options.every_s,
            self._options.sampling,
            map_path(executor, self._folder.path),
            map_path(executor, self._folder.partial),
            f"{next(self._numbers)}-",
            self._limits,
            self._time_s(one),
        )

    def _time_s(self, one: _PlannedVideo) -> float:
        return max(self._options.time_s, one.video.candidate.size_bytes / 1e6 * _SECONDS_PER_MB)

    def _write(self, one: _PlannedVideo, result: VideoResult, stored: StoredProfile) -> bool:
        """Writes what a video gave, and counts it. Returns False if it must be read again."""
        identity = one.video.identity
        changed = result.identity is not None and result.identity.fingerprint != identity.fingerprint
        problem = "it changed while it was read" if changed else result.problem
        if problem is not None:
            self._report.refuse(one.path, problem)
            return True
        try:
            with self._batch(one.names.camera) as batch:
                if result.refusal is not None:
                    self._store.add_refused(
                        one.video.candidate, one.names, identity.fingerprint, result.refusal, run=batch
                    )
                else:
                    self._report.adopted += self._store.add(
                        one.video.candidate, one.names, identity.fingerprint, result, profile_id=stored.id, run=batch
                    )
                self._count(one, result)
                self._note(batch)
        except WitnessGoneError:
            return False
        except OSError as refusal:
            self._report.refuse(one.path, os_error_message(refusal))
        return True

    def _batch(self, camera: str) -> AbstractContextManager[ActiveRun]:
        return self._run.record_batch(cameras=[camera])

    def _note(self, batch: ActiveRun) -> None:
        batch.counts["videos"] = self._report.counts

    def _count(self, one: _PlannedVideo, result: VideoResult) -> None:
        report = self._report
        if result.refusal is not None or result.reading is None:
            report.count(VideoOutcome.UNREADABLE)
            report.problems.append((one.path, str(result.refusal)))
            return
        is_whole = result.reading.state is VideoState.READ
        report.count(VideoOutcome.READ if is_whole else VideoOutcome.PARTIAL)
        if not is_whole:
            report.problems.append((one.path, str(result.reading.reason)))
        report.frames_read += result.frames_read
        report.frames_stored += len(result.frames)
        report.gaps += sum(span.frames == 0 for span in result.spans)
        report.spans += sum(span.frames > 0 for span in result.spans)
        report.all_frames += result.reading.sampling is Sampling.ALL and self._options.sampling is Sampling.AUTO


def _by_time(one: _PlannedVideo) -> tuple[bool, float, str]:
    """By the time that the name says, else by that of the file."""
    at = one.named_at
    return at is None, one.video.identity.mtime_ns / 1e9 if at is None else at.timestamp(), one.path
