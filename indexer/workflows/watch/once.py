"""When a watch that is to end by itself looks for files and compares, and when it is over: files first, then cameras.

It promises that no file that never becomes whole, no files that never stop coming, and no camera that cannot be
compared keep the watch at work for ever. Times are seconds of a clock that never steps.
"""

SHORTEST_PATIENCE_S = 10.0
"""So long nothing may come of what waits, at least, before it is given up."""


class OnceProgress:
    """What a watch with `is_once` waits for. `grace_s`: so long a file that is not whole may wait for its rest, and so
    long after the first walk files that arrive are taken up, too, if the watch is still at work then."""

    def __init__(self, grace_s: float, *, now_s: float) -> None:
        self._grace_s = grace_s
        self._taken_s = self._walked_s = now_s
        self._compared_s: float | None = None  # None: files are still waited for

    def note_walked(self, *, now_s: float) -> None:
        """Notes that the folders were walked for the first time: from now on something may come of what waits."""
        self._walked_s = self._taken_s = now_s

    def finds_new(self, *, now_s: float) -> bool:
        """Whether files that arrive now are taken up; later ones are left for the next watch."""
        return now_s - self._walked_s <= self._grace_s

    def note_taken(self, *, now_s: float) -> None:
        """Notes that files were taken in."""
        self._taken_s = now_s

    def note_compared(self, *, now_s: float) -> None:
        """Notes that a camera was compared."""
        self._compared_s = now_s

    def awaits_files(self, has_waiting: bool, *, videos: int, now_s: float) -> bool:
        """Whether files are still waited for: some that may be unfinished, and `videos` that are being read."""
        is_in_vain = now_s - self._taken_s > self._patience_s
        if videos or (has_waiting and not is_in_vain):
            self._compared_s = None
            return True
        self._compared_s = now_s if self._compared_s is None else self._compared_s
        return False

    def awaits_cameras(self, waiting: int, *, now_s: float) -> bool:
        """Whether cameras are still waited for, now that no files are; also when the last check is long ago."""
        since_s = now_s if self._compared_s is None else self._compared_s
        return waiting > 0 and now_s - since_s <= self._patience_s

    @property
    def _patience_s(self) -> float:
        """So long nothing may come of what waits."""
        return max(2 * self._grace_s, SHORTEST_PATIENCE_S)
