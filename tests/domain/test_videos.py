"""When a recording began: the first source that says so, and no clock that was wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.videos import EPOCH, RecordingStart, parse_creation_time, recording_start

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def nanoseconds(moment: datetime) -> int:
    """A time as the disk has it."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def at(minutes: float) -> datetime:
    """Minutes after noon."""
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("named", "created", "ended", "expected"),
    [
        (at(-60), "2026-01-01T12:00:00Z", at(10), RecordingStart(at(-60), "name")),
        (None, "2026-01-01T12:00:00.000000Z", at(10), RecordingStart(NOON, "container")),  # the start
        (None, "2026-01-01T12:10:00Z", at(10), RecordingStart(NOON, "container")),  # the end
        (None, "2026-01-01T12:00:00Z", at(999), RecordingStart(NOON, "container")),  # a copy: nothing contradicts
        (None, "1904-01-01T00:00:00Z", at(10), RecordingStart(NOON, "mtime")),
        (None, "1970-01-01T00:00:00Z", at(10), RecordingStart(NOON, "mtime")),
        (None, "2026-01-09T12:00:00Z", at(10), RecordingStart(NOON, "mtime")),  # a week after the file
        (None, "2026-01-01T13:00:00+0100", at(10), RecordingStart(NOON, "container")),
        (None, "yesterday", at(10), RecordingStart(NOON, "mtime")),
        (None, None, at(10), RecordingStart(NOON, "mtime")),
    ],
)
def test_the_first_source_counts(
    named: datetime | None, created: str | None, ended: datetime, expected: RecordingStart
) -> None:
    """A name beats the container, and the container beats the time of the file, which is the end of ten minutes."""
    start = recording_start(
        named_at=named,
        named_source=None if named is None else "name",
        creation_time=created,
        duration_s=600.0,
        mtime_ns=nanoseconds(ended),
    )
    assert start == expected


def test_a_short_clip_that_was_created_as_it_ended_keeps_its_time() -> None:
    """Up to ten seconds nobody can tell start and end apart, and the container's time is taken as it is."""
    start = recording_start(
        named_at=None,
        named_source=None,
        creation_time="2026-01-01T12:00:00Z",
        duration_s=8.0,
        mtime_ns=nanoseconds(NOON),
    )
    assert start == RecordingStart(NOON, "container")


@given(st.text(max_size=40))
def test_any_text_is_read_or_not(text: str) -> None:
    """No text of a container raises; what is read is aware."""
    moment = parse_creation_time(text)
    assert moment is None or moment.tzinfo is UTC


@given(st.integers(-(2**80), 2**80), st.floats(0, 1e12))
def test_any_file_time_gives_a_start(mtime_ns: int, duration_s: float) -> None:
    """However wrong the clock of the disk and the length of the video, there is a time."""
    start = recording_start(
        named_at=None, named_source=None, creation_time=None, duration_s=duration_s, mtime_ns=mtime_ns
    )
    assert start.source == "mtime"
