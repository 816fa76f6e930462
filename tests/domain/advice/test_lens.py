"""Blurred, dirty and blocked: by series of measures."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.lens import examine_cover, examine_lens
from indexer.domain.advice.measurements import Condition, LightClass, MeasuredFrame
from tests.domain.advice.test_view import PLAIN, SAME

BEGIN = datetime(2026, 5, 1, 8, tzinfo=UTC)
SINCE = BEGIN + 40 * timedelta(minutes=10)


def frames_with(change: Callable[[MeasuredFrame], MeasuredFrame], *, end: int = 60) -> list[MeasuredFrame]:
    """Sixty frames ten minutes apart; those from the 40th to before `end` are changed."""
    frames = [MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=10), PLAIN, SAME) for number in range(60)]
    return [change(frame) if 40 <= number < end else frame for number, frame in enumerate(frames)]


def with_detail(share: float, cells: set[int]) -> Condition:
    """The condition with this share of the detail in some cells."""
    return replace(PLAIN, detail=tuple(200 * share if cell in cells else 200.0 for cell in range(24)))


def facts(answers: list[Answer]) -> list[tuple[str, datetime, datetime | None]]:
    """Kind, begin and end of the findings."""
    return [(one.kind, one.since, one.until) for one in answers if isinstance(one, CameraFinding)]


def look(frames: list[MeasuredFrame]) -> list[Answer]:
    """What is found in frames of one light."""
    return list(examine_lens(frames, LightClass.COLOUR))


def test_blur_of_all_cells() -> None:
    """A lens that loses most of the detail everywhere is blurred, since the first such frame."""
    frames = frames_with(lambda frame: replace(frame, condition=with_detail(0.2, set(range(24)))))
    assert facts(look(frames)) == [(Kind.BLURRED, SINCE, None)]


def test_dirt_of_some_cells() -> None:
    """Detail that is lost in two neighbouring cells is dirt there; a part that shows another thing is not."""
    frames = frames_with(lambda frame: replace(frame, condition=with_detail(0.2, {0, 1})))
    assert facts(look(frames)) == [(Kind.DIRTY, SINCE, None)]
    assert [one.regions for one in look(frames) if isinstance(one, CameraFinding)] == [((0.0, 0.0, 33.3, 25.0),)]
    unlike = replace(SAME, likeness=(0.1, 0.1, *(1.0,) * 22))
    parked = [replace(frame, comparison=unlike if number >= 40 else SAME) for number, frame in enumerate(frames)]
    assert look(parked) == []


def test_car_that_is_parked_is_no_dirt() -> None:
    """A smooth thing in a cell that is flat else has less detail per structure, but not less detail."""
    detail, structure = ((value, *[usual] * 23) for value, usual in ((23.0, 200.0), (215.0, 400.0)))
    flat = replace(PLAIN, detail=(4.0, *[200.0] * 23), structure=(10.0, *[400.0] * 23))
    parked = replace(PLAIN, detail=tuple(detail), structure=tuple(structure))
    frames = frames_with(lambda frame: replace(frame, condition=parked))
    days = [replace(frame, condition=flat) if number < 40 else frame for number, frame in enumerate(frames)]
    assert look(days) == []


def test_drop_that_takes_the_coarse_structure() -> None:
    """A drop takes the coarse structure of a cell, and still more of its detail; a shadow takes as much of both."""
    detail, structure = ((value, *[usual] * 23) for value, usual in ((16.0, 200.0), (80.0, 400.0)))
    drop = replace(PLAIN, detail=tuple(detail), structure=tuple(structure))
    shadow = replace(drop, detail=(40.0, *drop.detail[1:]))
    assert facts(look(frames_with(lambda frame: replace(frame, condition=drop)))) == [(Kind.DIRTY, SINCE, None)]
    assert look(frames_with(lambda frame: replace(frame, condition=shadow))) == []


def test_box_before_a_flat_view() -> None:
    """Five neighbouring cells that show another thing block the view; three do not, as of a car that is parked."""
    for number, expected in ((5, [(Kind.BLOCKED, SINCE, None)]), (3, [])):
        unlike = replace(SAME, likeness=(*(0.1,) * number, *(1.0,) * (24 - number)))
        assert facts(look(frames_with(lambda frame, other=unlike: replace(frame, comparison=other)))) == expected  # type: ignore[misc]


def test_other_light_is_no_blur() -> None:
    """A quarter of the contrast takes detail and structure alike."""
    dim = replace(PLAIN, detail=(50.0,) * 24, structure=(100.0,) * 24)
    assert look(frames_with(lambda frame: replace(frame, condition=dim))) == []


@pytest.mark.parametrize("change", [{"covered_share": 0.3}, {"lost_share": 0.8}])
def test_blocked_and_free_again(change: dict[str, float]) -> None:
    """What fills the view, or hides its edges, blocks it, until it is gone."""
    frames = frames_with(lambda frame: replace(frame, comparison=replace(SAME, **change)), end=55)
    assert facts(look(frames)) == [(Kind.BLOCKED, SINCE, BEGIN + 55 * timedelta(minutes=10))]


def test_bag_is_blocked_and_night_is_not() -> None:
    """One colour at hours that are not so on other days is blocked; each night is of one colour, and is not."""
    bag = replace(PLAIN, main_share=0.98, brightness=5.0, high=10.0)
    hourly = [MeasuredFrame(number + 1, BEGIN + number * timedelta(hours=1), PLAIN, SAME) for number in range(240)]
    nights = [replace(one, condition=bag) if one.captured_at.hour < 5 else one for one in hourly]
    bagged = [replace(one, condition=bag) if 100 <= number < 130 else one for number, one in enumerate(nights)]
    assert facts(list(examine_cover(nights))) == []
    assert [kind for kind, _, _ in facts(list(examine_cover(bagged)))] == [Kind.BLOCKED]


def test_flat_view_cannot_tell() -> None:
    """A view without structure cannot be told blurred."""
    flat = replace(PLAIN, structure=(1.0,) * 24)
    frames = [replace(frame, condition=flat) for frame in frames_with(lambda frame: frame)]
    assert {answer.kind for answer in look(frames) if isinstance(answer, CannotTell)} == {Kind.BLURRED, Kind.DIRTY}
