"""record: looks at live cameras, stores what they show that is new, and goes on until it is stopped.

It promises that each frame which was looked at is an image or counted in one span; that a camera which is away, hangs
or crashes its process never stops another; that nothing is deleted to make room; and that no password is written.
One process reads each camera; this one alone opens the index, and has its lock for each batch only.
"""

import os
import random
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

from indexer.domain.recording.bounds import MinuteLimit
from indexer.domain.recording.loss import Heartbeat
from indexer.domain.recording.sources import LiveSource
from indexer.errors import DatabaseError, IndexInUseError, RowRefusedError
from indexer.execution.child_process import start_child
from indexer.files.partial_frames import PartialFolders, discard_attempt_folder, make_attempt_folder
from indexer.files.reading import os_error_message
from indexer.interrupts import StopRequest, uninterrupted
from indexer.store import cameras, profiles
from indexer.store.locks.run_lock import list_running
from indexer.store.profiles import StoredProfile
from indexer.workflows.capture.gate_memory import find_memory
from indexer.workflows.capture.store_frames import FramesFolder
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.record.adopt_frames import adopt_frames
from indexer.workflows.record.camera_reader import PRELOADED_MODULES, Attempt, CameraReader
from indexer.workflows.record.messages import Order, SourceTask
from indexer.workflows.record.outcomes import RecordReport
from indexer.workflows.record.read_source import read_source
from indexer.workflows.record.record_context import RecordContext, RecordOptions
from indexer.workflows.record.recording_log import RecordingLog
from indexer.workflows.record.store_recording import RecordedCamera
from indexer.workflows.record.usable_cameras import require_not_recorded, require_thumbnails
from indexer.workflows.record.write_batches import BatchWriter
from indexer.workflows.runs.index_file import file_identity
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.notices import Notices
from indexer.workflows.runs.run import LongRun, open_run

_LAST_WORDS_S = 3.0
"""So long the processes have to report their last frames when the command ends."""
_LONGEST_PAUSE_S = 1.0
_LAST_WAIT_S = 2.0
"""So long the last write waits for another command when a signal ends the command."""


def record(
    context: RecordContext, sources: Sequence[LiveSource], options: RecordOptions, *, stop: StopRequest
) -> RecordReport:
    """Records cameras until `stop` is requested, or the time is over.

    Raises `CameraError` if a camera is recorded already; `UsageError` if its profile has no thumbnails; `OSError` if
    the folder for frames cannot be written to; `DatabaseError` if the index was replaced.
    """
    names = [source.camera for source in sources]
    require_thumbnails(context.database, names)
    require_not_recorded(context.database, names)
    with ExitStack() as stack:
        partial = PartialFolders(options.frames_folder, stack)
        work = _Recorder(context, sources, options, partial=partial, stop=stop)
        try:
            work.run()
        finally:
            work.close()
    return work.report


