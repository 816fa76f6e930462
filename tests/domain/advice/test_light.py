"""Glare, darkness, flicker and light alone: by series of measures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.light import examine_darkness, examine_flicker, examine_glare, examine_light_changes
from indexer.domain.advice.measurements import Change, LightClass, MeasuredFrame, MeasuredPair
from tests.domain.advice.test_view import PLAIN

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
SUN = (0.0,) * 5 + (0.6,) + (0.0,) * 18


def fortnight(*, hours: int = 1) -> list[MeasuredFrame]:
    """A frame each hour for 14 days, all alike."""
    return [
        MeasuredFrame(number + 1, BEGIN + number * timedelta(hours=hours), PLAIN) for number in range(14 * 24 // hours)
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


def pairs_of(levels: list[float], *, things: float = 0.0) -> list[MeasuredPair]:
    """Neighbours whose brightness is this."""
    frames = [
        MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=5), replace(PLAIN, brightness=level))
        for number, level in enumerate(levels)
    ]
    return [MeasuredPair(one, other, Change(0.1, things, 0)) for one, other in pairwise(frames)]


def test_flicker() -> None:
    """Brightness that goes up and down by 10 levels flickers; a ramp does not, nor do 5 levels, nor passing cars."""
    wave = [120 + 10 * (number % 2) for number in range(40)]
    (found,) = examine_flicker(pairs_of(wave))
    assert isinstance(found, CameraFinding)
    assert (found.kind, found.evidence["levels"], found.evidence["sign_changes"]) == (Kind.FLICKER, 10, 1)
    for quiet in ([100 + 3 * number for number in range(40)], [120 + 5 * (number % 2) for number in range(40)]):
        assert list(examine_flicker(pairs_of(list(map(float, quiet))))) == []
    assert [type(answer) for answer in examine_flicker(pairs_of(wave, things=0.2))] == [CannotTell]


def test_light_alone() -> None:
    """If hardly anything but light changes, it is said; with things among it, it is not; few changes cannot tell."""
    light = [replace(pair, change=Change(0.3, 0.01, 0.05)) for pair in pairs_of([120.0] * 30)]
    (found,) = examine_light_changes(light, frames=31)
    assert isinstance(found, CameraFinding)
    assert found.evidence == {
        "light_share": 0.83, "things_share": 0.03, "unclear_share": 0.14, "changes": 29, "frames": 31
    }  # fmt: skip
    mixed = [replace(pair, change=Change(0.3, 0.1, 0.0)) for pair in light]
    assert list(examine_light_changes(mixed, frames=31)) == []
    assert [type(answer) for answer in examine_light_changes(light[:2], frames=31)] == [CannotTell]


def test_flicker_for_some_hours() -> None:
    """A lamp that flickers for some hours of a quiet day flickers from the first such frame to the last."""
    levels = [120 + (10 * (number % 2) if 30 <= number < 50 else 0) for number in range(100)]
    (found,) = examine_flicker(pairs_of(list(map(float, levels))))
    assert isinstance(found, CameraFinding)
    assert found.since == BEGIN + 30 * timedelta(minutes=5)
    assert found.until is not None
    assert timedelta(0) <= found.until - (BEGIN + 50 * timedelta(minutes=5)) <= timedelta(minutes=10)


def test_clouds_cannot_tell_of_flicker() -> None:
    """Where clouds let the brightness go up and down all day, flicker cannot be told."""
    levels = np.random.default_rng(3).uniform(90, 140, 100)
    (answer,) = examine_flicker(pairs_of(list(map(float, levels))))
    assert isinstance(answer, CannotTell)
