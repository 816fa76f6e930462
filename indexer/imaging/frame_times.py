"""The clock of a stream: from the time stamps of a container to microseconds since the first frame.

It promises that times grow, whatever the stamps are: missing, repeated, going back, or years ahead. It knows no library
and no pixels.
"""

from fractions import Fraction

_SECOND_US = 1_000_000
_REPEAT_US = 1_000  # between two frames with one stamp, so that names of files in milliseconds stay apart
_SMALL_STEP_BACK_US = _SECOND_US  # frames out of order; more than that is another clock
_BEYOND_END_US = 60 * _SECOND_US
_LONGEST_STEP_US = 24 * 3600 * _SECOND_US


class FrameClock:
    """Times of frames in the order in which they are shown.

    Parameters
    ----------
    time_base : Fraction
        Seconds per unit of a stamp, above 0.
    first_stamp : int or None
        The stamp of the first frame of the stream; None: that of the first call.
    frame_us : int
        Microseconds that a frame lasts, above 0.
    duration_us : int or None
        As the header says; a jump far beyond it is no time but another clock.
    """

    def __init__(
        self, *, time_base: Fraction, first_stamp: int | None, frame_us: int, duration_us: int | None = None
    ) -> None:
        self._time_base = time_base
        self._first_stamp = first_stamp
        self._frame_us = frame_us
        self._duration_us = duration_us
        self._last_us: int | None = None
        self.corrected = 0
        """How many stamps were missing, or did not come after the one before."""
        self.restarts = 0
        """How often a later part of the stream had another clock. Its times are counted on, from the frame before."""
        self.shift_us = 0
        """Microseconds to add to a stamp of the part of now, since the first frame of the stream."""

    def time_us(self, stamp: int | None, *, frames: int = 1) -> int:
        """Microseconds from the first frame to this one; `frames`: how many frames after the last one it comes."""
        if stamp is not None and self._first_stamp is None:
            self._first_stamp = stamp - self._units(self._expected_us(frames))
        if stamp is None or self._first_stamp is None:
            time_us = self._expected_us(frames)
            self.corrected += 1
        else:
            raw_us = round((stamp - self._first_stamp) * self._time_base * _SECOND_US)
            time_us = self._after_last(raw_us, frames)
        self._last_us = time_us
        return time_us

    def _after_last(self, raw_us: int, frames: int) -> int:
        """The time of a frame with a stamp: as stamped, or after the last time if that makes no sense."""
        time_us, last_us = raw_us + self.shift_us, self._last_us
        if last_us is None:
            return max(time_us, 0) if not self._is_absurd(time_us, 0) else self._shifted(raw_us, 0)
        if time_us > last_us and not self._is_absurd(time_us, last_us):
            return time_us
        self.corrected += 1
        if last_us - _SMALL_STEP_BACK_US <= time_us <= last_us:
            return last_us + _REPEAT_US
        return self._shifted(raw_us, self._expected_us(frames))

    def _shifted(self, raw_us: int, time_us: int) -> int:
        """The time `time_us` for this stamp; later stamps count from it."""
        self.restarts += 1
        self.shift_us = time_us - raw_us
        return time_us

    def _is_absurd(self, time_us: int, last_us: int) -> bool:
        if self._duration_us is not None and time_us > max(self._duration_us, last_us) + _BEYOND_END_US:
            return True
        return time_us - last_us > _LONGEST_STEP_US

    def _expected_us(self, frames: int) -> int:
        return 0 if self._last_us is None else self._last_us + max(frames, 1) * self._frame_us

    def _units(self, time_us: int) -> int:
        return round(Fraction(time_us, _SECOND_US) / self._time_base)


class SampleTimes:
    """Which of a stream's frames are looked at: one each `every_us`, the first one among them.

    Parameters
    ----------
    every_us : int
        0 takes every frame.
    tolerance_us : int, at least 0, below `every_us`
        A frame that comes so little too early counts.
    on_grid : bool
        Whether times are due each `every_us` since the first frame; else, since the frame before.
    """

    def __init__(self, *, every_us: int, tolerance_us: int = 0, on_grid: bool = True) -> None:
        self._every_us = every_us
        self._tolerance_us = tolerance_us
        self._on_grid = on_grid
        self._due_us = 0

    def is_due(self, time_us: int) -> bool:
        """Whether the frame at this time is to be looked at."""
        return time_us >= self._due_us - self._tolerance_us

    def take(self, time_us: int) -> None:
        """Notes that the frame at this time is looked at."""
        if self._on_grid and self._every_us > 0:
            self._due_us = ((time_us + self._tolerance_us) // self._every_us + 1) * self._every_us
        else:
            self._due_us = time_us + self._every_us
