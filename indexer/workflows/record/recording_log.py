"""What is known of one recording and not written yet, and what of it the index has.

It promises that each frame that the reader reported is counted once: as an image, or in one span. It opens nothing; the
store writes what it holds, and says afterwards that it did.

Decision 0050: a recording is one stream, read by one process.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from indexer.domain.camera_images import ImageKey
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.spans import Span, SpanReason
from indexer.store.recordings import RecordingCounts
from indexer.workflows.capture.new_frames import NewFrame
from indexer.workflows.capture.store_frames import PlacedFrame
from indexer.workflows.record.messages import Ended, Progress, Started
from indexer.workflows.record.storage_refusal import REFUSALS

MAX_PENDING = 64
"""So many frames wait to be written; then no more are taken from the reader."""

_REMEMBERED = 512
"""So many images of a recording stay known: the reader compares with the last 32, and some of its messages wait."""

SpanKey = tuple[SpanReason, str | None, datetime]


@dataclass(frozen=True)
class PendingRows:
    """What is to be written of a recording: frames, and spans by their keys, the rows of which may be there already."""

    frames: tuple[NewFrame, ...]
    spans: tuple[tuple[SpanKey, Span], ...]
    seen_until: datetime
    counts: RecordingCounts
    end: Ended | None


class RecordingLog:
    """One recording. `memory`: the images that frames are compared with at first, by their paths."""

    def __init__(self, memory: Mapping[str, ImageKey]) -> None:
        self.paths = {path: path for path in memory}
        self.started: Started | None = None
        self.recording_id: int | None = None
        self.image_ids = {path: image_id for path, (image_id, _) in memory.items()}
        self.contents = {path: content_hash for path, (_, content_hash) in memory.items()}
        self.pinned: set[str] = set()
        self.span_ids: dict[SpanKey, int] = {}
        self.placed: dict[str, PlacedFrame] = {}  # frames that have their paths, and no rows yet
        self.end: Ended | None = None
        self._frames: list[NewFrame] = []
        self._ended: list[Span] = []
        self._open: tuple[Span, ...] = ()
        self._removed: set[str] = set()
        self._unreported: list[str] = []  # removed witnesses that the reader still compares frames with
        self._unwitnessed: dict[str, list[Span]] = {}
        self._missed = self._damaged = self._stored = self._counted = 0
        self._seen_until: datetime | None = None
        self._whole_until: datetime | None = None
        self._recent = deque(memory, _REMEMBERED)
        self._refused = Counter[SpanReason]()  # of ended spans
        self._is_changed = False

    @property
    def is_full(self) -> bool:
        """Whether no more messages are taken before what is there was written."""
        return len(self._frames) >= MAX_PENDING or len(self._ended) >= 8 * MAX_PENDING

    @property
    def is_urgent(self) -> bool:
        """Whether something is to be written soon: a frame, or a witness that is to be pinned."""
        is_new = any(_key(span) not in self.span_ids for span in self._open)
        return self.started is not None and (bool(self._frames or self._ended or self.end) or is_new)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.started is not None and (self._is_changed or self.end is not None)

    @property
    def counts(self) -> RecordingCounts:
        """The frames so far, written or not."""
        stored = self._stored + len(self._frames)
        waiting = [span for spans in self._unwitnessed.values() for span in spans]
        spans = sum(span.frames for span in (*self._ended, *self._open, *waiting))
        return RecordingCounts(stored + self._counted + spans, stored, self._missed, self._damaged)

    @property
    def seen_until(self) -> datetime | None:
        """The time of the last frame; None before the first one."""
        return self._seen_until

    @property
    def whole_until(self) -> datetime | None:
        """The time of the last whole frame; None before the first one."""
        return self._whole_until

    def count_refused(self, reason: SpanReason) -> int:
        """How many new frames were not stored for this reason, `full_disk` or `capped`."""
        return self._refused[reason] + sum(span.frames for span in self._open if span.reason is reason)

    def start(self, started: Started) -> None:
        """Notes that the first frame came."""
        self.started, self._seen_until, self._is_changed = started, started.at, True

    def add(self, progress: Progress) -> None:
        """Adds what the reader reported."""
        self._is_changed |= progress.stored is not None or bool(progress.ended) or progress.open != self._open
        if progress.stored is not None:
            self._frames.append(progress.stored)
        for span in progress.ended:
            if self._is_unwitnessed(span):
                self._unwitnessed.setdefault(str(span.witness), []).append(span)
            else:
                self._ended.append(span)
        self._open = progress.open
        self._missed, self._damaged = progress.missed, progress.damaged
        if progress.last is not None:
            self._seen_until = progress.last.at
        self._whole_until = progress.last_whole_at or self._whole_until
        for span in progress.ended:
            if span.reason in REFUSALS:
                self._refused[span.reason] += span.frames
        if progress.witness is not None:
            self._close_unwitnessed(progress.witness, stored=progress.stored is not None)

    def finish(self, end: Ended) -> None:
        """Notes that nothing comes any more: what goes on ends now."""
        if self.end is not None:
            return
        if self._open:
            self.add(Progress(None, self._open, (), self._missed, self._damaged))
        for witness in list(self._unwitnessed):
            self._close_unwitnessed(witness, stored=False)
        self.end = end

    @property
    def frames(self) -> tuple[NewFrame, ...]:
        """The frames that wait to be written, oldest first."""
        return tuple(self._frames)

    def drop_frames(self) -> int:
        """Gives up to write the frames that wait, as no rows will come any more; returns how many there were."""
        number, self._frames = len(self._frames), []
        return number

    def note_lost(self, key: str) -> None:
        """Notes that the file of a frame that waits is gone: it is counted as not stored, and is no witness."""
        (frame,) = (each for each in self._frames if each.key == key)
        self._frames.remove(frame)
        self.placed.pop(key, None)
        detail = "its file was lost before it was in the index"
        self._ended.append(Span(SpanReason.FULL_DISK, frame.time, frame.time, 1, detail=detail))
        self._refused[SpanReason.FULL_DISK] += 1
        self.note_removed(key)

    def list_new_witnesses(self) -> list[str]:
        """The witnesses of spans that have no row yet, without frames that wait, and without removed ones.

        One that is pinned is among them: a pin does not keep a person from deleting the file.
        """
        known = {frame.key for frame in self._frames} | self._removed
        new = (span for span in (*self._ended, *self._open) if _key(span) not in self.span_ids)
        return [key for key in dict.fromkeys(span.witness for span in new) if key is not None and key not in known]

    def note_removed(self, witness: str) -> None:
        """Notes that a witness was removed before a span of it was written: its spans wait for the reader's answer.

        Those that have rows stay as they are.
        """
        self._removed.add(witness)
        self._unreported.append(witness)
        gone = [span for span in self._ended if span.witness == witness and self._is_unwitnessed(span)]
        self._ended = [span for span in self._ended if span not in gone]
        self._unwitnessed.setdefault(witness, []).extend(gone)
        if self.end is not None:
            self._close_unwitnessed(witness, stored=False)

    def take_unreported(self) -> list[str]:
        """The removed witnesses that the reader must be told of; each is returned once."""
        unreported, self._unreported = self._unreported, []
        return unreported

    def rows(self) -> PendingRows:
        """What is to be written now."""
        assert self._seen_until is not None
        going = [span for span in self._open if not self._is_unwitnessed(span)]
        spans = tuple((_key(span), span) for span in (*self._ended, *going))
        counts = self.counts
        hidden = sum(span.frames for span in self._open) - sum(span.frames for span in going)
        hidden += sum(span.frames for spans in self._unwitnessed.values() for span in spans)
        return PendingRows(
            tuple(self._frames),
            spans,
            self._seen_until,
            replace(counts, read=counts.read - hidden),
            self.end,
        )

    def note_written(
        self, rows: PendingRows, *, paths: Mapping[str, str], image_ids: Mapping[str, int], span_ids: Sequence[int]
    ) -> tuple[str, ...]:
        """Notes that these rows are in the index; returns the witnesses that are pinned from now on."""
        self.paths |= paths
        self.image_ids |= image_ids
        self.contents |= {frame.key: str(frame.description.content_hash) for frame in rows.frames}
        ended = len(self._ended)
        self._frames = self._frames[len(rows.frames) :]
        self._stored += len(rows.frames)
        self.placed.clear()
        self._counted += sum(span.frames for span in self._ended)
        self._ended = []
        going = rows.spans[ended:]
        self.span_ids = {key: number for (key, _), number in zip(going, span_ids[ended:], strict=True)}
        witnesses = {span.witness for _, span in rows.spans if span.witness is not None}
        pinned = tuple(sorted(witnesses - self.pinned))
        self.pinned |= witnesses
        self._is_changed = False
        self._recent.extend(paths)
        if len(self.paths) > 2 * _REMEMBERED:
            self._forget_old()
        return pinned

    def _forget_old(self) -> None:
        """Forgets images that no frame is compared with any more, so that a long recording does not grow."""
        spans = (*self._ended, *self._open, *(span for spans in self._unwitnessed.values() for span in spans))
        known = {span.witness for span in spans} | set(self._recent)
        self.paths = {key: path for key, path in self.paths.items() if key in known}
        self.image_ids = {key: image_id for key, image_id in self.image_ids.items() if key in known}
        self.contents = {key: content_hash for key, content_hash in self.contents.items() if key in known}
        self.pinned &= known
        self._removed &= known

    def _is_unwitnessed(self, span: Span) -> bool:
        """Whether the witness of a span was removed before the span got a row."""
        return span.witness in self._removed and _key(span) not in self.span_ids

    def _close_unwitnessed(self, witness: str, *, stored: bool) -> None:
        """Counts the frames of a removed witness as not stored, but for the one that was stored in its place."""
        detail = "the image that showed the same was removed meanwhile"
        for span in self._unwitnessed.pop(witness, []):
            frames = span.frames - stored
            stored = False
            if frames:
                self._ended.append(
                    replace(
                        span,
                        reason=SpanReason.CAPPED,
                        frames=frames,
                        witness=None,
                        worst_score=None,
                        worst=None,
                        detail=detail,
                    )
                )


def gap_detail(because: RecordingEnd | None, detail: str | None) -> str:
    """Why nobody looked between two recordings, in a few words."""
    words = {
        RecordingEnd.STOPPED: "recording was stopped",
        RecordingEnd.CUT_OFF: "recording was cut off",
    }
    fixed = words.get(because) if because is not None else "recording was cut off"
    return ": ".join(dict.fromkeys(filter(None, (fixed or str(because), detail if fixed is None else None))))


def _key(span: Span) -> SpanKey:
    return span.reason, span.witness, span.first.at
