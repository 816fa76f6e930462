"""Which frames of a stream were looked at, and what became of each: stored, or counted in exactly one span.

It promises, whatever the order of events, that

- the frames looked at are the stored ones and those of all spans; and
- each span of frames that showed nothing new names one witness, and the worst score against it.

The module does not know how frames are read or compared, nor where spans are kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

SPAN_LENGTH_US = 60 * 1_000_000
"""Where frames of several witnesses alternate, a span ends after this time, so that it is still about one moment."""


class SpanReason(StrEnum):
    """Why the frames of a span are not stored.

    `seen`: they show nothing that the witness does not show. `damaged`: they could not be decoded whole. `gap`: nobody
    looked. `full_disk`, `capped`: they showed something new, and were not stored for lack of space, or of permission.
    """

    SEEN = "seen"
    DAMAGED = "damaged"
    GAP = "gap"
    FULL_DISK = "full_disk"
    CAPPED = "capped"


@dataclass(frozen=True, order=True)
class FrameTime:
    """When a frame was taken.

    Attributes
    ----------
    offset_us : int
        Microseconds since the first frame of the stream, at least 0.
    at : datetime
        The same on the clock: aware, UTC.
    """

    offset_us: int
    at: datetime


@dataclass(frozen=True)
class Span:
    """Frames that were looked at and not stored, or with the reason `gap` a time in which none was looked at.

    Attributes
    ----------
    reason : SpanReason
    first, last : FrameTime
        The first and the last frame; they are the same if there is one. Of a gap: the last frame before it, and the
        first one after it, or the end of the video.
    frames : int
        How many frames; 0 for a gap.
    witness : str or None
        The key of the stored image that shows what they show, such as its path; only with the reason `seen`.
    worst_score : float or None
        The largest score of one of them, against the witness where there is one; None if none was scored.
    worst : FrameTime or None
        The frame with that score, the first one of several.
    detail : str or None
        Of a gap or of damaged frames: why, in a few words.
    """

    reason: SpanReason
    first: FrameTime
    last: FrameTime
    frames: int
    witness: str | None = None
    worst_score: float | None = None
    worst: FrameTime | None = None
    detail: str | None = None


class SpanRecorder:
    """Counts each frame of one stream into exactly one span, or as stored.

    A span goes on as long as its witness stands for every frame. It ends where a frame is stored or nobody looked.
    Where several witnesses alternate, all spans end `SPAN_LENGTH_US` after the first of them began.

    Every method returns the spans that ended by it, by the time of their first frame; `close` returns the rest. Times
    must not go back: that raises `ValueError`.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[SpanReason, str | None], Span] = {}
        self._began_us: int | None = None
        self._last_us = -1
        self._stored = 0
        self._unstored = 0

    @property
    def looked_at(self) -> int:
        """The number of frames looked at so far."""
        return self._stored + self._unstored

    @property
    def stored(self) -> int:
        """The number of frames stored so far."""
        return self._stored

    @property
    def open_spans(self) -> tuple[Span, ...]:
        """The spans that go on, as they are now, by the time of their first frame."""
        return tuple(sorted(self._open.values(), key=lambda span: span.first))

    def add_stored(self, frame: FrameTime) -> list[Span]:
        """Counts a frame that was stored."""
        self._advance(frame)
        self._stored += 1
        return self.close()

    def add_seen(self, frame: FrameTime, *, witness: str, score: float) -> list[Span]:
        """Counts a frame that shows what its witness shows, with their score."""
        return self._add(Span(SpanReason.SEEN, frame, frame, 1, witness, score, frame))

    def add_unstored(
        self, frame: FrameTime, *, reason: SpanReason, score: float | None = None, detail: str | None = None
    ) -> list[Span]:
        """Counts a frame without a witness that was not stored: a damaged one, or one for which there was no space."""
        return self._add(Span(reason, frame, frame, 1, None, score, None if score is None else frame, detail))

    def add_gap(self, first: FrameTime, last: FrameTime, *, detail: str) -> list[Span]:
        """Adds a time in which nobody looked, from the last frame before it up to the first one after it."""
        if last.offset_us <= first.offset_us:
            raise ValueError(f"a gap from {first.offset_us} to {last.offset_us} us takes no time")
        self._advance(first)
        self._advance(last)
        return [*self.close(), Span(SpanReason.GAP, first, last, 0, detail=detail)]

    def is_worst(self, frame: FrameTime, *, witness: str) -> bool:
        """Whether a frame that was just counted is the worst one of its span so far."""
        span = self._open.get((SpanReason.SEEN, witness))
        return span is not None and span.worst == frame

    def close(self) -> list[Span]:
        """Ends all spans."""
        ended = list(self.open_spans)
        self._open.clear()
        self._began_us = None
        return ended

    def _add(self, new: Span) -> list[Span]:
        self._advance(new.first)
        self._unstored += 1
        key = (new.reason, new.witness)
        ended: list[Span] = []
        alternates = self._open.keys() - {key}
        if alternates and self._began_us is not None and new.first.offset_us - self._began_us >= SPAN_LENGTH_US:
            ended = self.close()
        if not alternates or self._began_us is None:  # of an only witness the time counts from its latest frame
            self._began_us = new.first.offset_us
        known = self._open.get(key)
        self._open[key] = new if known is None else _joined(known, new)
        return ended

    def _advance(self, frame: FrameTime) -> None:
        if frame.offset_us < self._last_us:
            raise ValueError(f"frame at {frame.offset_us} us comes after one at {self._last_us} us")
        self._last_us = frame.offset_us


def _joined(known: Span, new: Span) -> Span:
    """A span with one more frame."""
    joined = replace(known, last=new.last, frames=known.frames + 1)
    if new.worst_score is not None and (known.worst_score is None or new.worst_score > known.worst_score):
        return replace(joined, worst_score=new.worst_score, worst=new.worst)
    return joined
