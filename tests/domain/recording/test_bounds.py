"""Bounds: never more than so many images in a minute, and a full disk is full until a fifth more is free."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.recording.bounds import FreeSpace, MinuteLimit


@given(st.integers(1, 10), st.lists(st.floats(0, 30), max_size=100))
def test_no_minute_has_more_images_than_the_limit(limit: int, pauses: list[float]) -> None:
    """Of any sixty seconds, and no image is refused without need."""
    bound, stored, now_s = MinuteLimit(limit), list[float](), 0.0
    for pause_s in pauses:
        now_s += pause_s
        within = sum(now_s - at < 60 for at in stored)
        assert bound.allows(now_s=now_s) == (within < limit)
        if bound.allows(now_s=now_s):
            bound.note(now_s=now_s)
            stored.append(now_s)


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=50))
def test_a_full_disk_has_room_again_with_a_fifth_more(measured: list[tuple[int, bool]]) -> None:
    """Below the limit, or when a file was refused, it is full, and it stays so until 1.2 times the limit is free."""
    space, was_full = FreeSpace(1000), False
    for free_bytes, refused in measured:
        is_full = space.note(free_bytes, refused=refused)
        assert is_full == (refused or free_bytes < (1200 if was_full else 1000))
        was_full = is_full
