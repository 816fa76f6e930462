"""Videos that arrived: they wait for their turn, and are read beside everything else that a watch does.

It promises that no image waits while a video is read; that no video waits for one of another camera as long as there is
a worker for it; that two videos of one camera are never read at once; and that what was read is not lost when the
index cannot be written at that moment. Only what a worker does goes on in the background: the index is read and written
by the caller's thread.

Decision 0048: only the reading of a video goes on beside the loop.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

from indexer.domain.videos import VideoState
from indexer.errors import IndexInUseError
from indexer.escaping import printable
from indexer.execution import WorkerFailure
from indexer.execution.background import BackgroundWork
from indexer.files.partial_frames import PartialFolders, discard_attempt_folder, make_attempt_folder
from indexer.files.reading import os_error_message
from indexer.files.walking import Candidate
from indexer.store import videos
from indexer.workflows.capture.attempts import VideoAttempt, read_attempts
from indexer.workflows.capture.ingest_videos import VideoIngest
from indexer.workflows.capture.plan_videos import PlannedVideo
from indexer.workflows.capture.read_video import VideoResult
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingest.discovery import request_of_files
from indexer.workflows.ingest.video_outcomes import VideoReport
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.notices import Notices
from indexer.workflows.runs.run import LongRun
from indexer.workflows.watch.intake import Intake, IntakeResult, VideoIntake
from indexer.workflows.watch.outcomes import WatchReport

_MAX_PLANNED = 16
"""So many videos are opened, at most, to learn their cameras, before the folders are looked at again."""

_PAUSE_S = 2.0
"""Until a video that was read is written, if another command had its camera."""
_SHORT_WAIT = LockWait(1.0, 1.0)
VideoRead = BackgroundWork[VideoResult | WorkerFailure]


@dataclass
class _Waiting:
    """A video that waits; `camera`: None until it was opened once."""

    candidate: Candidate
    camera: str | None = None


@dataclass
class _Reading:
    """A video that is being read, or was read and is not written yet.

    `not_before_s`: when writing is tried again. `again`: what is to be read once more. `is_finished`: its rows are
    written, and only its counts are not.
    """

    candidate: Candidate
    camera: str
    ingest: VideoIngest
    report: VideoReport
    unfinished: set[str]
    folder: str
    attempt: VideoAttempt
    work: VideoRead
    not_before_s: float = float("-inf")
    again: PlannedVideo | None = None
    is_finished: bool = False


class VideoQueue:
    """The complete videos of a watch. `is_young`: of a path, whether its file may be unfinished still."""

    def __init__(
        self,
        context: ComparisonContext,
        how: VideoIntake,
        intake: Intake,
        *,
        is_young: Callable[[str], bool],
        notices: Notices,
    ) -> None:
        self._context, self._how, self._intake, self._is_young = context, how, intake, is_young
        self._notices = notices
        self._waiting: dict[str, _Waiting] = {}
        self._reading: dict[str, _Reading] = {}
        self._stack, self._partial = ExitStack(), list[PartialFolders]()
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._waiting.keys() | self._reading.keys())

    def __contains__(self, path: str) -> bool:
        return path in self._waiting or path in self._reading

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when a video was read."""
        return [reading.work.fileno() for reading in self._reading.values() if reading.not_before_s == float("-inf")]

    @property
    def next_due_s(self) -> float:
        """When the next video that was read is to be written, if it could not be before."""
        times = [reading.not_before_s for reading in self._reading.values()]
        return min((time_s for time_s in times if time_s > float("-inf")), default=float("inf"))

    def list_in_hand(self) -> list[str]:
        """The paths of the videos that are being read."""
        return list(self._reading)

    def add(self, candidate: Candidate) -> None:
        """Lets a video wait for its turn; one that waits already is taken as it is now."""
        self._waiting[candidate.path] = _Waiting(candidate)

    def take_in(self, run: LongRun, *, report: WatchReport, now_s: float) -> Iterator[IntakeResult]:
        """Writes the videos that were read, and lets the next ones be read; what became of each.

        Raises `DatabaseError` if the index refuses; then it is to be called again later.
        """
        yield from self.write_done(run, report=report, now_s=now_s)
        for _ in range(_MAX_PLANNED):
            waiting = self._next()
            if waiting is None:
                return
            try:
                result = self._start(waiting, run, report=report)
            except IndexInUseError:
                path = waiting.candidate.path
                self._waiting[path] = self._waiting.pop(path)  # the others first
                raise
            if result is not None:
                yield result

    def write_done(self, run: LongRun, *, report: WatchReport, now_s: float) -> Iterator[IntakeResult]:
        """Writes the videos that were read; what became of each. One whose camera another command has waits for it."""
        for reading in [each for each in self._reading.values() if each.work.is_done and each.not_before_s <= now_s]:
            try:
                result = self._write(reading, run, report=report)
            except IndexInUseError as problem:
                reading.not_before_s = now_s + _PAUSE_S
                path = printable(reading.candidate.path)
                self._notices.say(_subject(reading), f"{path} was read, and waits for {problem.holder}")
                continue
            self._notices.end(_subject(reading), f"{printable(reading.candidate.path)} was written now")
            if result is not None:
                yield result

    def close(self) -> None:
        """Gives up what is being read: it is read again by the next watch."""
        for reading in self._reading.values():
            reading.work.give_up()
        try:
            for reading in [*self._reading.values()]:
                self._end(reading)
        finally:
            self._stack.close()

    def _next(self) -> _Waiting | None:
        """The video that waits longest, of those whose camera is free as far as that is known."""
        if len(self._reading) >= self._intake.workers:
            return None
        busy = {reading.camera for reading in self._reading.values()}
        return next(
            (
                waiting
                for path, waiting in self._waiting.items()
                if waiting.camera not in busy and path not in self._reading
            ),
            None,
        )

    def _start(self, waiting: _Waiting, run: LongRun, *, report: WatchReport) -> IntakeResult | None:
        """Lets a video be read; what became of it, if it need not, or cannot. None, too, if its camera is not free."""
        candidate, own_report, unfinished = waiting.candidate, VideoReport(), set[str]()

        def is_postponed(path: str, read: VideoResult) -> bool:
            is_whole = read.reading is not None and read.reading.state is VideoState.READ
            if not is_whole and self._is_young(path):
                unfinished.add(path)
                return True
            return False

        context, options = self._context, self._how.options
        ingest = VideoIngest(
            context.database,
            options,
            own_report,
            limits=context.limits,
            clock=context.clock,
            is_postponed=is_postponed,
        )
        request = request_of_files((), videos=[candidate], frames_folder=options.frames_folder)
        planned = ingest.plan(request, run=run)
        if planned and planned[0].camera in {reading.camera for reading in self._reading.values()}:
            waiting.camera = planned[0].camera
            return None
        if not planned:
            return self._end_unread(candidate, own_report, run, report=report)
        try:
            folder = make_attempt_folder(self._partial_folder(), next(self._numbers))
        except OSError as problem:  # the disk of the frames is full, or away
            own_report.refuse(candidate.path, f"no frame can be stored: {os_error_message(problem)}")
            return self._end_unread(candidate, own_report, run, report=report)
        with ExitStack() as on_failure:
            on_failure.callback(discard_attempt_folder, folder)
            for attempt in ingest.begin(planned, partial=folder):
                work, camera = self._read(attempt, ingest.time_s(attempt.video)), attempt.video.camera
                self._reading[candidate.path] = _Reading(
                    candidate, camera, ingest, own_report, unfinished, folder, attempt, work
                )
                del self._waiting[candidate.path]
                on_failure.pop_all()
                return None
        return self._end_unread(candidate, own_report, run, report=report)

    def _end_unread(
        self, candidate: Candidate, outcome: VideoReport, run: LongRun, *, report: WatchReport
    ) -> IntakeResult:
        """What became of a video that need not be read, or cannot."""
        result = self._note_end(candidate, outcome, set(), run, report=report)
        del self._waiting[candidate.path]
        return result

    def _partial_folder(self) -> str:
        """The folder of this watch for frames that have no paths yet. Raises `OSError` if the disk refuses."""
        if not self._partial:
            self._partial.append(PartialFolders(self._how.options.frames_folder, self._stack))
        self._partial[0].show_at_work()
        return self._partial[0].current()

    def _read(self, attempt: VideoAttempt, time_s: float) -> VideoRead:
        """Lets workers read a video in the background."""

        def read(is_over: Callable[[], bool]) -> VideoResult | WorkerFailure:
            with self._how.make_executor(time_s, is_over) as executor:
                (result,) = read_attempts(executor, [attempt])
                return result

        return BackgroundWork(read)

    def _write(self, reading: _Reading, run: LongRun, *, report: WatchReport) -> IntakeResult | None:
        """Writes a video that was read; what became of it, or None if it is read once more."""
        if not reading.is_finished:
            if reading.again is None:
                result = reading.work.result()
                reading.again = reading.ingest.finish(reading.attempt, result, run=run, wait=_SHORT_WAIT)
            if reading.again is not None and self._read_again(reading, reading.again):
                reading.again = None
                return None
            reading.is_finished = True
        ended = self._note_end(reading.candidate, reading.report, reading.unfinished, run, report=report)
        self._end(reading)
        if reading.candidate.path in self._waiting:  # it changed meanwhile
            return IntakeResult(cameras=ended.cameras)
        return ended

    def _read_again(self, reading: _Reading, video: PlannedVideo) -> bool:
        """Begins another attempt; False if the video cannot be read now."""
        for attempt in reading.ingest.begin([video], partial=reading.folder):
            before, work = reading.work, self._read(attempt, reading.ingest.time_s(video))
            reading.attempt, reading.work = attempt, work
            before.close()
            reading.not_before_s = float("-inf")
            return True
        return False

    def _note_end(
        self, candidate: Candidate, outcome: VideoReport, unfinished: set[str], run: LongRun, *, report: WatchReport
    ) -> IntakeResult:
        """Adds a video to the report and to the run, and finds out whether the index has it now."""
        reasons = dict(outcome.refused)
        with run.record_batch(wait=_SHORT_WAIT) as batch:
            report.add_videos(outcome, at=self._context.clock())
            outcome.outcomes.clear()  # counted once, also if the index refuses now
            outcome.frames_read = outcome.frames_stored = 0
            batch.counts.update(report.counts)
        if candidate.path not in {*reasons, *unfinished}:
            self._intake.note_copies([candidate])
        result = self._intake.sort([candidate], unfinished, reasons)
        with self._context.database.read() as session:
            known = videos.list_known_videos(session, [candidate.path])
        result.cameras |= {row.camera for row in known.values()}
        return result

    def _end(self, reading: _Reading) -> None:
        """Ends the work on a video, and deletes what is left of its frames."""
        del self._reading[reading.candidate.path]
        reading.work.close()
        discard_attempt_folder(reading.folder)


def _subject(reading: _Reading) -> str:
    return f"video {reading.candidate.path}"
