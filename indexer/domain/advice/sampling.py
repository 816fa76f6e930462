"""Which frames of a camera are looked at: runs of neighbours, spread over days and hours.

All frames, if they are few enough. The module does not know the frames.
"""

from collections.abc import Sequence
from datetime import datetime

RUN_LENGTH = 4
"""Frames in a row that are taken together, so that neighbours in time can be compared."""
_STRATUM_HOURS = 3


def choose_sample(times: Sequence[datetime], *, most: int) -> list[int]:
    """The positions of at most `most` frames, ascending.

    Parameters
    ----------
    times : of datetime
        When each frame was taken, ascending.
    most : int, at least RUN_LENGTH

    Raises
    ------
    ValueError
        If `most` is too small.
    """
    if most < RUN_LENGTH:
        raise ValueError(f"a sample of {most} frames is smaller than a run of {RUN_LENGTH}")
    if len(times) <= most:
        return list(range(len(times)))
    strata = _strata(times)
    runs = most // RUN_LENGTH
    if len(strata) > runs:
        strata = [strata[number * len(strata) // runs] for number in range(runs)]
    per_stratum = runs // len(strata)
    chosen: set[int] = set()
    for positions in strata:
        for number in range(per_stratum):
            begin = positions[(2 * number + 1) * len(positions) // (2 * per_stratum)]
            begin = max(min(begin, len(times) - RUN_LENGTH), 0)
            chosen.update(range(begin, begin + RUN_LENGTH))
    return sorted(chosen)


def _strata(times: Sequence[datetime]) -> list[list[int]]:
    """The positions of each part of each day in which there is a frame."""
    strata: dict[tuple[int, int], list[int]] = {}
    for position, time in enumerate(times):
        strata.setdefault((time.toordinal(), time.hour // _STRATUM_HOURS), []).append(position)
    return list(strata.values())
