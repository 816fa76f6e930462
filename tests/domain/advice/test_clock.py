"""The clock: by names and by the times and the order in which the files were written."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from indexer.domain.advice.capture import examine_silence
from indexer.domain.advice.clock import can_tell_by_exif, examine_clock, examine_exif
from indexer.domain.advice.findings import Answer, CannotTell
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from indexer.domain.naming.moments import to_utc
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


CHANGES = {
    "spring": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "autumn": datetime(2026, 10, 25, 1, tzinfo=UTC),
}
"""When clocks are changed in the European Union."""


def local_names(
    zone: str, *, change: datetime, read_in: str, follows: bool = True, days: int = 2, is_copied: bool = False
) -> list[Capture]:
    """Images of some days before a change of clocks and after it, five minutes apart, with local time in their names,
    which is read in a zone; a camera that does not follow summer time shows winter time. By the time that was read."""
    winter = timezone(datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta())
    images = []
    for number, image in enumerate(captures(2 * days * 288, every=timedelta(minutes=5))):
        time = change - timedelta(days=days) + number * timedelta(minutes=5)
        local = time.astimezone(ZoneInfo(zone) if follows else winter).replace(tzinfo=None)
        read = to_utc(local, ZoneInfo(read_in)) or time
        written_s = 9e9 + number / 100 if is_copied else time.timestamp() + 2
        images.append(replace(image, captured_at=read, mtime_s=written_s))
    return sorted(images, key=lambda one: (one.captured_at, one.image_id))


@pytest.mark.parametrize("is_copied", [False, True])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_local_time_that_is_read_as_such(change: datetime, is_copied: bool) -> None:
    """A clock that is changed with those of its country is right, also in the hour that happens twice."""
    images = local_names("Europe/Berlin", change=change, read_in="Europe/Berlin", is_copied=is_copied)
    assert list(examine_clock(images)) == []
    assert [answer.kind for answer in silences(images)] == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("zone", "hours"), [("Europe/London", 1), ("Europe/Athens", 3)])
def test_local_time_that_is_read_as_utc(zone: str, hours: int, change: datetime) -> None:
    """Names in a time zone with summer time are no wrong clock: all are in that zone, which is to be named."""
    images = local_names(zone, change=change, read_in="UTC")
    (clock,) = found(examine_clock(images))
    assert clock.evidence == {"hours": hours, "images": len(images), "all": 1, "summer_time": 1}
    copied = local_names(zone, change=change, read_in="UTC", is_copied=True)
    assert list(examine_clock(copied)) == []
    assert [answer.kind for series in (images, copied) for answer in silences(series)] == []


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Australia/Melbourne", "America/Santiago"])
def test_summer_time_of_other_countries(zone: str) -> None:
    """Names of half a year in local time that is read as UTC differ by an hour more in summer, north and south."""
    local = ZoneInfo(zone)
    images = [
        replace(one, captured_at=to_utc(one.captured_at.astimezone(local).replace(tzinfo=None), None) or BEGIN)
        for one in captures(200 * 12, every=timedelta(hours=2))
    ]
    (clock,) = found(examine_clock(images))
    assert (clock.evidence["all"], clock.evidence["summer_time"]) == (1, 1)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_clock_that_does_not_follow_summer_time(change: datetime) -> None:
    """A clock that stays at winter time in a zone with summer time is an hour behind in summer, and only then."""
    images = local_names("Europe/Berlin", change=change, read_in="Europe/Berlin", follows=False)
    (clock,) = found(examine_clock(images))
    assert (clock.evidence["hours"], clock.evidence["all"], clock.until is None) == (-1, 0, change == CHANGES["spring"])
    edge = clock.until or clock.since
    assert abs(edge - change) <= timedelta(minutes=65)


@pytest.mark.parametrize("days", [14, 40, 100])
def test_clock_that_does_not_follow_summer_time_for_weeks(days: int) -> None:
    """Other countries change their clocks a week later: that explains most of its hours, and yet it stays wrong."""
    begin, zone = datetime(2026, 3, 22, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    written = [begin + number * timedelta(hours=1) for number in range(24 * days)]
    names = [(at + timedelta(hours=1)).replace(tzinfo=zone) for at in written]
    images = [
        Capture(number, name.astimezone(UTC), f"{number:x}", at.timestamp() + 2, True)
        for number, (name, at) in enumerate(zip(names, written, strict=True))
    ]
    (clock,) = found(examine_clock(sorted(images, key=lambda one: one.captured_at)))
    assert (clock.evidence["hours"], clock.evidence["all"], clock.until) == (-1, 0, None)
    assert abs(clock.since - CHANGES["spring"]) <= timedelta(minutes=65)


def test_wrong_clock_beside_a_change_to_summer_time() -> None:
    """A clock that is an hour off for a day soon after a change is wrong, whatever zone its names are in."""
    change = CHANGES["spring"]
    wrong = range(4 * 288 + 300, 4 * 288 + 600)
    for read_in in ("UTC", "Europe/Berlin"):
        images = sorted(
            local_names("Europe/Berlin", change=change, read_in=read_in, days=4), key=lambda one: one.mtime_s
        )
        late = [
            replace(one, captured_at=one.captured_at - timedelta(hours=1)) if number in wrong else one
            for number, one in enumerate(images)
        ]
        (clock,) = found(examine_clock(sorted(late, key=lambda one: one.captured_at)))
        assert (clock.evidence["hours"], clock.evidence["images"], clock.evidence["all"]) == (-1, len(wrong), 0)


def silences(images: list[Capture]) -> list[Answer]:
    """Times without an image."""
    return list(examine_silence(images, now=images[-1].captured_at, days=14))
