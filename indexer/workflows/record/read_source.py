"""The work of a process that reads one camera: looks at frames, writes what is new, and counts all others.

It promises that each frame that it looks at is reported as stored or in exactly one span; that nothing which waits for
the other process grows without a bound; and that it notices an order, or that the other process is gone, within the
time that one read may take. It ends with the stream. It does not know databases.

Decision 0050: a recording is one stream, read by one process.
"""

import os
import shutil
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from math import floor

from indexer.domain.recording.bounds import FreeSpace, MinuteLimit
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.spans import SPAN_LENGTH_US, FrameTime, Span, SpanReason, SpanRecorder
from indexer.execution.child_process import Channel
from indexer.files.reading import os_error_message
from indexer.imaging.frames import encode_frame
from indexer.imaging.live_stream import LiveFrame, LiveStream, StreamEndedError, open_live
from indexer.imaging.novelty import Gate, PreparedFrame, prepare_frame, prepare_stored
from indexer.imaging.video import StreamFrame
from indexer.workflows.capture.new_frames import NewFrame, write_frame
from indexer.workflows.record.messages import Ended, Order, Progress, SourceTask, Started

HEARTBEAT_S = 1.0
MAX_WAITING = 64
"""So many stored frames wait for the other process; then a new one is counted as not stored."""
MAX_MESSAGES = 4 * MAX_WAITING
"""So many messages wait; then no frame is looked at."""
_LONGEST_STEP_S = 2.0  # from one frame to the next: longer, and nobody looked between
_EARLY = 0.1  # of an interval: keyframes that come a little sooner than asked for are passed over, and not missed
_TRY_AGAIN_S = 0.02  # to send the last messages
_SPACE_EVERY_S = 5.0


class _StopError(Exception):
    """The command ends."""


@dataclass(frozen=True)
class _WorstFrame:
    """The worst frame of a span whose witness may be removed still, as a JPEG, and as it is compared."""

    time: FrameTime
    data: bytes
    prepared: PreparedFrame


def read_source(task: SourceTask, channel: Channel) -> None:
    """Reads a camera until its stream ends. Raises `ChannelClosedError` if the other process is gone."""
    reader = _SourceReader(task, channel)
    try:
        with open_live(task.source, transport=task.transport, limits=task.limits, timeout_s=task.timeout_s) as stream:
            reader.read(stream)
    except StreamEndedError as end:
        reader.finish(Ended(end.because, end.detail, end.is_refused))
    except _StopError:
        reader.finish(Ended(RecordingEnd.STOPPED, "the command ended"))
    except MemoryError:
        reader.finish(Ended(RecordingEnd.ERROR, "reading it needed more memory than it may have"))


