"""The sample: all frames if they are few, else runs of neighbours from all days and hours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.advice.sampling import choose_sample

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
