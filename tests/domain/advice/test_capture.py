"""Frozen, silent, clock and interval: by the rows of the index alone, over a year of them."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer.domain.advice.capture import examine_clock, examine_frozen, examine_interval, examine_silence
from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Capture

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def captures(count: int, *, every: timedelta = timedelta(minutes=5)) -> list[Capture]:
    """Images that a camera took at even times, each with other bytes."""
    times = [BEGIN + number * every for number in range(count)]
    return [Capture(number + 1, time, f"{number:x}", time.timestamp() + 2, True) for number, time in enumerate(times)]


def found(answers: object) -> list[CameraFinding]:
    """The findings among some answers."""
    return [answer for answer in answers if isinstance(answer, CameraFinding)]  # type: ignore[attr-defined]


def test_quiet_year() -> None:
    """A year of images at even times has nothing wrong with it."""
    year = captures(365 * 24, every=timedelta(hours=1))
    now = year[-1].captured_at + timedelta(minutes=30)
    answers = [*examine_frozen(year), *examine_silence(year, now=now, days=14), *examine_clock(year)]
    assert answers == []


def test_frozen() -> None:
    """The same bytes at more than ten times: the picture stood still, since the first and until the next other one."""
    images = captures(60)
    stuck = [Capture(one.image_id, one.captured_at, "stuck", one.mtime_s, True) for one in images[20:35]]
    (frozen,) = found(examine_frozen([*images[:20], *stuck, *images[35:]]))
    assert (frozen.kind, frozen.since, frozen.until) == (Kind.FROZEN, images[20].captured_at, images[35].captured_at)
    assert found(examine_frozen([*images[:20], *stuck[:10], *images[30:]])) == []


def test_copies_of_one_time_are_not_frozen() -> None:
    """Copies of one file at one time say nothing about the camera."""
    image = captures(1)[0]
    assert list(examine_frozen([image] * 40)) == []


def test_silent_gap_and_end() -> None:
    """A gap of hours is found with its end; silence until now is found without one."""
    images = captures(300)
    gap = [*images[:100], *images[160:]]
    (silent,) = found(examine_silence(gap, now=images[-1].captured_at, days=14))
    assert (silent.since, silent.until) == (images[99].captured_at, images[160].captured_at)
    (ended,) = found(examine_silence(images, now=images[-1].captured_at + timedelta(days=2), days=14))
    assert (ended.since, ended.until) == (images[-1].captured_at, None)


def test_nights_and_archives_are_not_silent() -> None:
    """Who takes no images at night is not silent each morning; who took the last years ago is not in use."""
    days = [one for one in captures(14 * 24, every=timedelta(hours=1)) if 7 <= one.captured_at.hour < 19]
    assert found(examine_silence(days, now=days[-1].captured_at + timedelta(hours=2), days=14)) == []
    assert found(examine_silence(days, now=days[-1].captured_at + timedelta(days=900), days=14)) == []


@pytest.mark.parametrize("hours", [-1, 1, 2])
def test_clock_for_a_day(hours: int) -> None:
    """A clock that is whole hours off for a day of fourteen is found, with its begin and its end."""
    images = captures(14 * 24 * 4, every=timedelta(minutes=15))
    off = range(5 * 96, 6 * 96)
    shift = timedelta(hours=hours)
    series = [
        Capture(one.image_id, one.captured_at + shift, one.content_hash, one.mtime_s, True) if number in off else one
        for number, one in enumerate(images)
    ]
    (clock,) = found(examine_clock(series))
    assert (clock.evidence["hours"], clock.evidence["images"], clock.evidence["all"]) == (hours, 96, 0)
    assert abs(clock.since - images[5 * 96].captured_at) < timedelta(minutes=1)


def test_copied_files_tell_nothing_of_the_clock() -> None:
    """Files that were all written at one time, or whose times are no names, cannot tell."""
    images = captures(100)
    copied = [Capture(one.image_id, one.captured_at, one.content_hash, BEGIN.timestamp() + 9e6, True) for one in images]
    unnamed = [Capture(one.image_id, one.captured_at, one.content_hash, one.mtime_s, False) for one in images]
    for series in (copied, unnamed):
        (answer,) = examine_clock(series)
        assert isinstance(answer, CannotTell)


def test_interval() -> None:
    """Nearly all are duplicates: too often. Few decided images cannot tell."""
    images = captures(400)
    (dense,) = found(examine_interval(images, duplicates=399, decided=400))
    assert (dense.kind, dense.evidence["interval_s"]) == (Kind.INTERVAL, 300)
    assert list(examine_interval(images, duplicates=390, decided=400)) == []
    assert [type(answer) for answer in examine_interval(images, duplicates=0, decided=10)] == [CannotTell]
