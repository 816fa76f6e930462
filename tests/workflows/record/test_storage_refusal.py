"""Whether new frames are stored: what was said of one recording holds for the next, whatever the clock does."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer.domain.descriptions import FileDescription, Thumbnail
from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.workflows.capture.new_frames import NewFrame
from indexer.workflows.record.messages import Progress
from indexer.workflows.record.storage_refusal import StorageRefusal

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def frame(second: float) -> FrameTime:
    """A frame so many seconds after noon."""
    return FrameTime(0, NOON + timedelta(seconds=second))


def seen(second: float) -> Progress:
    """A frame that showed nothing new."""
    return Progress(last=frame(second))


def refused(reason: SpanReason, second: float) -> Progress:
    """A new frame that was not stored."""
    return Progress(None, (), (Span(reason, frame(second), frame(second), 1),), last=frame(second))


def stored(second: float) -> Progress:
    """A frame that was stored."""
    thumbnail = Thumbnail("", 1, 1, b"")
    new = NewFrame("frame 0", frame(second), "0.jpg", FileDescription("0.jpg"), thumbnail, "0.png")
    return Progress(new, last=frame(second))


@pytest.mark.parametrize(
    ("reports", "current"),
    [
        ((seen(0),), None),
        ((refused(SpanReason.FULL_DISK, 0), seen(9)), SpanReason.FULL_DISK),
        ((refused(SpanReason.FULL_DISK, 0), stored(9)), None),
        ((refused(SpanReason.CAPPED, 0), stored(9)), SpanReason.CAPPED),
        ((refused(SpanReason.CAPPED, 0), seen(119)), SpanReason.CAPPED),
        ((refused(SpanReason.CAPPED, 0), seen(120)), None),
        ((refused(SpanReason.FULL_DISK, 0), seen(-3600)), SpanReason.FULL_DISK),
        ((refused(SpanReason.FULL_DISK, 0), seen(-3600), stored(-3599)), None),
        ((stored(0), refused(SpanReason.FULL_DISK, -3600)), SpanReason.FULL_DISK),
        ((refused(SpanReason.CAPPED, 0), seen(-3600)), SpanReason.CAPPED),
        ((refused(SpanReason.CAPPED, 0), seen(-3600), seen(-3480)), None),
    ],
)
def test_why_new_frames_are_not_stored(reports: tuple[Progress, ...], current: SpanReason | None) -> None:
    """A full disk until the next frame that is stored, a storm for two minutes; also where the clock goes back."""
    state = StorageRefusal()
    for report in reports:
        state.note(report)
    assert state.current is current
