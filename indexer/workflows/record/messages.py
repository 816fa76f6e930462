"""What the process that reads a camera and the one that has the index tell each other: frozen, of plain values."""

from dataclasses import dataclass, field
from datetime import datetime

from indexer.domain.descriptions import Limits, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.recording.sources import LiveSource
from indexer.domain.spans import FrameTime, Span
from indexer.domain.videos import Sampling
from indexer.imaging.novelty import MemoryImage
from indexer.workflows.capture.new_frames import NewFrame


@dataclass(frozen=True)
class SourceTask:
    """A camera to read until its stream ends.

    `memory`: its latest images, oldest first. `partial_folder`: an empty folder for its frames, on the disk where they
    go. `max_per_minute`: so many frames are stored each minute; `stored_s`: when the last ones were, in seconds of the
    monotonic clock of the machine. `min_free_bytes`: with less space none is.
    """

    source: LiveSource
    recipe: ThumbnailRecipe
    scoring: ScoringParameters
    memory: tuple[MemoryImage, ...]
    every_s: float
    sampling: Sampling
    partial_folder: str
    limits: Limits
    max_per_minute: int
    min_free_bytes: int
    transport: str
    timeout_s: float
    stored_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class Started:
    """The stream is open, and its first frame was taken at this time. Sizes are in pixels as decoded."""

    at: datetime
    width: int
    height: int
    codec: str


@dataclass(frozen=True)
class Progress:
    """What became of frames since the last such message; it also shows that the process is alive.

    `stored`: a frame for an image. `ended`: spans that are complete. `open`: those that go on, as they are now.
    `missed` and `damaged`: frames so far that did not come, and that were not whole. `last`: the last frame that was
    looked at; `last_whole_at`: when the last whole one was taken. `witness`: the key of a removed
    witness; `stored` is then the worst frame that it stood for, or None if there is none.
    """

    stored: NewFrame | None = None
    ended: tuple[Span, ...] = ()
    open: tuple[Span, ...] = ()
    missed: int = 0
    damaged: int = 0
    last: FrameTime | None = None
    last_whole_at: datetime | None = None
    witness: str | None = None


@dataclass(frozen=True)
class Ended:
    """The stream ended, or could not be opened; nothing comes after this."""

    because: RecordingEnd
    detail: str
    is_refused: bool = False


@dataclass(frozen=True)
class Order:
    """What the reader is told. `is_stop`: to end. `pinned`: witnesses that will not be removed from now on. `removed`:
    a witness that was removed."""

    is_stop: bool = False
    pinned: tuple[str, ...] = field(default=())
    removed: str | None = None
