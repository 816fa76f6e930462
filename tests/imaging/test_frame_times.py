"""The clock of a stream: times grow, whatever the stamps, and good stamps are exact."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.imaging.frame_times import FrameClock, SampleTimes

SECOND_US = 1_000_000
TIME_BASE = Fraction(1, 90_000)
STAMPS = st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40), st.integers(0, 10**6)), min_size=1, max_size=50)


def clock(first_stamp: int | None = 0, duration_s: int | None = None) -> FrameClock:
    """A clock of 25 frames a second, in units of 1/90 000 s."""
    duration_us = None if duration_s is None else duration_s * SECOND_US
    return FrameClock(time_base=TIME_BASE, first_stamp=first_stamp, frame_us=40_000, duration_us=duration_us)


def times(stamps: list[int | None], **how: int | None) -> tuple[list[int], int]:
    """The times of these stamps, and how many were corrected."""
    ticking = clock(**how)
    return [ticking.time_us(stamp) for stamp in stamps], ticking.corrected


def units(*seconds: float) -> list[int | None]:
    """Stamps at these seconds."""
    return [round(second * 90_000) for second in seconds]


@given(STAMPS, st.one_of(st.none(), st.integers(0, 100_000)))
def test_times_grow(stamps: list[int | None], duration_s: int | None) -> None:
    """Each time is after the one before, and none is before the first frame."""
    seconds, _ = times(stamps, first_stamp=None, duration_s=duration_s)
    assert seconds[0] >= 0
    assert all(later > earlier for earlier, later in pairwise(seconds))


@given(st.integers(-(2**33), 2**33), st.lists(st.integers(1, 10**6), min_size=1, max_size=50))
def test_good_stamps_are_exact(first: int, steps: list[int]) -> None:
    """Whatever the first stamp is, times are the distances to it."""
    stamps = [first]
    for step in steps:
        stamps.append(stamps[-1] + step)
    seconds, corrected = times(list(stamps), first_stamp=first)
    assert seconds == [round((stamp - first) * TIME_BASE * SECOND_US) for stamp in stamps]
    assert corrected == 0


@pytest.mark.parametrize(
    ("stamps", "expected_s", "corrected"),
    [
        ([*units(0, 1), None, *units(2)], [0, 1, 1.04, 2], 1),  # a frame later
        (units(0, 1, 1, 2), [0, 1, 1.001, 2], 1),  # repeated
        (units(0, 1, 0.5, 2), [0, 1, 1.001, 2], 1),  # out of order
        (units(50, 51, 0, 1, 2), [0, 1, 1.04, 2.04, 3.04], 1),  # begins anew
        (units(0, 1, 10**6, 10**6 + 1), [0, 1, 1.04, 2.04], 1),  # days ahead
        ([None, None, *units(7)], [0, 0.04, 0.08], 2),
    ],
)
def test_bad_stamps(stamps: list[int | None], expected_s: list[float], corrected: int) -> None:
    """A stamp that is missing, repeated, from before or from another clock costs one frame's time, and is counted."""
    first = None if stamps[0] is None else stamps[0]
    seconds, count = times(stamps, first_stamp=first)
    assert ([us / SECOND_US for us in seconds], count) == (expected_s, corrected)


def test_a_jump_beyond_the_end_is_another_clock() -> None:
    """More than a minute after the length of the header, a stamp says nothing about the time."""
    assert times(units(0, 1, 90), first_stamp=0, duration_s=10) == ([0, SECOND_US, 1_040_000], 1)
    assert times(units(0, 1, 60), first_stamp=0, duration_s=10) == ([0, SECOND_US, 60 * SECOND_US], 0)


@given(st.lists(st.integers(1, 5_000_000), max_size=80), st.integers(0, 3_000_000), st.booleans())
def test_samples_are_neither_too_many_nor_too_few(steps: list[int], every_us: int, on_grid: bool) -> None:
    """What is skipped comes less than the interval after a frame that is taken; these are far enough apart."""
    samples = SampleTimes(every_us=every_us, tolerance_us=every_us // 4, on_grid=on_grid)
    at_us, taken, skipped = 0, [], []
    for step in [0, *steps]:
        at_us += step
        if samples.is_due(at_us):
            samples.take(at_us)
            taken.append(at_us)
        else:
            skipped.append(at_us)
    assert taken[0] == 0
    assert all(any(0 < skip - take < every_us for take in taken) for skip in skipped)
    if on_grid and every_us:
        assert len(taken) <= 1 + (at_us + every_us // 4) // every_us
    else:
        assert all(later - earlier >= every_us - every_us // 4 for earlier, later in pairwise(taken))
