"""What a watch that is to end by itself waits for, at given times."""

from indexer.workflows.watch.once import SHORTEST_PATIENCE_S, OnceProgress

LONG_S = 100 * SHORTEST_PATIENCE_S


def test_files_are_given_up_and_cameras_are_not() -> None:
    """When nothing came of files for too long, cameras are waited for, however long ago anything was checked."""
    once = OnceProgress(0.0, now_s=0.0)
    assert once.awaits_files(True, videos=0, now_s=SHORTEST_PATIENCE_S)
    assert not once.awaits_files(True, videos=0, now_s=LONG_S)
    assert once.awaits_cameras(1, now_s=LONG_S)
    assert not once.awaits_cameras(1, now_s=2 * LONG_S)
    assert not once.awaits_cameras(0, now_s=LONG_S)


def test_the_patience_begins_after_the_first_walk() -> None:
    """However long the first walk takes, files that are not complete at its end are waited for."""
    once = OnceProgress(0.0, now_s=0.0)
    once.note_walked(now_s=LONG_S)
    assert once.awaits_files(True, videos=0, now_s=LONG_S + SHORTEST_PATIENCE_S)
    assert not once.awaits_files(True, videos=0, now_s=2 * LONG_S)


def test_progress_is_waited_for_again() -> None:
    """Files that were taken in, and cameras that were compared, show that the rest may come; videos are never given
    up."""
    once = OnceProgress(LONG_S, now_s=0.0)
    once.note_taken(now_s=3 * LONG_S)
    assert once.awaits_files(True, videos=0, now_s=5 * LONG_S)
    assert once.awaits_files(True, videos=1, now_s=50 * LONG_S)
    assert not once.awaits_files(False, videos=0, now_s=50 * LONG_S)
    once.note_compared(now_s=53 * LONG_S)
    assert once.awaits_cameras(1, now_s=55 * LONG_S)


def test_new_files_are_looked_for_until_the_grace_time_is_over() -> None:
    """What arrives within the grace time after the first walk is taken up; what arrives later is not, whatever comes of
    the rest."""
    once = OnceProgress(LONG_S, now_s=0.0)
    once.note_walked(now_s=5 * LONG_S)
    assert once.finds_new(now_s=6 * LONG_S)
    once.note_taken(now_s=7 * LONG_S)
    assert not once.finds_new(now_s=7 * LONG_S)
