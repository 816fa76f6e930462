"""The work on one video in a worker: look at its frames, write those that show something new, count all others.

Tasks and results are frozen dataclasses of plain values. A bad video is a result, never an exception. New frames are
written to a folder for partial files; the process that has the index moves them to their paths. The module does not
know databases.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO

from indexer.domain.descriptions import Limits, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.frame_paths import frame_path
from indexer.domain.plurals import counted
from indexer.domain.spans import FrameTime, Span, SpanReason, SpanRecorder
from indexer.domain.videos import (
    EarlierReading,
    RecordingStart,
    Sampling,
    VideoFacts,
    VideoReading,
    VideoState,
    continued_start,
    recording_start,
)
from indexer.files.frame_files import has_frame
from indexer.files.partial_frames import ProgressFile
from indexer.files.reading import os_error_message
from indexer.files.video_files import VideoIdentity, identify_video, open_video_file
from indexer.imaging.frames import encode_frame
from indexer.imaging.novelty import Gate, MemoryImage, PreparedFrame, prepare_frame, prepare_stored
from indexer.imaging.video import StreamFrame, Video, open_video
from indexer.imaging.video_container import VideoRefusedError
from indexer.workflows.capture.new_frames import NewFrame, write_frame

_WHOLE_STREAM_S = 1e9
"""An interval with which only the first frame is decoded, and all packets are read."""

_LONGEST_REST_S = 86_400.0
"""The header may say any length: not more than this is believed of what was not read."""


@dataclass(frozen=True)
class Crash:
    """What ended the process that read a video, and the number of the packet that it was at."""

    packet: int
    reason: str


@dataclass(frozen=True)
class VideoTask:
    """One video to look at.

    Attributes
    ----------
    path : str
    camera : str
        The name of its camera.
    named_at, named_source : datetime or None, str or None
        When the recording began, as the path says, aware; and 'pattern' or 'name'.
    earlier : EarlierReading or None
        What was read before of the file at this path, for a path that says no time.
    recipe, scoring
        How frames are prepared and compared.
    memory : tuple of MemoryImage
        The latest images of the camera, oldest first.
    every_s : float
        Seconds from one frame that is looked at to the next.
    sampling : Sampling
    frames_folder, partial_folder : str
        Where stored frames lie in the end, and where new ones are written: an empty folder.
    limits : Limits
    time_s : float
        After so many seconds the rest of the video is left.
    crashes : tuple of Crash
        Of earlier attempts. The packet of the first one is passed over. With a second one the video is read up to the
        later one of their packets.
    """

    path: str
    camera: str
    named_at: datetime | None
    named_source: str | None
    earlier: EarlierReading | None
    recipe: ThumbnailRecipe
    scoring: ScoringParameters
    memory: tuple[MemoryImage, ...]
    every_s: float
    sampling: Sampling
    frames_folder: str
    partial_folder: str
    limits: Limits
    time_s: float
    crashes: tuple[Crash, ...] = ()


@dataclass(frozen=True)
class VideoResult:
    """What one video gave.

    Attributes
    ----------
    identity : VideoIdentity or None
        Of the file that was read; None with a `problem`.
    problem : str or None
        Why nothing is to be recorded: the file could not be read, a frame not be written.
    refusal : str or None
        Why the file is no usable video.
    facts, reading, start
        None with a problem or a refusal.
    frames : tuple of NewFrame
    spans : tuple of Span
        Their witnesses are keys of `frames`, or paths of the memory.
    frames_read : int
        All frames looked at: those of `frames`, and those that `spans` count.
    """

    identity: VideoIdentity | None = None
    problem: str | None = None
    refusal: str | None = None
    facts: VideoFacts | None = None
    reading: VideoReading | None = None
    start: RecordingStart | None = None
    frames: tuple[NewFrame, ...] = ()
    spans: tuple[Span, ...] = ()
    frames_read: int = 0


def read_video(task: VideoTask) -> VideoResult:
    """What one video gives; never raises because of the file's content."""
    identity = None
    try:
        with open_video_file(task.path) as file:
            identity = identify_video(file)
            start = _named_start(task)
            if start is None:
                start = _unnamed_start(task, file, identity)
            file.seek(0)
            with open_video(file, limits=task.limits) as video:
                result = _VideoReader(task, video, start).read()
            if _has_changed(file, identity):
                return VideoResult(problem="it changed while it was read")
    except VideoRefusedError as problem:
        return VideoResult(identity, refusal=problem.reason)
    except OSError as problem:
        return VideoResult(problem=os_error_message(problem))
    except MemoryError:
        raise
    except Exception as problem:  # a decoder may raise anything
        return VideoResult(identity, refusal=f"it cannot be read: {type(problem).__name__}")
    return replace(result, identity=identity)


