"""The live clock: times grow, follow the arrival of frames, and end where a clock stepped."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.recording.clock import ClockStepError, LiveClock

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000


def clock(stamp_us: int | None = 0) -> LiveClock:
    """A clock whose first frame arrived at `START`, with this stamp."""
    return LiveClock(wall_at=START, monotonic_s=100.0, stamp_us=stamp_us)


def offset(live: LiveClock, arrival_s: float, stamp_us: int | None, *, step_s: float = 0.0) -> int:
    """The time of a frame that arrived so many seconds after the first one; the wall clock stepped by `step_s`."""
    wall_at = START + timedelta(seconds=arrival_s + step_s)
    return live.offset_us(stamp_us=stamp_us, wall_at=wall_at, monotonic_s=100.0 + arrival_s)


JITTERS = st.lists(st.floats(0, 0.9), min_size=1, max_size=200)


@given(JITTERS, st.integers(-400, 400))
def test_jitter_of_the_network_does_not_reach_the_times(jitters: list[float], drift_ppm: int) -> None:
    """Frames a second apart have times a second apart, to a millisecond a second, however late they arrive."""
    live, times = clock(), [0]
    for second, jitter in enumerate(jitters, start=1):
        stamp_us = round(second * SECOND_US * (1 + drift_ppm / 1e6))
        times.append(offset(live, second + jitter, stamp_us))
    steps = [after - before for before, after in pairwise(times)]
    assert all(abs(step - SECOND_US) <= 2_000 for step in steps)
    assert abs(times[-1] - len(jitters) * SECOND_US) <= 10_000 + SECOND_US * len(jitters) * 1e-3


def test_a_slow_clock_of_a_camera_is_drawn_to_the_arrival() -> None:
    """A camera that is wrong by 300 parts in a million stays right for a day."""
    live, last_us = clock(), 0
    for second in range(10, 86_400, 10):
        last_us = offset(live, second, round(second * SECOND_US * (1 - 300e-6)))
    assert abs(last_us - 86_390 * SECOND_US) < 10_000


@given(st.lists(st.tuples(st.floats(0, 2), st.one_of(st.none(), st.integers(-(10**7), 10**7))), max_size=60))
def test_times_grow_whatever_the_stamps_are(frames: list[tuple[float, int | None]]) -> None:
    """Missing, repeated and wrong stamps never make a time that is not after the one before."""
    live, arrival_s, last_us = clock(None), 0.0, -1
    for pause_s, stamp_us in frames:
        arrival_s += pause_s
        try:
            now_us = offset(live, arrival_s, stamp_us)
        except ClockStepError:
            return
        assert now_us > last_us
        last_us = now_us


@given(st.floats(1.01, 1e7), st.booleans(), st.floats(0, 1e5))
def test_a_step_of_the_machine_ends_the_recording(step_s: float, is_back: bool, arrival_s: float) -> None:
    """More than a second, forward or back, at any time."""
    live = clock()
    with pytest.raises(ClockStepError, match="back" if is_back else "forward"):
        offset(live, arrival_s, round(arrival_s * SECOND_US), step_s=-step_s if is_back else step_s)


@given(st.floats(-0.9, 0.9))
def test_a_small_step_ends_nothing(step_s: float) -> None:
    """Less than a second is what a time server may correct."""
    assert offset(clock(), 5.0, 5 * SECOND_US, step_s=step_s) == pytest.approx(5 * SECOND_US, abs=3000)


@pytest.mark.parametrize("jump_s", [3, -3, 3600, -3600])
def test_a_camera_that_steps_ends_the_recording_after_five_seconds(jump_s: int) -> None:
    """Not before: what was delayed by the network arrives within that time."""
    live = clock()
    for second in range(1, 6):
        offset(live, 10 + second, (10 + second + jump_s) * SECOND_US)
    with pytest.raises(ClockStepError, match="camera"):
        offset(live, 16, (16 + jump_s) * SECOND_US)


def test_a_burst_after_a_delay_is_no_step() -> None:
    """Frames that were held up for four seconds arrive at once, and have their own times."""
    live = clock()
    offset(live, 1.0, 1 * SECOND_US)
    times = [offset(live, 6.0 + number / 100, (2 + number) * SECOND_US) for number in range(4)]
    assert times == pytest.approx([2_000_000, 3_000_000, 4_000_000, 5_000_000], abs=10_000)


def test_what_a_buffer_held_back_has_its_own_times() -> None:
    """Opening a stream takes two seconds, in which frames wait in a buffer. Afterwards each has its time of arrival."""
    live = clock()
    assert [offset(live, 0.01 * number, number * SECOND_US) for number in (1, 2)] == [10_000, 20_000]
    assert [offset(live, number - 2.0, number * SECOND_US) for number in (3, 4, 20)] == [
        pytest.approx((number - 2) * SECOND_US, abs=10_000) for number in (3, 4, 20)
    ]


def test_the_first_stamp_may_be_missing() -> None:
    """As in RTSP: the stamp of the second frame counts from its arrival."""
    live = clock(None)
    assert offset(live, 0.0, None) == 0
    assert offset(live, 0.5, 90_000_000) == 500_000
    assert offset(live, 1.6, 91_000_000) == pytest.approx(1_500_000, abs=1_000)
    assert live.at(1_500_000) == START + timedelta(seconds=1.5)
