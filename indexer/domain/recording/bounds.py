"""What bounds the images of a recording: so many each minute, and free space on the disk."""

from collections import deque
from collections.abc import Sequence

_MINUTE_S = 60.0
_RESUME = 1.2
"""Frames are stored again when so many times the wanted space is free: else each file would begin and end a state."""


class MinuteLimit:
    """At most `limit` images within any minute; times are in seconds and never go back.

    `stored_s`: when images were stored up to now, oldest first.
    """

    def __init__(self, limit: int, stored_s: Sequence[float] = ()) -> None:
        self._limit = limit
        self._stored: deque[float] = deque(stored_s, maxlen=limit)

    @property
    def stored_s(self) -> tuple[float, ...]:
        """When the last images were stored, oldest first; not more than the limit."""
        return tuple(self._stored)

    def allows(self, *, now_s: float) -> bool:
        """Whether one more image may be stored now."""
        return len(self._stored) < self._limit or now_s - self._stored[0] >= _MINUTE_S

    def note(self, *, now_s: float) -> None:
        """Notes that an image was stored."""
        self._stored.append(now_s)


class FreeSpace:
    """Whether the disk has room for frames: not below `min_free_bytes`, and then not before there is a fifth more."""

    def __init__(self, min_free_bytes: int) -> None:
        self._min_free_bytes = min_free_bytes
        self.is_full = False

    def note(self, free_bytes: int, *, refused: bool = False) -> bool:
        """Notes how much is free, and whether the disk just refused a file; returns whether it counts as full."""
        limit = self._min_free_bytes * (_RESUME if self.is_full else 1)
        self.is_full = refused or free_bytes < limit
        return self.is_full
