"""Flicker: by series of what the light rose from frame to frame."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.flicker import examine_flicker
from indexer.domain.advice.measurements import Change, MeasuredFrame, MeasuredPair, Rise
from tests.domain.advice.test_view import PLAIN

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
CLOUDS = np.random.default_rng(3).uniform(0.7, 1.1, 100) * 120
WAVE = [10.0 * (number % 2) for number in range(100)]


def gain(levels: float) -> Rise:
    """Other light, which multiplies the levels: nothing is added where the view is black."""
    return Rise(levels, 0.0, 1.0)


def added(levels: float) -> Rise:
    """Light that is added everywhere."""
    return Rise(levels, levels, 1.0)


def pairs_of(levels: Sequence[float], rise: Callable[[float], Rise] = gain) -> list[MeasuredPair]:
    """Neighbours five minutes apart, with this brightness."""
    frames = [MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=5), PLAIN) for number in range(len(levels))]
    return [
        MeasuredPair(one, other, Change(0.1, 0, 0), rise(float(after - before)))
        for (one, before), (other, after) in pairwise(zip(frames, levels, strict=True))
    ]


@pytest.mark.parametrize("rise", [gain, added])
def test_flicker(rise: Callable[[float], Rise]) -> None:
    """Light that goes up and down by 10 levels flickers, whether it multiplies or adds."""
    (*_, found) = examine_flicker(pairs_of(WAVE[:40], rise))
    assert isinstance(found, CameraFinding)
    assert (found.kind, found.evidence["levels"], found.evidence["sign_changes"]) == (Kind.FLICKER, 10, 1)


@pytest.mark.parametrize(
    "levels", [[3.0 * number for number in range(40)], [5.0 * (number % 2) for number in range(40)]]
)
def test_ramps_and_small_changes_are_no_flicker(levels: list[float]) -> None:
    """The sun that rises is no flicker, nor are 5 levels."""
    assert list(examine_flicker(pairs_of(levels))) == []


def test_where_things_pass_nothing_is_known() -> None:
    """Where most of the view does not change as the rest does, it cannot be told."""
    passing = [replace(pair, rise=replace(pair.rise, even_share=0.3)) for pair in pairs_of(WAVE)]
    assert [type(answer) for answer in examine_flicker(passing)] == [CannotTell]


def test_flicker_for_some_hours() -> None:
    """A lamp that flickers for some hours of a quiet day flickers from the first such frame to the last."""
    levels = [10.0 * (number % 2) if 30 <= number < 50 else 0.0 for number in range(100)]
    (found,) = examine_flicker(pairs_of(levels))
    assert isinstance(found, CameraFinding)
    assert found.since == BEGIN + 30 * timedelta(minutes=5)
    assert found.until is not None
    assert timedelta(0) <= found.until - (BEGIN + 50 * timedelta(minutes=5)) <= timedelta(minutes=10)


def test_clouds_cannot_tell_of_flicker() -> None:
    """Where clouds let the brightness go up and down all day, a lamp that multiplies cannot be told."""
    (answer,) = examine_flicker(pairs_of([*CLOUDS]))
    assert isinstance(answer, CannotTell)


def test_clouds_that_turn_by_chance_are_no_flicker() -> None:
    """Where clouds go up and down in nearly all of a dozen frames, it is by chance: so often it happens."""
    quiet = [100.0] * 60
    quiet[20:33] = [90.0, 120, 85, 101, 92, 119, 103, 100, 88, 110, 96, 118, 90]
    assert [answer for answer in examine_flicker(pairs_of(quiet)) if isinstance(answer, CameraFinding)] == []


def test_flicker_in_thousands_of_frames() -> None:
    """Light that pauses now and then, and turns far more often than by chance, flickers in 2 000 frames, too."""
    levels = [0.0 if number % 20 < 2 else 10.0 * (number % 2) for number in range(2_000)]
    (*_, found) = examine_flicker(pairs_of(levels))
    assert isinstance(found, CameraFinding)
    assert found.evidence["sign_changes"] == pytest.approx(17 / 20, abs=0.01)


def test_flicker_under_clouds() -> None:
    """Light that is added from frame to frame is found under clouds, which add nothing where the view is black."""
    clouds, lamp = pairs_of([*CLOUDS]), pairs_of(WAVE, added)
    both = [
        replace(one, rise=Rise(one.rise.levels + other.rise.levels, other.rise.offset, 1.0))
        for one, other in zip(clouds, lamp, strict=True)
    ]
    (found, *_) = examine_flicker(both)
    assert isinstance(found, CameraFinding)
    assert (found.since, found.evidence["levels"]) == (BEGIN, 10)
