"""Loss: a process that reports is never lost, and one that is silent for half a minute is."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.recording.loss import SILENT_PROCESS_S, Heartbeat


@given(st.lists(st.floats(0, SILENT_PROCESS_S, exclude_max=True), max_size=20), st.floats(0, 3 * SILENT_PROCESS_S))
def test_silence_counts_from_the_last_report(pauses: list[float], silent_s: float) -> None:
    """Only the time since the last report counts."""
    heartbeat, now_s = Heartbeat(now_s=0.0), 0.0
    for pause_s in pauses:
        assert not heartbeat.is_lost(now_s=now_s)
        now_s += pause_s
        heartbeat.note(now_s=now_s)
    assert heartbeat.is_lost(now_s=now_s + silent_s) == (now_s + silent_s - now_s >= SILENT_PROCESS_S)
