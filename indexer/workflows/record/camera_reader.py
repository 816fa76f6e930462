"""One camera of a record: its process, when it is tried again, and what it reported.

It promises that a process which ends, hangs or says nonsense ends a recording and nothing else, and that the camera is
tried again for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from indexer.domain.recording.backoff import ReconnectBackoff
from indexer.domain.recording.bounds import MinuteLimit
from indexer.domain.recording.loss import SILENT_PROCESS_S, Heartbeat, RecordingEnd
from indexer.domain.recording.sources import LiveSource
from indexer.domain.spans import SpanReason
from indexer.execution.child_process import ChannelClosedError, Child
from indexer.store.recordings import RecordingCounts
from indexer.workflows.record.messages import Ended, Order, Progress, Started
from indexer.workflows.record.outcomes import SourceState, SourceStatus
from indexer.workflows.record.recording_log import RecordingLog
from indexer.workflows.record.storage_refusal import StorageRefusal
from indexer.workflows.record.store_recording import RecordedCamera
from indexer.workflows.runs.notices import Notices

PRELOADED_MODULES = ("indexer.workflows.record.read_source",)
"""What the process of each camera needs, imported once for all of them."""

_REFUSALS = {
    SpanReason.FULL_DISK: "the disk has too little free space; what is new is counted as full_disk, and not stored",
    SpanReason.CAPPED: "too much is new to store all of it; the rest is counted as capped",
}


@dataclass
class Attempt:
    """A process at work on a camera, and the recording that comes of it; `attempt_folder`: of its partial files."""

    child: Child | None
    camera: RecordedCamera
    log: RecordingLog
    attempt_folder: str
    heartbeat: Heartbeat
    began_s: float


class CameraReader:
    """A camera. Times named `now_s` are seconds of a clock that never steps; `now` is the time of day, aware.

    `minute`: the images of the last minute. They count across attempts, or a camera whose recordings are short would
    store as many in each.
    """

    def __init__(self, source: LiveSource, *, random: Callable[[], float], now: datetime, minute: MinuteLimit) -> None:
        self.source, self.minute = source, minute
        self.attempt: Attempt | None = None
        self.next_s = float("-inf")
        self._backoff = ReconnectBackoff(random)
        self._totals = RecordingCounts()
        self._recordings = self._full_disk = self._capped = 0
        self._status = SourceStatus(source.camera, source.shown, SourceState.OPENING, now)
        self._refusal = StorageRefusal()
        self._orders: list[Order] = []

    @property
    def status(self) -> SourceStatus:
        """What is known of it."""
        return self._status

    @property
    def child(self) -> Child | None:
        """The process at work; None if there is none."""
        return None if self.attempt is None else self.attempt.child

    @property
    def takes_messages(self) -> bool:
        """Whether the process is read: not while what it said before waits to be written."""
        return self.attempt is not None and self.attempt.child is not None and not self.attempt.log.is_full

    def begin(self, attempt: Attempt) -> None:
        """Notes that a process works on it."""
        self.attempt = attempt

    def fail(self, reason: str, *, now_s: float, now: datetime) -> None:
        """Notes that no process could be started for it."""
        self.next_s = now_s + self._backoff.next_pause_s()
        self._note_state(SourceState.AWAY, reason, now)

    def read(self, *, now_s: float, now: datetime) -> None:
        """Takes what the process reported; notices that it is gone, or hangs."""
        attempt = self.attempt
        if attempt is None or attempt.child is None:
            return None
        try:
            while self.takes_messages and (message := attempt.child.channel.receive()) is not None:
                attempt.heartbeat.note(now_s=now_s)
                self._take(attempt, message, now_s=now_s, now=now)
                if attempt.log.end is not None:
                    return self._end_process(now_s=now_s, now=now)
        except ChannelClosedError:
            words = attempt.child.end()
            attempt.child = None
            attempt.log.finish(Ended(RecordingEnd.ERROR, f"the process that read it ended: {words}"))
            return self._end_process(now_s=now_s, now=now)
        if not self.takes_messages:  # its silence is that of the index
            attempt.heartbeat.note(now_s=now_s)
        if attempt.heartbeat.is_lost(now_s=now_s):
            attempt.log.finish(Ended(RecordingEnd.STALLED, f"reading it hung for {SILENT_PROCESS_S:g} s"))
            self._end_process(now_s=now_s, now=now)
        return None

    def order(self, orders: list[Order]) -> None:
        """Sends orders to the process; what finds no space is sent the next time."""
        self._orders += orders
        child = self.child
        if child is None:
            self._orders.clear()
            return
        try:
            while self._orders and child.channel.send(self._orders[0]):
                self._orders.pop(0)
        except ChannelClosedError:
            self._orders.clear()

    def kill(self, *, now_s: float, now: datetime) -> None:
        """Ends the process, whatever it does; what it reported counts."""
        if self.attempt is not None and self.attempt.child is not None:
            self.attempt.log.finish(Ended(RecordingEnd.STOPPED, "the command ended"))
            self._end_process(now_s=now_s, now=now)

    def fail_attempt(self, reason: str, *, now_s: float, now: datetime) -> None:
        """Ends the process, as its recording cannot go on."""
        attempt = self.attempt
        assert attempt is not None
        has_process = attempt.child is not None
        attempt.log.finish(Ended(RecordingEnd.ERROR, reason))
        if has_process:
            self._end_process(now_s=now_s, now=now)
        self._note_state(SourceState.AWAY, reason, now)

    def close_attempt(self) -> None:
        """Notes that all of the recording is written, or that there is none."""
        attempt = self.attempt
        assert attempt is not None
        if attempt.log.started is not None:
            counts = attempt.log.counts
            self._totals = RecordingCounts(
                self._totals.read + counts.read,
                self._totals.stored + counts.stored,
                self._totals.missed + counts.missed,
                self._totals.damaged + counts.damaged,
            )
            self._full_disk += attempt.log.count_refused(SpanReason.FULL_DISK)
            self._capped += attempt.log.count_refused(SpanReason.CAPPED)
        self.attempt = None

    def note_frames(self) -> None:
        """Brings the state up to date with what was reported."""
        attempt, status = self.attempt, self._status
        counts, last = RecordingCounts(), status.last_frame_at
        full_disk, capped, refusal = self._full_disk, self._capped, None
        if attempt is not None and attempt.log.started is not None:
            counts, last, refusal = attempt.log.counts, attempt.log.whole_until or last, self._refusal.current
            full_disk += attempt.log.count_refused(SpanReason.FULL_DISK)
            capped += attempt.log.count_refused(SpanReason.CAPPED)
        self._status = replace(
            status,
            last_frame_at=last,
            recordings=self._recordings,
            frames_read=self._totals.read + counts.read,
            frames_stored=self._totals.stored + counts.stored,
            frames_missed=self._totals.missed + counts.missed,
            frames_damaged=self._totals.damaged + counts.damaged,
            frames_full_disk=full_disk,
            frames_capped=capped,
            refusal=refusal,
        )

    def say_state(self, notices: Notices) -> None:
        """Says that the camera went away or came back, and that new frames are not stored, or are again; each once."""
        status, attempt, name = self._status, self.attempt, f"camera {self.source.camera!r}"
        if status.state is SourceState.AWAY:
            notices.say(name, f"{name} is away, and is tried again: {status.reason}")
        elif status.state is SourceState.RECORDING:
            notices.end(name, f"{name} is recorded again")
        if attempt is None or attempt.log.whole_until is None:
            return
        for reason, words in _REFUSALS.items():
            if self._refusal.current is reason:
                notices.say(f"{reason} {name}", f"{name}: {words}")
            else:
                notices.end(f"{reason} {name}", f"{name}: all that is new is stored again")

    def _take(self, attempt: Attempt, message: object, *, now_s: float, now: datetime) -> None:
        match message:
            case Started():
                attempt.log.start(message)
                self._recordings += 1
                self._note_state(SourceState.RECORDING, None, now)
            case Progress():
                attempt.log.add(message)
                self._refusal.note(message)
                if message.stored is not None:
                    self.minute.note(now_s=now_s)
            case Ended():
                attempt.log.finish(message)

    def _end_process(self, *, now_s: float, now: datetime) -> None:
        """The recording is over: decides when the camera is tried again."""
        attempt = self.attempt
        assert attempt is not None
        if attempt.child is not None:
            attempt.child.end()
            attempt.child = None
        end = attempt.log.end
        assert end is not None
        frames_s = 0.0 if attempt.log.started is None else now_s - attempt.began_s
        if end.because is RecordingEnd.CLOCK:
            self.next_s = now_s  # a new recording begins with the new time
        else:
            self.next_s = now_s + self._backoff.next_pause_s(refused=end.is_refused, frames_s=frames_s)
        if end.because is not RecordingEnd.STOPPED:
            self._note_state(SourceState.AWAY, end.detail, now)

    def _note_state(self, state: SourceState, reason: str | None, now: datetime) -> None:
        status = self._status
        if (status.state, status.reason) != (state, reason):
            since = status.since if status.state is state else now
            self._status = replace(status, state=state, since=since, reason=reason)
