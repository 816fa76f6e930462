"""The work on one video in a worker: look at its frames, write those that show something new, count all others.

Tasks and results are frozen dataclasses of plain values. A bad video is a result, never an exception. New frames are
written to a folder for partial files; the process that has the index moves them to their paths. The module does not
know databases.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from indexer.domain.descriptions import FileDescription, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.frame_paths import frame_path
from indexer.domain.spans import FrameTime, Span, SpanReason, SpanRecorder
from indexer.domain.videos import RecordingStart, Sampling, VideoFacts, VideoReading, VideoState, recording_start
from indexer.files.frame_files import has_frame, write_partial_frame
from indexer.files.reading import os_error_message
from indexer.files.video_files import VideoIdentity, identify_video, open_video_file
from indexer.imaging.file_description import describe_image
from indexer.imaging.frames import encode_frame
from indexer.imaging.novelty import Gate, PreparedFrame, prepare_frame, prepare_stored
from indexer.imaging.video import StreamFrame, Video, open_video
from indexer.imaging.video_container import VideoRefusedError

_WHOLE_STREAM_S = 1e9
"""An interval with which only the first frame is decoded, and all packets are read."""


@dataclass(frozen=True)
class MemoryImage:
    """A stored image that frames are compared with, by its path."""

    path: str
    thumbnail: Thumbnail


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
    recipe, scoring
        How frames are prepared and compared.
    memory : tuple of MemoryImage
        The latest images of the camera, oldest first.
    every_s : float
        Seconds from one frame that is looked at to the next.
    sampling : Sampling
    frames_folder, partial_folder : str
        Where stored frames lie in the end, and where new ones are written.
    partial_prefix : str
        How the names of the files begin that are written there.
    limits : Limits
    time_s : float
        After so many seconds the rest of the video is left.
    """

    path: str
    camera: str
    named_at: datetime | None
    named_source: str | None
    recipe: ThumbnailRecipe
    scoring: ScoringParameters
    memory: tuple[MemoryImage, ...]
    every_s: float
    sampling: Sampling
    frames_folder: str
    partial_folder: str
    partial_prefix: str
    limits: Limits
    time_s: float


@dataclass(frozen=True)
class NewFrame:
    """A frame that is to be stored: its key in spans, its time, the name of its partial file, and its description.

    The PNG of its thumbnail lies in a file of its own, `thumbnail_name`: a long video may have many. `thumbnail` is the
    rest of it.
    """

    key: str
    time: FrameTime
    partial_name: str
    description: FileDescription
    thumbnail: Thumbnail
    thumbnail_name: str


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


if TYPE_CHECKING:
    from typing import BinaryIO


def _named_start(task: VideoTask) -> RecordingStart | None:
    if task.named_at is None or task.named_source is None:
        return None
    return RecordingStart(task.named_at, task.named_source)


def _unnamed_start(task: VideoTask, file: "BinaryIO", identity: VideoIdentity) -> RecordingStart:
    """When the recording began by the container or the file's time. For these its whole length must be known: of a
    file that ends early the header says another one."""
    with open_video(file, limits=task.limits) as video:
        for _ in video.frames(every_s=_WHOLE_STREAM_S, sampling=Sampling.KEYFRAMES):
            pass
        return recording_start(
            named_at=None,
            named_source=None,
            creation_time=video.facts.creation_time,
            duration_s=video.reading.duration_s,
            mtime_ns=identity.mtime_ns,
        )


def _has_changed(file: "BinaryIO", identity: VideoIdentity) -> bool:
    status = os.fstat(file.fileno())
    return (status.st_size, status.st_mtime_ns) != (identity.size_bytes, identity.mtime_ns)


