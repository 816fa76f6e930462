"""Glare, darkness and light alone: by series of measures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.light import examine_darkness, examine_glare, examine_light_changes
from indexer.domain.advice.measurements import Change, LightClass, MeasuredFrame, MeasuredPair
from tests.domain.advice.test_view import PLAIN

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
SUN = (0.0,) * 5 + (0.6,) + (0.0,) * 18


def fortnight(*, minutes: int = 60) -> list[MeasuredFrame]:
    """A frame each so many minutes for 14 days, all alike."""
    return [
        MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=minutes), PLAIN)
        for number in range(14 * 24 * 60 // minutes)
    ]


def test_sun_at_one_hour() -> None:
    """The sun in a corner at 16 h of four days is glare, with hour and corner; on two days it is nothing."""
    for days, expected in ((4, 1), (2, 0)):
        frames = [
            replace(frame, condition=replace(PLAIN, bright=SUN))
            if frame.captured_at.hour == 16 and frame.captured_at.day <= days
            else frame
            for frame in fortnight()
        ]
        answers = [answer for answer in examine_glare(frames, LightClass.COLOUR) if isinstance(answer, CameraFinding)]
        assert len(answers) == expected
        assert all((one.evidence["hours_utc"], one.regions) == ("16", ((83.3, 0.0, 16.7, 25.0),)) for one in answers)


def test_sun_on_one_day_of_fourteen() -> None:
    """A part that is white for half a day is glare with begin and end, if it is not so at these hours on other days; a
    sky that is white at noon every third day is not."""
    for days, expected in (({5}, [(5, 8, 20)]), (set(range(1, 15, 3)) - {4}, [])):
        frames = [
            replace(frame, condition=replace(PLAIN, bright=SUN))
            if frame.captured_at.day in days and 8 <= frame.captured_at.hour < 20
            else frame
            for frame in fortnight()
        ]
        answers = [answer for answer in examine_glare(frames, LightClass.COLOUR) if isinstance(answer, CameraFinding)]
        found = [(one.since.day, one.since.hour, one.until.hour) for one in answers if one.until is not None]
        assert found == expected


def test_sun_at_an_hour_hides_no_other_glare() -> None:
    """Beside the sun at 16 h of some days, half a day of glare in another part of the view is told, too."""
    lamp = (0.7, *(0.0,) * 23)
    frames = [
        replace(frame, condition=replace(PLAIN, bright=SUN))
        if frame.captured_at.hour == 16 and frame.captured_at.day <= 4
        else replace(frame, condition=replace(PLAIN, bright=lamp))
        if frame.captured_at.day == 9 and 2 <= frame.captured_at.hour < 15
        else frame
        for frame in fortnight()
    ]
    answers = [answer for answer in examine_glare(frames, LightClass.COLOUR) if isinstance(answer, CameraFinding)]
    assert [(one.since.day, one.regions) for one in answers] == [
        (1, ((83.3, 0.0, 16.7, 25.0),)),
        (9, ((0.0, 0.0, 16.7, 25.0),)),
    ]


def test_lamp_over_midnight() -> None:
    """A lamp that shines into the lens for a night is one glare, also if few nights were looked at: what lies after
    midnight is no other day than what lies before."""
    begin, end = BEGIN + timedelta(days=5, hours=21), BEGIN + timedelta(days=6, hours=3)
    frames = [
        replace(frame, condition=replace(PLAIN, bright=SUN)) if begin <= frame.captured_at < end else frame
        for frame in fortnight(minutes=20)
        if frame.captured_at.day in (6, 7, 12)
    ]
    answers = [answer for answer in examine_glare(frames, LightClass.COLOUR) if isinstance(answer, CameraFinding)]
    assert [(one.since, one.until) for one in answers] == [(begin, end)]


def test_glare_says_when_it_was_last_seen() -> None:
    """So that glare by day and by night ends with the first frame without it, whatever the light."""
    glaring = [
        replace(frame, condition=replace(PLAIN, bright=SUN))
        if frame.captured_at.day == 9 and 2 <= frame.captured_at.hour < 15
        else frame
        for frame in fortnight()
    ]
    (found,) = [one for one in examine_glare(glaring, LightClass.COLOUR) if isinstance(one, CameraFinding)]
    assert found.last_seen is not None
    assert (found.last_seen.day, found.last_seen.hour) == (9, 14)


def test_sky_that_is_always_white_is_no_glare() -> None:
    """What is clipped at all times is compared with itself."""
    frames = [replace(frame, condition=replace(PLAIN, bright=SUN)) for frame in fortnight()]
    assert list(examine_glare(frames, LightClass.COLOUR)) == []


def test_few_days_cannot_tell_of_glare() -> None:
    """Two days are too few to tell."""
    (answer,) = examine_glare(fortnight()[:48], LightClass.COLOUR)
    assert isinstance(answer, CannotTell)


def test_dark_nights() -> None:
    """Nights without light are too dark, at their hours; an evening that is dark once is not."""
    dark = replace(PLAIN, brightness=5.0, high=12.0)
    nights = [replace(frame, condition=dark) if frame.captured_at.hour < 4 else frame for frame in fortnight()]
    (found,) = examine_darkness(nights)
    assert isinstance(found, CameraFinding)
    assert (found.kind, found.evidence["hours_utc"]) == (Kind.TOO_DARK, "00, 01, 02, 03")
    once = fortnight()
    once[20] = replace(once[20], condition=dark)
    assert list(examine_darkness(once)) == []


def pairs_of(count: int, change: Change) -> list[MeasuredPair]:
    """Neighbours in time between which this changed."""
    frames = [MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=5), PLAIN) for number in range(count + 1)]
    return [MeasuredPair(one, other, change) for one, other in pairwise(frames)]


def test_light_alone() -> None:
    """If hardly anything but light changes, it is said; with things among it, it is not. Few changes cannot tell, nor
    can changes of flat areas."""
    light = pairs_of(29, Change(0.3, 0.001, 0.05))
    (found,) = examine_light_changes(light, frames=31)
    assert isinstance(found, CameraFinding)
    assert found.evidence == {
        "light_share": 0.85, "things_share": 0.0, "unclear_share": 0.14, "changes": 29, "frames": 31
    }  # fmt: skip
    mixed = [replace(pair, change=Change(0.3, 0.1, 0.0)) for pair in light]
    assert list(examine_light_changes(mixed, frames=31)) == []
    flat = [replace(pair, change=Change(0.3, 0.001, 0.3)) for pair in light]
    for pairs in (light[:2], flat):
        assert [type(answer) for answer in examine_light_changes(pairs, frames=31)] == [CannotTell]


def test_walkers_under_clouds() -> None:
    """Clouds change the whole view and walkers little of it; where they walk in every fourth change, the view is no
    place where only light changes."""
    clouds = pairs_of(29, Change(0.9, 0.0, 0.0))
    walkers = [
        replace(pair, change=Change(0.9, 0.006, 0.0)) if number % 4 == 0 else pair for number, pair in enumerate(clouds)
    ]
    assert list(examine_light_changes(walkers, frames=31)) == []
