"""Back-off: pauses double up to a minute and go on for ever; each differs by a fifth at most."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.recording.backoff import HEALTHY_AFTER_S, JITTER, LONGEST_PAUSE_S, ReconnectBackoff

PART = st.floats(0, 1, exclude_max=True)


def test_pauses_double_up_to_a_minute() -> None:
    """Without chance the pauses are 1, 2, 4 .. 32, and then a minute for ever."""
    backoff = ReconnectBackoff(lambda: 0.5)
    assert [backoff.next_pause_s() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e6)), max_size=50), PART)
def test_a_camera_is_tried_each_minute_for_ever(ends: list[tuple[bool, float]], part: float) -> None:
    """Whatever happened before, the next attempt comes within 72 s, and after a refusal not within 48 s."""
    backoff = ReconnectBackoff(lambda: part)
    for refused, frames_s in ends:
        pause_s = backoff.next_pause_s(refused=refused, frames_s=frames_s)
        assert 0.8 <= pause_s <= LONGEST_PAUSE_S * (1 + JITTER)
        assert not refused or pause_s >= LONGEST_PAUSE_S * (1 - JITTER)


@given(st.integers(0, 20), st.floats(HEALTHY_AFTER_S, 1e9))
def test_a_minute_of_frames_forgets_the_failures(failures: int, frames_s: float) -> None:
    """After a minute of frames, the first pause is a second again."""
    backoff = ReconnectBackoff(lambda: 0.5)
    for _ in range(failures):
        backoff.next_pause_s()
    assert backoff.next_pause_s(frames_s=frames_s) == 1.0
