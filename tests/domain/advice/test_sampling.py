"""The sample: all frames if they are few, else runs of neighbours from all days and hours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.advice.sampling import RUN_LENGTH, choose_between, choose_sample, choose_within

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)


@given(st.integers(0, 3000), st.integers(4, 300), st.integers(1, 3600))
def test_sample_is_bounded_and_ordered(count: int, most: int, every_s: int) -> None:
    """A sample has at most so many positions, each once, ascending; all of them if there are no more."""
    times = [BEGIN + number * timedelta(seconds=every_s) for number in range(count)]
    chosen = choose_sample(times, most=most)
    assert len(chosen) <= most
    assert chosen == sorted(set(chosen))
    assert chosen == list(range(count)) or count > most


def test_every_day_and_hour_is_looked_at() -> None:
    """Of 14 days with a frame each minute, each day and each time of day is in the sample, as neighbours."""
    times = [BEGIN + number * timedelta(minutes=1) for number in range(14 * 1440)]
    chosen = [times[position] for position in choose_sample(times, most=200)]
    assert {time.date() for time in chosen} == {time.date() for time in times}
    assert {time.hour // 6 for time in chosen} == {0, 1, 2, 3}


def test_too_small() -> None:
    """A sample of less than a run is refused."""
    with pytest.raises(ValueError, match="sample of 3"):
        choose_sample([BEGIN], most=3)


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 99)), min_size=1, max_size=5),
    st.sets(st.integers(0, 999)),
    st.integers(0, 120),
)
def test_more_frames_lie_in_their_ranges(starts: list[tuple[int, int]], looked_at: set[int], most: int) -> None:
    """More frames are at most so many, new ones, and within the ranges."""
    ranges = [(first, first + length) for first, length in starts]
    chosen = choose_within(ranges, looked_at=looked_at, most=most)
    assert len(chosen) <= most
    assert chosen == sorted({*chosen} - looked_at)
    assert all(any(first <= position <= last for first, last in ranges) for position in chosen)


def test_a_short_range_is_looked_at_whole() -> None:
    """Ranges share what may be looked at; what a short one does not need, a long one gets, in runs of neighbours."""
    chosen = choose_within([(0, 9), (100, 999)], looked_at={3}, most=60)
    assert {*range(10)} - {3} <= {*chosen}
    assert len(chosen) > 50
    begins = [position for position in chosen if position >= 100 and position - 1 not in chosen]
    assert all({*range(begin, begin + RUN_LENGTH)} <= {*chosen} for begin in begins)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 99)), min_size=1, max_size=5), st.integers(1, 60))
def test_frames_between_lie_in_gaps(starts: list[tuple[int, int]], most: int) -> None:
    """Frames between two others lie inside their gap, and are at most so many."""
    gaps = [(before, before + apart) for before, apart in starts]
    chosen = choose_between(gaps, most=most)
    assert len(chosen) <= most
    assert all(any(before < position < after for before, after in gaps) for position in chosen)
    assert chosen or all(apart == 1 for _, apart in starts) or most < len(starts)
