"""The clock: by names and by the times and the order in which the files were written."""

import random
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from indexer.domain.advice.clock import can_tell_by_exif, examine_clock, examine_exif
from indexer.domain.advice.findings import CannotTell
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from tests.domain.advice.test_capture import BEGIN, captures, found
from tests.domain.advice.test_view import PLAIN


def test_quiet_year() -> None:
    """A year of images at even times has nothing wrong with its clock."""
    assert list(examine_clock(captures(365 * 24, every=timedelta(hours=1)))) == []


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


def fortnight(hours: float, days: range, *, written_every_s: float = 0.01) -> list[Capture]:
    """Two weeks of copied files, written one after the other long afterwards; on some days the clock is off."""
    return [
        replace(
            one,
            captured_at=one.captured_at + timedelta(hours=hours) * ((one.captured_at - BEGIN).days in days),
            mtime_s=9e9 + number * written_every_s,
        )
        for number, one in enumerate(captures(14 * 96, every=timedelta(minutes=15)))
    ]


@pytest.mark.parametrize("hours", [-1, 1, -0.5, -3])
def test_clock_that_was_set_for_a_day(hours: float) -> None:
    """In files that only have the order in which they were taken, a clock that is off for a day jumps, with begin and
    end; the time of the jump itself is what the clock said."""
    images = fortnight(hours, range(5, 6))
    (clock,) = found(examine_clock(sorted(images, key=lambda one: one.captured_at)))
    assert (clock.evidence["hours"], clock.evidence["images"]) == (hours, 96)
    assert clock.since == images[5 * 96].captured_at
    assert clock.until == images[6 * 96].captured_at


def test_copies_in_another_order_tell_nothing_of_the_clock() -> None:
    """A clock that is right does not jump, nor do days that were copied in another order; images in any order cannot
    tell."""
    images = fortnight(0, range(0))
    assert list(examine_clock(images)) == []
    shuffled = random.Random(1).sample([one.mtime_s for one in images], len(images))
    (answer,) = examine_clock([replace(one, mtime_s=mtime_s) for one, mtime_s in zip(images, shuffled, strict=True)])
    assert isinstance(answer, CannotTell)
    days = [replace(one, mtime_s=one.mtime_s - 1000 * ((one.captured_at - BEGIN).days % 3)) for one in images]
    assert list(examine_clock(days)) == []


def frames_with_exif(hours: float, days: range, *, zone_h: int = 0) -> list[MeasuredFrame]:
    """Frames of two weeks whose names are so many hours ahead of EXIF on some days, and of all by a time zone."""
    return [
        MeasuredFrame(
            one.image_id,
            one.captured_at + timedelta(hours=hours) * ((one.captured_at - BEGIN).days in days),
            PLAIN,
            exif_at=one.captured_at - timedelta(hours=zone_h, seconds=3),
        )
        for one in captures(14 * 24, every=timedelta(hours=1))
    ]


@pytest.mark.parametrize("zone_h", [0, 2])
@pytest.mark.parametrize("hours", [-1, 2])
def test_names_off_exif_for_a_day(hours: int, zone_h: int) -> None:
    """Names that are whole hours off EXIF for a day are found, with begin and end, whatever zone EXIF is in."""
    frames = frames_with_exif(hours, range(5, 6), zone_h=zone_h)
    (clock,) = found(examine_exif(sorted(frames, key=lambda one: one.captured_at)))
    assert clock.evidence == {"hours": hours, "images": 24, "all": 0, "exif": 1}
    assert abs(clock.since - BEGIN - timedelta(days=5, hours=hours)) <= timedelta(hours=1)
    assert clock.until is not None
    assert abs(clock.until - clock.since - timedelta(days=1)) <= timedelta(hours=3)


def test_exif_that_agrees_or_is_no_clock() -> None:
    """EXIF in another time zone, a few frames off, or times of another day are no wrong clock; without EXIF nothing is
    told."""
    quiet = frames_with_exif(0, range(0), zone_h=9)
    few = [
        replace(one, captured_at=one.captured_at + timedelta(hours=1)) if one.image_id == 50 else one for one in quiet
    ]
    edited = [replace(one, exif_at=BEGIN) for one in quiet]
    without = [replace(one, exif_at=None) for one in quiet]
    assert [list(examine_exif(frames)) for frames in (quiet, few, edited, without)] == [[], [], [], []]
    assert [can_tell_by_exif(frames) for frames in (quiet, edited, without)] == [True, False, False]


def ahead(frame: MeasuredFrame) -> timedelta | None:
    """By how much a name is ahead of EXIF."""
    return None if frame.exif_at is None else frame.captured_at - frame.exif_at


def frames_over_a_year(zone: str) -> list[MeasuredFrame]:
    """Frames of a year whose names are in UTC, and EXIF in the local time of a zone."""
    return [
        MeasuredFrame(
            one.image_id,
            one.captured_at,
            PLAIN,
            exif_at=one.captured_at.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC),
        )
        for one in captures(365 * 4, every=timedelta(hours=6))
    ]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Los_Angeles", "Australia/Melbourne"])
def test_summer_time_is_no_wrong_clock(zone: str) -> None:
    """Names in UTC beside EXIF in local time differ by an hour more for half of the year, or for part of two weeks; but
    from another day on the clock is wrong."""
    frames = frames_over_a_year(zone)
    change = next(index for index, (one, other) in enumerate(pairwise(frames)) if ahead(one) != ahead(other)) + 1
    around, after = frames[change - 20 : change + 36], frames[change : change + 56]
    assert [list(examine_exif(some)) for some in (frames, around, after)] == [[], [], []]
    wrong = [
        replace(one, captured_at=one.captured_at + timedelta(hours=1)) if index >= 20 else one
        for index, one in enumerate(after)
    ]
    assert [one.kind for one in found(examine_exif(wrong))] == ["clock"]
