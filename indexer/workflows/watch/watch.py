"""watch: takes in what arrives in folders, compares the cameras that got something, and goes on until it is stopped.

It promises that it never marks an image as missing and never removes a file; that a file which is complete is taken in,
whatever happens in between: a report that was lost, a full disk, another command that has the lock, a kill; and that a
file which is not is never recorded as good.

Decision 0048: events wake, and the folder is the truth.
"""

import os
import select
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice

from indexer.domain.arrivals import Arrivals
from indexer.domain.plurals import counted
from indexer.errors import DatabaseError, IndexInUseError, RowRefusedError
from indexer.escaping import printable
from indexer.files.walking import Candidate, is_image_name
from indexer.interrupts import StopRequest
from indexer.store.locks.run_lock import list_running
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.context import ComparisonContext, SystemTime
from indexer.workflows.required_features import require_features_below
from indexer.workflows.runs.index_file import file_identity
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.notices import Notices
from indexer.workflows.runs.run import LongRun, open_run
from indexer.workflows.watch.decide import decide_cameras, list_undecided_cameras
from indexer.workflows.watch.due_cameras import DueCameras
from indexer.workflows.watch.intake import Intake, IntakeResult, record_naming
from indexer.workflows.watch.once import OnceProgress
from indexer.workflows.watch.options import WatchOptions, WatchOutput
from indexer.workflows.watch.outcomes import WatchReport
from indexer.workflows.watch.reasons import WaitReasons
from indexer.workflows.watch.sources import SourceOptions, WatchedSources, is_own_folder, say_unreadable
from indexer.workflows.watch.video_queue import VideoQueue

_CACHED_BYTES = 1 << 28
"""Decoded thumbnails of all cameras together; more where one camera needs more."""
_FLOOD_SHARE = 10.0
"""While more files wait than are taken in at once, one part in so many of the time goes into comparisons."""


def watch(
    context: ComparisonContext,
    folders: Sequence[str],
    options: WatchOptions,
    *,
    make_intake: Callable[[Callable[[str], bool]], Intake],
    stop: StopRequest,
    output: WatchOutput,
    time: SystemTime | None = None,
) -> WatchReport:
    """Watches folders, real paths of which none lies in another, until `stop` is requested.

    `make_intake`: makes the intake, given whether the file at a path may be unfinished still.
    Raises `FolderError` if the index names the images of a folder in another way than the options say,
    `MissingLibraryError` if a profile that is used has features and its extra is not installed, and `DatabaseError` if
    the index was replaced.
    """
    with context.database.read() as session:
        require_features_below(session, folders)
    record_naming(context.database, folders, options.naming)
    work = _Watch(
        context, folders, options, make_intake=make_intake, stop=stop, output=output, time=time or SystemTime()
    )
    try:
        with closing(work):
            work.run()
    except KeyboardInterrupt:
        if stop.signal_number is None:
            raise  # else what was in hand took too long to end
    return work.report