def _named_start(task: VideoTask) -> RecordingStart | None:
    if task.named_at is None or task.named_source is None:
        return None
    return RecordingStart(task.named_at, task.named_source)


def _unnamed_start(task: VideoTask, file: BinaryIO, identity: VideoIdentity) -> RecordingStart:
    """When the recording began by the container or the file's time. For these its whole length must be known: of a
    file that ends early the header says another one."""
    with open_video(file, limits=task.limits) as video:
        for _ in video.frames(every_s=_WHOLE_STREAM_S, sampling=Sampling.KEYFRAMES):
            pass
        start = recording_start(
            named_at=None,
            named_source=None,
            creation_time=video.facts.creation_time,
            duration_s=video.reading.duration_s,
            mtime_ns=identity.mtime_ns,
        )
        return continued_start(start, earlier=task.earlier)


def _has_changed(file: BinaryIO, identity: VideoIdentity) -> bool:
    status = os.fstat(file.fileno())
    return (status.st_size, status.st_mtime_ns) != (identity.size_bytes, identity.mtime_ns)


class _RestNotReadError(Exception):
    """The rest of a video is left; the text says why."""


class _PacketFilter:
    """Decides which packets are decoded, and notes the number of each one first: it is known if that ends the process.

    Raises `OSError` if the disk refuses.
    """

    def __init__(self, task: VideoTask) -> None:
        self._crashes = task.crashes
        self._passed_over = {crash.packet for crash in task.crashes}
        self._end = max(self._passed_over) if len(task.crashes) > 1 else None
        self._time_s = task.time_s
        self._deadline_s = time.monotonic() + task.time_s
        self._file = ProgressFile(task.partial_folder)

    def admit(self, number: int) -> bool:
        """Whether a packet is to be decoded; raises `_RestNotReadError` if that and all after it are left."""
        if self._end is not None and number >= self._end:
            raise _RestNotReadError(f"reading it {self._crashes[-1].reason}")
        if time.monotonic() > self._deadline_s:
            raise _RestNotReadError(f"took longer than {self._time_s:g} s")
        if number in self._passed_over:
            return False
        self._file.write(number)
        return True

    def close(self) -> None:
        """Closes the file with the number."""
        self._file.close()