class _Recorder:
    """A record at work."""

    def __init__(
        self,
        context: RecordContext,
        sources: Sequence[LiveSource],
        options: RecordOptions,
        *,
        partial: PartialFolders,
        stop: StopRequest,
    ) -> None:
        self.report = RecordReport(options.frames_folder)
        self._context, self._options, self._partial, self._stop = context, options, partial, stop
        self._database = context.database
        self._notices = Notices(context.show)
        self._writer = BatchWriter(
            context,
            self.report,
            self._notices,
            update_report=self._update_report,
            on_given_up=lambda camera: self._unadopted.add(camera),
        )
        self._readers = [
            CameraReader(source, random=random.random, now=context.clock(), minute=MinuteLimit(options.max_per_minute))
            for source in sources
        ]
        self._unadopted = {source.camera for source in sources}
        self._attempt_numbers = count()
        self._index_identity = file_identity(context.database.path)
        self._begin_s = self._now_s()
        self._written_s = self._opened_s = float("-inf")
        self._paused_until_s = self._adopted_s = self._last_wait_until_s = float("-inf")
        self._had_outage = False

    def close(self) -> None:
        """Ends all processes; frames that could not be written get their files, and are taken in by the next record."""
        with uninterrupted():
            for reader in self._readers:
                reader.kill(now_s=self._now_s(), now=self._context.clock())
                self.report.unwritten += self._writer.keep_files(reader)
            self._update_report()

    def run(self) -> None:
        """Works until it is stopped; in one run, while the index is there."""
        sources = {reader.source.camera: reader.source.shown for reader in self._readers}
        wait = LockWait(self._options.lock_wait_s, self._options.lock_wait_s, self._say_waits, is_over=self._has_waited)
        try:
            while not self._is_over():
                with (
                    self._outages(),
                    open_run(
                        self._database,
                        "record",
                        arguments=self._options.arguments | {"sources": sources},
                        clock=self._context.clock,
                        by_camera=True,
                        wait=wait,
                    ) as run,
                ):
                    require_not_recorded(self._database, sources, before=run.id)
                    self._work(run)
                self._wait_out()
        except KeyboardInterrupt:
            if self._stop.signal_number is None:
                raise  # the last words took too long
        number = self._stop.signal_number
        self.report.ended_by = None if number is None else signal.Signals(number).name

    def _work(self, run: LongRun) -> None:
        """Works in one run until it is over, or until the lock of the run is lost."""
        self._context.notify("READY=1")
        while not self._is_over():
            self._turn(run)
            if self._had_outage and self._now_s() >= self._paused_until_s:
                is_lost = self._find_lost(run)
                if is_lost:
                    return
                self._had_outage = is_lost is None
            self._context.notify("WATCHDOG=1")
            self._pause()
        self._end(run)

    def _wait_out(self) -> None:
        """Waits until the index may be tried again; cameras report meanwhile."""
        while not self._is_over() and self._now_s() < self._paused_until_s:
            self._read_all()
            self._context.notify("WATCHDOG=1")
            self._select(min(_LONGEST_PAUSE_S, max(0.05, self._paused_until_s - self._now_s())), with_stop=True)

    def _has_waited(self) -> bool:
        """Whether a signal asked to stop, so that nothing waits for another command any more."""
        return self._stop.signal_number is not None and self._now_s() >= self._last_wait_until_s

    def _turn(self, run: LongRun) -> None:
        """Starts what is due, takes what was reported, and writes, each if it is time for it."""
        if self._now_s() >= self._paused_until_s:
            with self._outages():
                self._adopt(run)
                self._start_due()
        self._read_all()
        if self._is_time_to_write():
            with self._outages():
                self._write(run)

    def _read_all(self) -> None:
        for reader in self._readers:
            reader.read(now_s=self._now_s(), now=self._context.clock())
            reader.order([])
            attempt = reader.attempt
            if attempt is not None and attempt.child is None and attempt.log.started is None:
                self._writer.close(reader)
            reader.say_state(self._notices)

    def _adopt(self, run: LongRun) -> None:
        """Takes in the files without rows of cameras that were not recorded yet, before a frame of them is looked at.

        A camera that another command has waits for it; the others go on.
        """
        if not self._unadopted or self._now_s() < self._adopted_s + min(_LONGEST_PAUSE_S, self._options.pause_s):
            return
        wait = LockWait(1.0, 1.0, is_over=self._has_waited)
        for reader in self._readers:
            camera = reader.source.camera
            if camera not in self._unadopted or self._is_over():
                continue
            try:
                self.report.adopted += adopt_frames(self._context, run, self._options.frames_folder, camera, wait=wait)
            except IndexInUseError as problem:
                self._say_waits(problem.holder)
            except OSError as problem:
                reason = f"its frames cannot be looked at: {os_error_message(problem)}"
                reader.fail(reason, now_s=self._now_s(), now=self._context.clock())
            else:
                self._unadopted.discard(camera)
        self._adopted_s = self._now_s()

    def _start_due(self) -> None:
        """Starts a process for each camera that is to be tried now, or whose folder for frames somebody deleted."""
        for reader in self._readers:
            if reader.child is not None and reader.attempt and not os.path.isdir(reader.attempt.attempt_folder):
                reason = "the folder in which its frames are written is gone"
                reader.fail_attempt(reason, now_s=self._now_s(), now=self._context.clock())
        due = [
            reader
            for reader in self._readers
            if reader.attempt is None and reader.next_s <= self._now_s() and reader.source.camera not in self._unadopted
        ]
        if not due:
            return
        with self._database.read() as session:
            in_force = profiles.list_in_force(session, {reader.source.camera for reader in due})
            known = cameras.list_cameras(session)
        for reader in due:
            try:
                self._start(reader, in_force[reader.source.camera], known.get(reader.source.camera))
            except OSError as problem:
                reason = f"no frame can be stored: {os_error_message(problem)}"
                reader.fail(reason, now_s=self._now_s(), now=self._context.clock())

    def _start(self, reader: CameraReader, stored: StoredProfile, camera_id: int | None) -> None:
        """Starts the process of a camera. Raises `OSError` if there is no folder for its frames."""
        now_s, source, options = self._now_s(), reader.source, self._options
        recipe = thumbnail_recipe(stored.profile.preparation)
        if recipe is None:
            reason = f"profile {stored.profile.name!r} has no work_width"
            return reader.fail(reason, now_s=now_s, now=self._context.clock())
        if recipe.features is not None:
            reason = f"profile {stored.profile.name!r} has features, which record does not make"
            return reader.fail(reason, now_s=now_s, now=self._context.clock())
        memory = (
            {} if camera_id is None else find_memory(self._database, camera_id, preparation_id=stored.preparation_id)
        )
        folder = make_attempt_folder(self._partial.current(), next(self._attempt_numbers))
        task = SourceTask(
            source,
            recipe,
            stored.profile.scoring_parameters,
            tuple(memory.values()),
            options.every_s,
            options.sampling,
            folder,
            self._context.limits,
            options.max_per_minute,
            options.min_free_bytes,
            options.transport,
            options.timeout_s,
            reader.minute.stored_s,
        )
        try:
            child = start_child(read_source, task, modules=PRELOADED_MODULES, memory_bytes=options.memory_bytes)
        except (OSError, EOFError) as problem:
            discard_attempt_folder(folder)
            reason = f"no process can be started: {type(problem).__name__}"
            return reader.fail(reason, now_s=now_s, now=self._context.clock())
        frames = FramesFolder(options.frames_folder, folder)
        camera = RecordedCamera(source.camera, source.shown, stored.id, options.every_s, frames)
        log = RecordingLog({image.path: key for key, image in memory.items()})
        return reader.begin(Attempt(child, camera, log, folder, Heartbeat(now_s=now_s), now_s))

    def _is_time_to_write(self) -> bool:
        now_s = self._now_s()
        if now_s < max(self._paused_until_s, self._written_s + self._options.write_s):
            return False
        logs = [reader.attempt.log for reader in self._readers if reader.attempt is not None]
        is_late = now_s - self._opened_s >= self._options.open_s
        return any(log.is_urgent for log in logs) or is_late

    def _write(self, run: LongRun) -> None:
        """Writes what is new of all cameras; where another command has one of them, the others alone."""
        self._written_s = now_s = self._now_s()
        is_late = now_s - self._opened_s >= self._options.open_s
        changed = [
            reader
            for reader in self._readers
            if reader.attempt is not None
            and reader.attempt.log.is_changed
            and (is_late or reader.attempt.log.is_urgent)
        ]
        if is_late:
            self._opened_s = now_s
            self._partial.show_at_work()
        self._update_report()
        try:
            self._writer.write(run, changed)
        finally:
            self._had_outage |= self._writer.was_refused

    def _end(self, run: LongRun) -> None:
        """Lets the processes report their last frames, and writes all that there is."""
        for reader in self._readers:
            reader.order([Order(is_stop=True)])
        until_s = self._now_s() + _LAST_WORDS_S
        while self._now_s() < until_s and any(reader.child is not None for reader in self._readers):
            self._read_all()
            self._select(0.05, with_stop=False)
        for reader in self._readers:
            reader.kill(now_s=self._now_s(), now=self._context.clock())
        self._opened_s = float("-inf")
        self._last_wait_until_s = self._now_s() + _LAST_WAIT_S
        with self._outages():
            self._write(run)
        self._update_report()
        run.counts.update(self.report.counts)

    def _update_report(self) -> None:
        for reader in self._readers:
            reader.note_frames()
        self.report.sources = tuple(reader.status for reader in self._readers)

    @contextmanager
    def _outages(self) -> Iterator[None]:
        """Lets the work go on where the index cannot be used now; what is to be written is kept meanwhile.

        Raises `DatabaseError` if the index was replaced: nothing written to the old one would be seen.
        """
        if file_identity(self._database.path) != self._index_identity:
            raise DatabaseError(
                f"the index {self._database.name} was deleted or replaced during this command; nothing "
                "more was written; run the command again"
            )
        try:
            yield
        except IndexInUseError as problem:
            self._say_waits(problem.holder)
            self._paused_until_s = self._now_s() + min(_LONGEST_PAUSE_S, self._options.pause_s)
        except RowRefusedError:
            raise
        except DatabaseError as problem:
            self._notices.say("index", f"{problem}; tried again each {self._options.pause_s:g} s")
            self._context.notify(f"STATUS={problem}")
            self._had_outage = True
            self._paused_until_s = self._now_s() + self._options.pause_s

    def _say_waits(self, holder: str) -> None:
        self._notices.say("lock", f"waits for {holder}")

    def _find_lost(self, run: LongRun) -> bool | None:
        """Whether nothing shows any more that the run is at work, as after a restart of the server; None: unknown."""
        try:
            return not list_running(self._database, [run.id])
        except DatabaseError:
            return None

    def _is_over(self) -> bool:
        duration_s = self._options.duration_s
        is_time_over = duration_s is not None and self._now_s() - self._begin_s >= duration_s
        return self._stop.signal_number is not None or is_time_over

    def _pause(self) -> None:
        """Waits until a process reports something, or something is due."""
        now_s = self._now_s()
        times = [now_s + _LONGEST_PAUSE_S]
        attempts = [reader.attempt for reader in self._readers]
        if any(attempt is not None and attempt.log.is_urgent for attempt in attempts):
            times.append(max(self._written_s + self._options.write_s, self._paused_until_s))
        times += [
            max(reader.next_s, self._paused_until_s)
            for reader in self._readers
            if reader.attempt is None and reader.source.camera not in self._unadopted
        ]
        if self._options.duration_s is not None:
            times.append(self._begin_s + self._options.duration_s)
        self._select(max(0.05, min(times) - now_s), with_stop=True)

    def _select(self, wait_s: float, *, with_stop: bool) -> None:
        readers = [reader.child.channel.fileno() for reader in self._readers if reader.child and reader.takes_messages]
        select.select([*readers, *([self._stop.fileno()] if with_stop else [])], [], [], wait_s)

    def _now_s(self) -> float:
        return self._context.time.monotonic()
