"""Writes what the cameras of a record reported, in batches for which it has the lock of the index.

It promises that

- if one camera cannot be written, because of another command, the disk or its own rows, all others are written; and
- if the index cannot be written, frames get their files meanwhile; what has no row when the record ends, or is killed,
  the next record takes in.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from indexer.domain.plurals import counted
from indexer.errors import DatabaseError, IndexInUseError, RowRefusedError
from indexer.files.partial_frames import discard_attempt_folder
from indexer.files.reading import os_error_message
from indexer.workflows.record.camera_reader import CameraReader
from indexer.workflows.record.outcomes import RecordReport
from indexer.workflows.record.record_context import RecordContext
from indexer.workflows.record.store_recording import RecordingGoneError, RecordingStore
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.notices import Notices
from indexer.workflows.runs.run import ActiveRun, LongRun

_AT_ONCE = LockWait(0.0, 0.0)


class BatchWriter:
    """Writes recordings. `update_report` brings the report up to date; `on_given_up` is told of a camera the recording
    of which ended because its rows were refused."""

    def __init__(
        self,
        context: RecordContext,
        report: RecordReport,
        notices: Notices,
        *,
        update_report: Callable[[], None],
        on_given_up: Callable[[str], None],
    ) -> None:
        self._context, self._report, self._notices = context, report, notices
        self._store = RecordingStore(context.database, clock=context.clock)
        self._update_report, self._on_given_up = update_report, on_given_up
        self.was_refused = False
        """Whether the disk refused a camera in the last write."""

    def write(self, run: LongRun, readers: Sequence[CameraReader]) -> None:
        """Writes what is new of these cameras; where another command has one of them, of the others.

        Raises `IndexInUseError` if one could not be written, and `DatabaseError` if the database refuses.
        """
        self.was_refused = False
        try:
            self._write_all(run, readers)
        except DatabaseError:
            self._place(readers)
            raise
        self._end_notices()

    def close(self, reader: CameraReader) -> None:
        """Ends an attempt: all of its recording is written, or there is none."""
        attempt = reader.attempt
        assert attempt is not None
        reader.close_attempt()
        discard_attempt_folder(attempt.attempt_folder)

    def keep_files(self, reader: CameraReader) -> int:
        """Gives the frames of a camera that could not be written their files, and returns how many there were.

        The next record takes them in. Their rows are given up.
        """
        attempt = reader.attempt
        if attempt is None or not attempt.log.frames:
            return 0
        try:
            self._store.place(attempt.camera, attempt.log)
        except OSError as problem:
            self._context.show(
                f"camera {reader.source.camera!r}: {counted(len(attempt.log.frames), 'frame')} could not be stored: "
                f"{os_error_message(problem)}"
            )
        return attempt.log.drop_frames()

    def _write_all(self, run: LongRun, readers: Sequence[CameraReader]) -> None:
        """Writes these cameras at once; if another command has one of them, each alone."""
        try:
            self._write_batch(run, readers)
        except IndexInUseError:
            if len(readers) < 2:
                raise
        else:
            return
        refusal: IndexInUseError | None = None
        for reader in readers:
            try:
                self._write_batch(run, [reader], wait=_AT_ONCE)
            except IndexInUseError as problem:
                refusal = problem
        if refusal is not None:
            raise refusal

    def _place(self, readers: Sequence[CameraReader]) -> None:
        """Gives frames that wait for the index their files, so that a kill meanwhile does not lose them."""
        for reader in readers:
            attempt = reader.attempt
            if attempt is not None and attempt.log.frames:
                with suppress(OSError):  # then they stay where they are; the next write says why
                    reader.order(self._store.place(attempt.camera, attempt.log))

    def _write_batch(self, run: LongRun, readers: Sequence[CameraReader], *, wait: LockWait | None = None) -> None:
        names = [reader.source.camera for reader in readers]
        with run.record_batch(cameras=names, wait=wait) as batch:
            for reader in readers:
                self._write_camera(reader, batch)
            self._update_report()
            batch.counts.update(self._report.counts)

    def _write_camera(self, reader: CameraReader, batch: ActiveRun) -> None:
        attempt, camera = reader.attempt, reader.source.camera
        if attempt is None:
            return
        try:
            orders = self._store.write(attempt.camera, attempt.log, run=batch)
        except OSError as problem:
            self._notices.say(
                f"disk {camera}", f"camera {camera!r}: its frames cannot be stored: {os_error_message(problem)}"
            )
            self.was_refused = True
        except RecordingGoneError:
            self._give_up(reader, "another command deleted what the index has of it")
        except RowRefusedError as problem:
            self._give_up(reader, f"the index refuses it: {problem.reason}")
        else:
            self._notices.end(f"disk {camera}", f"camera {camera!r}: stored again")
            reader.order(orders)
            if attempt.log.end is not None and attempt.child is None:
                self.close(reader)

    def _give_up(self, reader: CameraReader, reason: str) -> None:
        """Ends a recording whose rows cannot be written; its camera is tried again with a new one."""
        reader.fail_attempt(reason, now_s=self._context.time.monotonic(), now=self._context.clock())
        self._report.unwritten += self.keep_files(reader)
        self.close(reader)
        self._on_given_up(reader.source.camera)

    def _end_notices(self) -> None:
        self._notices.end("lock", "the index is free again")
        self._notices.end("index", "the index can be written again")
