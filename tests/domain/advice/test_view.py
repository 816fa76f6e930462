"""Moved and sways: by the displacements of many frames."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Comparison, Condition, Displacement, LightClass, MeasuredFrame
from indexer.domain.advice.view import examine_view

BEGIN = datetime(2026, 5, 14, tzinfo=UTC)
PLAIN = Condition(120, 200, 0, 0, 30, 0.1, (200.0,) * 24, (400.0,) * 24, (0.0,) * 24)
SAME = Comparison(Displacement(0, 0), 0.0, 0.0, (1.0,) * 24)


def frames_at(places: list[Displacement | None]) -> list[MeasuredFrame]:
    """Frames five minutes apart that lie at these places."""
    return [
        MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=5), PLAIN, replace(SAME, displacement=place))
        for number, place in enumerate(places)
    ]


def noise(count: int, seed: int = 1) -> list[Displacement]:
    """The places of a camera that stands still, as they are measured."""
    rng = np.random.default_rng(seed)
    return [Displacement(*map(float, rng.normal(0, 0.08, 4))) for _ in range(count)]


def moved_by(places: list[Displacement], right: float, down: float) -> list[Displacement]:
    """The same places elsewhere."""
    return [replace(place, right=place.right + right, down=place.down + down) for place in places]


@settings(deadline=None)  # a busy machine
@given(st.integers(10, 50), st.integers(-12, 12), st.integers(-12, 12), st.integers(0, 50))
def test_move_is_dated_to_the_frame(index: int, right: int, down: int, seed: int) -> None:
    """A shift of 2 px or more is found, and since the very frame; a smaller one is nothing."""
    places = noise(60, seed)
    places[index:] = moved_by(places[index:], right, down)
    answers = list(examine_view(frames_at(places), LightClass.COLOUR))
    if np.hypot(right, down) >= 2:
        (moved,) = answers
        assert isinstance(moved, CameraFinding)
        assert (moved.kind, moved.since) == (Kind.MOVED, BEGIN + index * timedelta(minutes=5))
        assert moved.image_ids == (index, index + 1)
    elif np.hypot(right, down) < 1.2:
        assert answers == []


@pytest.mark.parametrize("name", ["turn", "zoom"])
def test_turned_and_zoomed(name: str) -> None:
    """A rotation or a zoom is a move, too."""
    places = noise(30) + [replace(place, **{name: 3.0}) for place in noise(30, 2)]
    (moved,) = examine_view(frames_at(places), LightClass.COLOUR)
    assert isinstance(moved, CameraFinding)
    assert (moved.kind, moved.evidence[f"{name}_px"]) == (Kind.MOVED, pytest.approx(3, abs=0.2))


def test_sway_is_no_move() -> None:
    """A view that goes to and fro sways, also if it drifts on the whole."""
    rng = np.random.default_rng(1)
    places = [
        Displacement(float(3 * np.sin(number / 3) + number / 30), float(rng.normal(0, 0.2))) for number in range(60)
    ]
    (sways,) = examine_view(frames_at(places), LightClass.COLOUR)
    assert isinstance(sways, CameraFinding)
    assert (sways.kind, sways.evidence["direction"]) == (Kind.SWAYS, "across")


def test_last_of_two_moves() -> None:
    """A camera that was moved twice has moved, and does not sway; the last time counts."""
    places = noise(60)
    places[20:] = moved_by(places[20:], 5, 0)
    places[40:] = moved_by(places[40:], -2, 4)
    (moved,) = examine_view(frames_at(places), LightClass.COLOUR)
    assert isinstance(moved, CameraFinding)
    assert (moved.kind, moved.since) == (Kind.MOVED, BEGIN + timedelta(minutes=200))


def test_shift_that_goes_back_is_nothing() -> None:
    """Wind for an hour, and the old place again, is no move."""
    places = noise(60)
    places[20:32] = moved_by(places[20:32], 3, 0)
    assert list(examine_view(frames_at(places), LightClass.COLOUR)) == []


@pytest.mark.parametrize("places", [noise(19), [None] * 60, [*noise(12), *([None] * 48)]], ids=["few", "none", "some"])
def test_too_few_to_tell(places: list[Displacement | None]) -> None:
    """With few frames, or few that agree, nothing is found, and the answer says so."""
    answers = list(examine_view(frames_at(list(places)), LightClass.COLOUR))
    assert [(type(answer), answer.kind) for answer in answers] == [(CannotTell, Kind.MOVED), (CannotTell, Kind.SWAYS)]


def test_sway_ends_with_a_move() -> None:
    """A camera that swayed and was then fastened elsewhere swayed until it was moved."""
    places = [replace(place, right=0.9 * (number % 3)) for number, place in enumerate(noise(60))]
    places[40:] = moved_by(noise(20), 12, 5)
    answers = {str(answer.kind): answer for answer in examine_view(frames_at(places), LightClass.COLOUR)}
    sways, moved = answers["sways"], answers["moved"]
    assert isinstance(sways, CameraFinding)
    assert isinstance(moved, CameraFinding)
    assert (sways.until, moved.until) == (moved.since, None)
