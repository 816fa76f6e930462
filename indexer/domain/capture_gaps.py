"""When a camera is silent: no image for longer than it ever paused lately."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

MAX_GAPS = 100
"""How many of a camera's last pauses are looked at."""
MIN_GAPS = 5
"""With fewer pauses nobody can tell how often the camera takes an image."""


def usual_interval_s(times: Sequence[datetime]) -> float | None:
    """A camera's interval in seconds: the longest pause between two of these captures that follow each other.

    `times` are its last captures, the newest first, at most `MAX_GAPS` + 1. The longest pause and not the median: a
    camera that rests at night, or waits for something to move, is not silent each morning. None if there are too few
    captures, or if all are of one moment: then nobody can tell.
    """
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(times)]
    return max(gaps) or None if len(gaps) >= MIN_GAPS else None