class _Watch:
    """A watch at work."""

    def __init__(
        self,
        context: ComparisonContext,
        folders: Sequence[str],
        options: WatchOptions,
        *,
        make_intake: Callable[[Callable[[str], bool]], Intake],
        stop: StopRequest,
        output: WatchOutput,
        time: SystemTime | None,
    ) -> None:
        self.report = WatchReport(tuple(folders))
        self._context, self._options, self._stop, self._output = context, options, stop, output
        self._time = time or SystemTime()
        self._notices = Notices(output.show)
        self._arrivals = Arrivals(options.times)
        self._intake = make_intake(self._is_young)
        videos = self._intake.videos
        self._videos: VideoQueue | None = None
        if videos is not None:
            self.report.videos = Counter()
            self._videos = VideoQueue(context, videos, self._intake, is_young=self._is_young, notices=self._notices)
        self._sources = WatchedSources(
            folders,
            self._arrivals,
            SourceOptions(videos is not None, options.is_polled or options.is_once),
            list_unknown=self._intake.list_unknown,
            time=self._time,
        )
        self._cameras = DueCameras()
        self._thumbnails = ThumbnailCache(capacity_bytes=_CACHED_BYTES)
        self._image_folders = [*folders, *([] if videos is None else [videos.options.frames_folder])]
        self._reasons = WaitReasons(self._notices)
        self._walked_s = self._looked_s = self._taken_s = float("-inf")
        self._rested_s = self._now_s()
        self._once = OnceProgress(options.times.grace_s, now_s=self._now_s())
        self._must_walk = self._had_outage = self._is_flood = False
        self._index_identity = file_identity(context.database.path)

    def close(self) -> None:
        """Ends the reports of the folders, and what is read in the background; frees the thumbnails."""
        if self._videos is not None:
            self._videos.close()
        self._sources.close()
        self._thumbnails.clear()

    def run(self) -> None:
        """Works until it is stopped, or with `is_once` until nothing waits; in one run, while the index is there."""
        try:
            self._run()
        except KeyboardInterrupt:
            if not self._is_stopped():
                raise
        number = self._stop.signal_number
        self.report.ended_by = None if number is None else signal.Signals(number).name
        self.report.waits = len(self._arrivals)
        in_hand = [] if self._videos is None else self._videos.list_in_hand()
        self.report.waiting = self._reasons.list_items(self._arrivals, in_hand)

    def _run(self) -> None:
        while not self._is_over():
            with self._outages():
                wait_s = self._options.lock_wait_s
                wait = LockWait(wait_s, wait_s, self._say_waits, is_over=self._is_stopped)
                arguments = {"paths": [printable(folder) for folder in self.report.folders]}
                with open_run(
                    self._context.database,
                    "watch",
                    arguments=arguments,
                    clock=self._context.clock,
                    by_camera=True,
                    wait=wait,
                ) as run:
                    try:
                        self._work(run)
                    except KeyboardInterrupt:
                        if not self._is_stopped():
                            raise  # else what was in hand took too long, and the run is done all the same

    def _work(self, run: LongRun) -> None:
        """Works in one run until it is over, or until the lock of the run is lost."""
        while not self._is_over():
            with self._outages(run):
                self._turn(run)
            if self._had_outage and self._is_lost(run):
                return
            self._had_outage = False
            self._output.notify("WATCHDOG=1")
            self._pause()
        if self._videos is not None:
            with self._outages(run):
                for result in self._videos.write_done(run, report=self.report, now_s=self._now_s()):
                    self._note_result(result)

    def _turn(self, run: LongRun) -> None:
        """Looks, takes in a batch, and compares, each if it is time for it."""
        if file_identity(self._context.database.path) != self._index_identity:
            raise DatabaseError(
                f"the index {self._context.database.name} was deleted or replaced during this command; nothing more "
                "was written; run the command again"
            )
        self._look(run)
        if self._is_time_to_take():
            self._take_in(run)
        if self._videos is not None:
            for result in self._videos.take_in(run, report=self.report, now_s=self._now_s()):
                self._note_result(result)
        if self._options.compares:
            self._compare(run)

    def _look(self, run: LongRun) -> None:
        """Finds what arrived."""
        now_s = self._now_s()
        self._sources.read_events()
        if self._is_time_to_walk():
            is_first = self._walked_s == float("-inf")
            self._sources.walk(is_first=is_first)
            if is_first:
                self._once.note_walked(now_s=self._now_s())
            self._walked_s = self._looked_s = now_s
            self._must_walk = False
            if self._options.compares:
                for camera in list_undecided_cameras(self._context, self._image_folders):
                    self._cameras.note_changed(camera, now_s=now_s)
        elif now_s - self._looked_s >= self._options.every_s:
            self._sources.look(finds_new=self._finds_new())
            self._looked_s = now_s
        self._show_folders(run)

    def _show_folders(self, run: LongRun) -> None:
        """Says what changed about the folders, and stores which of them are away."""
        self._reasons.forget_gone(self._arrivals)
        for subject, sentence in self._sources.notices.items():
            self._notices.say(subject, sentence)
        for watched in self._sources.folders:
            say_unreadable(watched, self._notices)
        away = [folder.root for folder in self._sources.folders if folder.problem is not None]
        if away != self.report.away:
            with run.record_batch() as batch:  # so that `status` shows it
                self.report.away = away
                batch.counts.update(self.report.counts)

    def _take_in(self, run: LongRun) -> None:
        """Takes in the images that are complete, at most a batch; lets the videos wait for their turn."""
        self._taken_s = self._now_s()
        complete = list(islice(self._iter_complete(), self._options.max_batch))
        self._is_flood = len(complete) >= self._options.max_batch
        batch = list[Candidate]()
        for candidate in complete:
            if is_image_name(os.path.basename(candidate.path)):
                batch.append(candidate)
            elif self._videos is not None:
                self._videos.add(candidate)
        if not batch:
            return
        try:
            result = self._intake.take_in(run, batch, report=self.report)
        except BaseException:
            for candidate in batch:
                self._arrivals.postpone(candidate.path, now_s=self._now_s())
            raise
        self._note_result(result)
        taken = counted(sum(self.report.outcomes.values()), "file")
        self._output.notify(f"STATUS={taken} taken in, {len(self._arrivals)} waiting")

    def _note_result(self, result: IntakeResult) -> None:
        """Forgets the files that were taken in, and lets the others wait again."""
        now_s = self._now_s()
        if result.taken:
            self._once.note_taken(now_s=now_s)
        self._sources.note_taken(result.taken)
        for folder, sentence in result.notes.items():
            self._notices.say(f"names in {folder}", sentence)
        for candidate in result.taken:
            self._reasons.end(candidate.path, closes=self._arrivals.finish(candidate.path))
        for path, reason in result.refused.items():
            self._arrivals.put_back(path, now_s=now_s, is_refused=bool(reason))
            self._reasons.note(path, reason)
        for camera in result.cameras:
            self._cameras.note_changed(camera, now_s=now_s)

    def _iter_complete(self) -> Iterator[Candidate]:
        """The files that are complete now."""
        own_folders = dict[str, bool]()
        for path in self._arrivals.iter_due(now_s=self._now_s()):
            candidate = self._sources.describe(path)
            signature = None if candidate is None else (candidate.size_bytes, candidate.mtime_ns)
            folder = os.path.dirname(path)
            if candidate is not None and folder not in own_folders:
                own_folders[folder] = is_own_folder(folder)
            if candidate is None or own_folders[folder]:
                signature = None
            if self._arrivals.check(path, signature, now_s=self._now_s()) and candidate is not None:
                yield candidate

    def _compare(self, run: LongRun) -> None:
        """Compares the cameras whose turn it is, until so much time has passed that files should be taken in again."""
        begin_s = self._now_s()
        if self._awaits_files() or (self._is_flood and not self._options.is_once and begin_s < self._rested_s):
            return  # with `is_once` each camera is compared once, at the end
        due = self._cameras.list_due(now_s=begin_s, at_once=self._options.is_once)
        if not due:
            return
        with run.record_batch() as batch:
            start_s = begin_s
            for result in decide_cameras(self._context, due, run=batch, cache=self._thumbnails):
                now_s = self._now_s()
                if result.problem is None:
                    self._once.note_compared(now_s=now_s)
                    self.report.decided += result.decided
                    self._cameras.note_compared(result.camera, start_s=start_s, now_s=now_s)
                    self._notices.end(f"camera {result.camera}", f"camera {result.camera!r} is decided again")
                else:
                    self._cameras.note_refused(result.camera, until_s=now_s + self._options.pause_s)
                    self._notices.say(f"camera {result.camera}", f"camera {result.camera!r}: {result.problem}")
                start_s = now_s
                if self._is_stopped() or now_s - begin_s > self._options.every_s:
                    break
            batch.counts.update(self.report.counts)
        self._rested_s = begin_s + _FLOOD_SHARE * (self._now_s() - begin_s)

    @contextmanager
    def _outages(self, run: LongRun | None = None) -> Iterator[None]:
        """Waits where the index cannot be used now, so that the work can be tried again.

        Raises `DatabaseError` if the index was replaced: nothing written to the old one would be seen.
        """
        try:
            yield
        except IndexInUseError as problem:
            self._say_waits(problem.holder)
            self._output.notify("WATCHDOG=1")
        except RowRefusedError:
            raise
        except DatabaseError as problem:
            if file_identity(self._context.database.path) != self._index_identity:
                raise
            self._notices.say("index", f"{problem}; tried again each {self._options.pause_s:g} s")
            self._output.notify(f"STATUS={problem}")
            self._output.notify("WATCHDOG=1")
            self._must_walk = self._had_outage = True  # what was reported meanwhile may be lost
            select.select([self._stop], [], [], self._options.pause_s)
        else:
            if run is not None:
                self._notices.end("index", "the index can be written again")
                self._notices.end("lock", "the index is free again")

    def _say_waits(self, holder: str) -> None:
        self._notices.say("lock", f"waits for {holder}")

    def _is_lost(self, run: LongRun) -> bool:
        """Whether nothing shows any more that the run is at work, as after a restart of the server."""
        try:
            return not list_running(self._context.database, [run.id])
        except DatabaseError:
            return True

    def _is_over(self) -> bool:
        if self._is_stopped():
            return True
        if not self._options.is_once or self._walked_s == float("-inf") or self._awaits_files():
            return False
        return not (self._options.compares and self._once.awaits_cameras(self._cameras.waiting, now_s=self._now_s()))

    def _awaits_files(self) -> bool:
        """Whether a watch that is to end by itself still waits for files."""
        return self._options.is_once and self._once.awaits_files(
            self._arrivals.has_unfinished, videos=len(self._videos or ()), now_s=self._now_s()
        )

    def _finds_new(self) -> bool:
        """Whether files that arrive now are taken up: always, but by a watch that is to end by itself."""
        return not self._options.is_once or self._once.finds_new(now_s=self._now_s())

    def _is_time_to_walk(self) -> bool:
        """Whether the folders are to be walked: first, when something was lost, and from time to time."""
        is_drained = self._arrivals.is_incomplete and not self._has_due()
        is_long_ago = self._now_s() - self._walked_s >= self._options.rescan_s and self._finds_new()
        return is_drained or self._must_walk or is_long_ago or self._walked_s == float("-inf")

    def _is_time_to_take(self) -> bool:
        return self._options.is_once or self._is_flood or self._now_s() - self._taken_s >= self._options.every_s

    def _has_due(self) -> bool:
        return (due_s := self._arrivals.next_due_s) is not None and due_s <= self._now_s()

    def _next_s(self) -> float:
        """When there is something to do again, if nothing is reported."""
        every_s = self._options.every_s
        times = [self._looked_s + every_s]
        if self._finds_new():
            times.append(self._walked_s + self._options.rescan_s)
        if self._videos is not None:
            times.append(self._videos.next_due_s)
        if (due_s := self._arrivals.next_due_s) is not None:
            is_at_once = self._options.is_once or self._is_flood
            times.append(due_s if is_at_once else max(due_s, self._taken_s + every_s))
        if self._options.compares and (camera_s := self._cameras.next_due_s) is not None and not self._awaits_files():
            is_rest = self._is_flood and not self._options.is_once
            times.append(max(camera_s, self._rested_s) if is_rest else camera_s)
        return min(times)

    def _pause(self) -> None:
        """Waits until there is something to do, a folder reports something, or the watch is to stop."""
        seconds = self._next_s() - self._now_s()
        if seconds > 0 and not self._is_over():
            of_videos = [] if self._videos is None else self._videos.descriptors
            select.select([*self._sources.descriptors, *of_videos, self._stop.fileno()], [], [], seconds)

    def _is_young(self, path: str) -> bool:
        """Whether the file at a path may be unfinished. While the watch is to stop, each may: its reader may end."""
        return self._is_stopped() or self._arrivals.is_young(path, now_s=self._now_s())

    def _is_stopped(self) -> bool:
        return self._stop.signal_number is not None

    def _now_s(self) -> float:
        return self._time.monotonic()