class _SourceReader:
    """Looks at the frames of one stream, each once."""

    def __init__(self, task: SourceTask, channel: Channel) -> None:
        self._task, self._channel = task, channel
        self._gate = Gate(task.scoring, images=task.memory)
        self._recorder = SpanRecorder()
        self._minute, self._space = MinuteLimit(task.max_per_minute, task.stored_s), FreeSpace(task.min_free_bytes)
        self._waiting: deque[Progress | Started | Ended] = deque()
        self._worst: dict[str, _WorstFrame] = {}
        self._pinned = set[str]()
        self._last: FrameTime | None = None
        self._last_whole_at: datetime | None = None
        self._has_skipped = False  # frames, since the last one that was looked at
        self._missed = self._damaged = self._written = 0
        self._reported_s = self._space_s = float("-inf")

    def read(self, stream: LiveStream) -> None:
        """Looks at all frames; ends by `StreamEndedError` or `_StopError`."""
        for frame in stream.frames(every_s=self._task.every_s, sampling=self._task.sampling):
            if frame is not None:
                self._take(frame, stream)
            self._exchange()

    def finish(self, end: Ended) -> None:
        """Reports what is left, and how it ended; waits until the other process takes it, or is gone.

        That process may wait for the index itself, as long as another command writes to it.
        """
        self._report(ended=self._recorder.close())
        self._waiting.append(end)
        self._send()
        while self._waiting:
            time.sleep(_TRY_AGAIN_S)
            self._send()

    def _take(self, frame: LiveFrame, stream: LiveStream) -> None:
        """Looks at one frame, and reports what became of it and of the time before it."""
        now, ended = frame.time, list[Span]()
        if len(self._waiting) >= MAX_MESSAGES:
            self._has_skipped = True
            return
        if self._last is None:
            height, width = stream.size
            self._waiting.append(Started(now.at, width, height, stream.codec))
        else:
            interval_s = max(self._task.every_s, stream.interval_s or 0.0)
            step_s = (now.offset_us - self._last.offset_us) / 1_000_000
            self._missed += max(0, floor(step_s / interval_s + _EARLY) - 1)
            if step_s > max(_LONGEST_STEP_S, 2.5 * interval_s):
                detail = "the index was not ready" if self._has_skipped else "no frames"
                ended += self._recorder.add_gap(self._last, now, detail=detail)
        ended += self._close_old(now)
        self._last, self._has_skipped = now, False
        stored, more = self._look(frame)
        ended += more
        if stored is not None or ended:
            self._report(stored=stored, ended=ended)

    def _close_old(self, now: FrameTime) -> list[Span]:
        """Ends the spans that last for a minute: what is written down is never older."""
        going = self._recorder.open_spans
        is_old = bool(going) and now.offset_us - going[0].first.offset_us >= SPAN_LENGTH_US
        return self._recorder.close() if is_old else []

    def _look(self, frame: LiveFrame) -> tuple[NewFrame | None, list[Span]]:
        now = frame.time
        if frame.picture is None or frame.damage is not None:
            self._damaged += 1
            return None, self._recorder.add_unstored(now, reason=SpanReason.DAMAGED, detail=frame.damage)
        self._last_whole_at = now.at
        prepared = prepare_frame(frame.picture, recipe=self._task.recipe)
        novelty = self._gate.look(prepared)
        if novelty.witness is None or novelty.score is None:
            return self._store(frame.picture, now, prepared)
        ended = self._recorder.add_seen(now, witness=novelty.witness, score=novelty.score)
        if novelty.witness not in self._pinned and self._recorder.is_worst(now, witness=novelty.witness):
            data = encode_frame(frame.picture.colour(), captured_at=now.at)
            self._worst[novelty.witness] = _WorstFrame(now, data, prepared)
        return None, ended

    def _store(
        self, picture: StreamFrame, now: FrameTime, prepared: PreparedFrame
    ) -> tuple[NewFrame | None, list[Span]]:
        """Writes a frame that shows something new, or counts it where it may not be stored."""
        refusal = self._refusal()
        if refusal is None:
            try:
                new = self._write(encode_frame(picture.colour(), captured_at=now.at), now, prepared)
            except ValueError as problem:
                raise StreamEndedError(RecordingEnd.ERROR, str(problem)) from problem
            except OSError as problem:
                self._space.note(self._free_bytes(), refused=True)
                refusal = SpanReason.FULL_DISK, os_error_message(problem)
            else:
                return new, self._recorder.add_stored(now)
        reason, detail = refusal
        return None, self._recorder.add_unstored(now, reason=reason, detail=detail)

    def _refusal(self) -> tuple[SpanReason, str] | None:
        """Why a new frame may not be stored now; None if it may."""
        now_s = time.monotonic()
        if self._space.is_full or now_s - self._space_s >= _SPACE_EVERY_S:
            self._space.note(self._free_bytes())
            self._space_s = now_s
        if self._space.is_full:
            return SpanReason.FULL_DISK, "the disk has too little free space"
        if not self._minute.allows(now_s=now_s):
            return SpanReason.CAPPED, f"more than {self._task.max_per_minute} new frames in a minute"
        stored = sum(isinstance(message, Progress) and message.stored is not None for message in self._waiting)
        if stored >= MAX_WAITING:
            return SpanReason.CAPPED, "the index was not ready"
        return None

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._task.partial_folder).free
        except OSError:
            return 0

    def _write(self, data: bytes, now: FrameTime, prepared: PreparedFrame) -> NewFrame:
        """Writes a frame, and takes it into the memory of the gate; after an error no part of it is left."""
        folder, number = self._task.partial_folder, self._written
        self._written += 1
        try:
            new, thumbnail = write_frame(
                data, now, folder=folder, number=number, recipe=self._task.recipe, limits=self._task.limits
            )
        except OSError:
            for name in (f"{number}.jpg", f"{number}.png"):
                _discard(os.path.join(folder, name))
            raise
        self._gate.store(new.key, prepare_stored(thumbnail, frame=prepared))
        self._minute.note(now_s=time.monotonic())
        return new

    def _report(
        self, *, stored: NewFrame | None = None, ended: list[Span] | None = None, witness: str | None = None
    ) -> None:
        """Adds to what the other process is to know."""
        going = self._recorder.open_spans
        self._waiting.append(
            Progress(
                stored,
                tuple(ended or ()),
                going,
                self._missed,
                self._damaged,
                self._last,
                self._last_whole_at,
                witness,
            )
        )
        self._reported_s = time.monotonic()

    def _exchange(self) -> None:
        """Sends what waits, a sign of life among it, and follows orders."""
        if not self._waiting and time.monotonic() - self._reported_s >= HEARTBEAT_S:
            self._report()
        self._send()
        while (order := self._channel.receive()) is not None:
            self._follow(order)

    def _send(self) -> None:
        while self._waiting and self._channel.send(self._waiting[0]):
            self._waiting.popleft()

    def _follow(self, order: Order) -> None:
        if order.is_stop:
            raise _StopError
        self._pinned.update(order.pinned)
        self._pinned.intersection_update(self._gate.keys)
        for key in order.pinned:
            self._worst.pop(key, None)
        if order.removed is not None:
            self._give_up(order.removed)

    def _give_up(self, witness: str) -> None:
        """A witness was removed before its span was written: the worst frame that it stood for is stored instead."""
        self._gate.forget(witness)
        ended, worst = self._recorder.close(), self._worst.pop(witness, None)
        stored = None
        if worst is not None:
            try:
                stored = self._write(worst.data, worst.time, worst.prepared)
            except (OSError, ValueError):
                self._space.note(self._free_bytes(), refused=True)
        self._report(stored=stored, ended=ended, witness=witness)


def _discard(path: str) -> None:
    """Deletes a partial file, if it is there."""
    try:
        os.unlink(path)
    except OSError:
        return