class _VideoReader:
    """Looks at the frames of one video, each once."""

    def __init__(self, task: VideoTask, video: Video, start: RecordingStart) -> None:
        self._task, self._video, self._start = task, video, start
        self._gate = Gate(task.scoring)
        for image in task.memory:
            self._gate.store(image.path, prepare_stored(image.thumbnail))
        self._recorder = SpanRecorder()
        self._frames: list[NewFrame] = []

    def read(self) -> VideoResult:
        """What the video gives; raises `OSError` if a frame cannot be written."""
        spans: list[Span] = []
        before: FrameTime | None = None
        deadline_s = time.monotonic() + self._task.time_s
        is_late = False
        for frame in self._video.frames(every_s=self._task.every_s, sampling=self._task.sampling):
            now = FrameTime(frame.offset_us, self._start.at + timedelta(microseconds=frame.offset_us))
            if frame.gap is not None and before is not None:
                spans += self._recorder.add_gap(before, now, detail=frame.gap)
            spans += self._look(frame, now)
            before = now
            is_late = time.monotonic() > deadline_s
            if is_late:
                break
        spans += self._recorder.close()
        reading = self._video.reading
        if is_late and before is not None:
            reason = f"took longer than {self._task.time_s:g} s; the rest was not read"
            reading = replace(reading, state=VideoState.PARTIAL, reason=reason, duration_s=before.offset_us / 1_000_000)
        return VideoResult(
            facts=self._video.facts,
            reading=reading,
            start=self._start,
            frames=tuple(self._frames),
            spans=tuple(spans),
            frames_read=self._recorder.looked_at,
        )

    def _look(self, frame: StreamFrame, now: FrameTime) -> list[Span]:
        if frame.damage is not None:
            return self._recorder.add_unstored(now, reason=SpanReason.DAMAGED, detail=frame.damage)
        colour = frame.colour() if self._task.recipe.chroma else None
        prepared = prepare_frame(frame.grey(), recipe=self._task.recipe, frame_bgr=colour)
        novelty = self._gate.look(prepared)
        if novelty.witness is None or novelty.score is None or self._was_stored(frame, now):
            self._store(frame, now, prepared)
            return self._recorder.add_stored(now)
        return self._recorder.add_seen(now, witness=novelty.witness, score=novelty.score)

    def _was_stored(self, frame: StreamFrame, now: FrameTime) -> bool:
        """Whether this very frame has its file already: of a run that was killed, or of an index that was lost."""
        path = os.path.join(self._task.frames_folder, frame_path(self._task.camera, now.at))
        return os.path.lexists(path) and has_frame(path, encode_frame(frame.colour(), captured_at=now.at))

    def _store(self, frame: StreamFrame, now: FrameTime, prepared: PreparedFrame) -> None:
        """Writes a frame, and takes its image into the memory of the gate. Raises `OSError` if the disk refuses."""
        try:
            data = encode_frame(frame.colour(), captured_at=now.at)
        except ValueError as problem:
            raise VideoRefusedError(str(problem)) from problem
        number = f"{self._task.partial_prefix}{len(self._frames)}"
        name, thumbnail_name = f"{number}.jpg", f"{number}.png"
        mtime_ns = write_partial_frame(os.path.join(self._task.partial_folder, name), data)
        described = FileDescription(
            path=name, size_bytes=len(data), mtime_ns=mtime_ns, content_hash=hashlib.sha256(data).hexdigest()
        )
        description = describe_image(
            data, description=described, recipes=(self._task.recipe,), limits=self._task.limits, levels=None
        )
        if not description.thumbnails:
            raise VideoRefusedError(f"a frame of it cannot be an image: {description.state_reason}")
        thumbnail = description.thumbnails[0]
        write_partial_frame(os.path.join(self._task.partial_folder, thumbnail_name), thumbnail.data)
        key = f"frame {len(self._frames)}"
        self._gate.store(key, prepare_stored(thumbnail, frame=prepared))
        rest = replace(thumbnail, data=b"")
        self._frames.append(NewFrame(key, now, name, replace(description, thumbnails=()), rest, thumbnail_name))


def iter_witnesses(result: VideoResult) -> Iterator[str]:
    """The witnesses of the spans of a result, each once, in the order of the spans."""
    yield from dict.fromkeys(span.witness for span in result.spans if span.witness is not None)