class _VideoReader:
    """Looks at the frames of one video, each once."""

    def __init__(self, task: VideoTask, video: Video, start: RecordingStart) -> None:
        self._task, self._video, self._start = task, video, start
        self._gate = Gate(task.scoring, images=task.memory)
        self._recorder = SpanRecorder()
        self._frames: list[NewFrame] = []
        self._spans: list[Span] = []
        self._last: FrameTime | None = None
        self._unusable: list[str] = []  # why new frames can be no images

    def read(self) -> VideoResult:
        """What the video gives.

        Raises
        ------
        VideoRefusedError
            If nothing of it can be used.
        OSError
            If a frame cannot be written.
        """
        unread = None
        with closing(_PacketFilter(self._task)) as packets:
            try:
                self._read_frames(packets)
            except _RestNotReadError as problem:
                unread = str(problem)
        reading = self._reading(unread)
        self._add_gap_at_end(reading, unread or self._video.gap_at_end)
        self._spans += self._recorder.close()
        return VideoResult(
            facts=self._video.facts,
            reading=reading,
            start=self._start,
            frames=tuple(self._frames),
            spans=tuple(self._spans),
            frames_read=self._recorder.looked_at,
        )

    def _read_frames(self, packets: _PacketFilter) -> None:
        every_s, sampling = self._task.every_s, self._task.sampling
        for frame in self._video.frames(every_s=every_s, sampling=sampling, admit=packets.admit):
            now = FrameTime(frame.offset_us, self._start.at + timedelta(microseconds=frame.offset_us))
            if frame.gap is not None:
                self._spans += self._recorder.add_gap(self._last or self._begin, now, detail=frame.gap)
            self._spans += self._look(frame, now)
            self._last = now

    def _add_gap_at_end(self, reading: VideoReading, reason: str | None) -> None:
        """Adds the time from the last frame to the end, if there is a reason why nobody looked then."""
        last, end_us = self._last or self._begin, round(reading.duration_s * 1_000_000)
        if reason is None or end_us <= last.offset_us:
            return
        end = FrameTime(end_us, self._start.at + timedelta(microseconds=end_us))
        self._spans += self._recorder.add_gap(last, end, detail=reason)

    @property
    def _begin(self) -> FrameTime:
        return FrameTime(0, self._start.at)

    def _reading(self, unread: str | None) -> VideoReading:
        """How the reading ended; `unread`: why the rest was left, if it was."""
        reading = self._video.reading
        if unread is not None:
            if self._last is None:
                raise VideoRefusedError(f"{unread}; none of its frames was read")
            reason, read_s = f"{unread}; the rest was not read", self._last.offset_us / 1_000_000
            duration_s = min(max(read_s, self._video.facts.duration_s or 0.0), read_s + _LONGEST_REST_S)
            return replace(reading, state=VideoState.PARTIAL, reason=reason, duration_s=duration_s)
        if not self._recorder.looked_at:
            raise VideoRefusedError("none of its frames can be looked at: " + (reading.reason or "it has no keyframes"))
        if len(self._unusable) == self._recorder.looked_at:
            raise VideoRefusedError(self._unusable[0])
        reasons = [f"reading it {crash.reason}" for crash in self._task.crashes]
        reasons += [f"{counted(len(self._unusable), 'frame')} of it: {self._unusable[0]}"] if self._unusable else []
        if reasons:
            reason = "; ".join(filter(None, [reading.reason, *reasons]))
            return replace(reading, state=VideoState.PARTIAL, reason=reason)
        return reading

    def _look(self, frame: StreamFrame, now: FrameTime) -> list[Span]:
        if frame.damage is not None:
            return self._recorder.add_unstored(now, reason=SpanReason.DAMAGED, detail=frame.damage)
        prepared = prepare_frame(frame, recipe=self._task.recipe)
        novelty = self._gate.look(prepared)
        if novelty.witness is None or novelty.score is None or self._was_stored(frame, now):
            unusable = self._store(frame, now, prepared)
            if unusable is None:
                return self._recorder.add_stored(now)
            self._unusable.append(unusable)
            return self._recorder.add_unstored(now, reason=SpanReason.DAMAGED, detail=unusable)
        return self._recorder.add_seen(now, witness=novelty.witness, score=novelty.score)

    def _was_stored(self, frame: StreamFrame, now: FrameTime) -> bool:
        """Whether this very frame has its file already: of a run that was killed, or of an index that was lost."""
        path = os.path.join(self._task.frames_folder, frame_path(self._task.camera, now.at))
        return os.path.lexists(path) and has_frame(path, encode_frame(frame.colour(), captured_at=now.at))

    def _store(self, frame: StreamFrame, now: FrameTime, prepared: PreparedFrame) -> str | None:
        """Writes a frame, and takes its image into the memory of the gate. Returns why not, if it can be no image.

        Raises `OSError` if the disk refuses.
        """
        task = self._task
        try:
            data = encode_frame(frame.colour(), captured_at=now.at)
            new, thumbnail = write_frame(
                data, now, folder=task.partial_folder, number=len(self._frames), recipe=task.recipe, limits=task.limits
            )
        except ValueError as problem:
            return str(problem)
        self._gate.store(new.key, prepare_stored(thumbnail, frame=prepared))
        self._frames.append(new)
        return None


def iter_witnesses(result: VideoResult) -> Iterator[str]:
    """The witnesses of the spans of a result, each once, in the order of the spans."""
    yield from dict.fromkeys(span.witness for span in result.spans if span.witness is not None)
