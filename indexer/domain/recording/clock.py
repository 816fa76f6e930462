"""The times of the frames of a live camera: the clock of the machine at the first frame, and then the camera's own.

The camera's clock is drawn to the arrival of the frames by at most 500 parts in a million, as Moonfire NVR does: the
network delays frames by milliseconds, and no clock of a camera that works is wrong by more. Where a clock steps, no
frame after it has a time that can be trusted; then the recording must end, and a new one begins with the new time.
"""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""When this was written: a machine whose clock says less has no time."""
MAX_DRIFT = 500e-6
STEP_S = 1.0
"""A step of the machine's clock by more than this ends a recording."""
APART_S = 2.0
APART_FOR_S = 5.0
"""So far, and for so long, may the camera's clock and the arrival of its frames be apart."""
_SHORTEST_STEP_US = 1_000  # names of files count milliseconds, and a gap ends at the very time of an image
_BUFFERED_US = 5_000_000
"""In the first seconds frames come out of a buffer, faster than they were taken; later they come one by one."""


class ClockStepError(Exception):
    """A clock stepped; the text says which one, and by how much."""


class LiveClock:
    """Times of the frames of one recording, in the order in which they arrive.

    Parameters
    ----------
    wall_at : datetime
        The machine's clock when the first frame arrived, aware.
    monotonic_s : float
        At the same moment, seconds of a clock that never steps.
    stamp_us : int or None
        The camera's time of the first frame, in microseconds; None: it gave none.
    """

    def __init__(self, *, wall_at: datetime, monotonic_s: float, stamp_us: int | None) -> None:
        self.started_at = wall_at.replace(microsecond=wall_at.microsecond // 1_000 * 1_000)
        self._monotonic_s = monotonic_s
        self._stamp_us = stamp_us
        self._base_us = 0
        self._drawn_us = 0.0
        self._last_arrival_us = 0
        self._last_us: int | None = None
        self._apart_since_us: int | None = None

    def offset_us(self, *, stamp_us: int | None, wall_at: datetime, monotonic_s: float) -> int:
        """Microseconds from the first frame to this one: whole milliseconds, as names of files have, that grow.

        Raises `ClockStepError` if the machine's clock stepped, or if the camera's clock does not fit the arrival of its
        frames any more.
        """
        arrival_us = round((monotonic_s - self._monotonic_s) * 1_000_000)
        self._require_no_step(wall_at, arrival_us)
        self._draw(arrival_us)
        self._require_near(stamp_us, arrival_us)
        reckoned_us = arrival_us if stamp_us is None else self._reckoned_us(stamp_us, arrival_us)
        if self._last_us is not None:
            reckoned_us = max(reckoned_us, self._last_us + _SHORTEST_STEP_US)
        self._last_us = max(reckoned_us, 0) // _SHORTEST_STEP_US * _SHORTEST_STEP_US
        return self._last_us

    def at(self, offset_us: int) -> datetime:
        """The time of a frame on the clock."""
        return self.started_at + timedelta(microseconds=offset_us)

    def _reckoned_us(self, stamp_us: int, arrival_us: int) -> int:
        """The time by the camera's clock, drawn as far as it may be."""
        if self._stamp_us is None:  # the first frame of RTSP has no stamp: this is the first one that has
            self._stamp_us, self._base_us = stamp_us, arrival_us
        reckoned_us = round(self._base_us + stamp_us - self._stamp_us + self._drawn_us)
        if reckoned_us > arrival_us and arrival_us < _BUFFERED_US:  # no frame is taken after it arrived
            self._base_us -= reckoned_us - arrival_us
            return arrival_us
        return reckoned_us

    def _draw(self, arrival_us: int) -> None:
        """Moves the camera's clock towards the arrival, by a part of the time that passed."""
        step_us = MAX_DRIFT * max(0, arrival_us - self._last_arrival_us)
        if self._last_us is not None:
            behind_us = self._last_arrival_us - self._last_us
            self._drawn_us += max(-step_us, min(step_us, behind_us))
        self._last_arrival_us = arrival_us

    def _require_no_step(self, wall_at: datetime, arrival_us: int) -> None:
        step_s = (wall_at - self.started_at).total_seconds() - arrival_us / 1_000_000
        if abs(step_s) > STEP_S:
            way = "forward" if step_s > 0 else "back"
            raise ClockStepError(f"the clock of the machine went {way} by {abs(step_s):.1f} s")

    def _require_near(self, stamp_us: int | None, arrival_us: int) -> None:
        apart_us = 0 if stamp_us is None else abs(arrival_us - self._reckoned_us(stamp_us, arrival_us))
        if apart_us <= APART_S * 1_000_000:
            self._apart_since_us = None
            return
        if self._apart_since_us is None:
            self._apart_since_us = arrival_us
        if arrival_us - self._apart_since_us >= APART_FOR_S * 1_000_000:
            raise ClockStepError(f"the clock of the camera is off by {apart_us / 1_000_000:.1f} s")
