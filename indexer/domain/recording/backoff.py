"""When a camera that does not answer is tried again."""

from collections.abc import Callable

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
JITTER = 0.2
"""A pause is longer or shorter by up to this part, so that cameras behind one switch are not tried at one moment."""
HEALTHY_AFTER_S = 60.0
"""Of frames: then the next pause is the first one again."""


class ReconnectBackoff:
    """Pauses before the attempts to reach one camera: 1, 2, 4 .. 60 s, and then each minute for ever.

    `random` gives numbers from 0 up to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._pause_s = FIRST_PAUSE_S

    def next_pause_s(self, *, refused: bool = False, frames_s: float = 0.0) -> float:
        """Seconds until the next attempt, at most 72.

        Parameters
        ----------
        refused : bool
            The camera refused the password: the next attempt is a minute later, as cameras lock out who tries often.
        frames_s : float, at least 0
            For so many seconds frames came in the attempt that just ended.
        """
        if frames_s >= HEALTHY_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        pause_s = LONGEST_PAUSE_S if refused else self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause_s * (1 + JITTER * (2 * self._random() - 1))
