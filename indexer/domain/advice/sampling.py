"""Which frames of a camera are looked at: runs of neighbours, spread over days and hours; then more where they hint at
something, and around the time at which it began.

All frames, if they are few enough. The module does not know the frames.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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


def choose_within(ranges: Sequence[tuple[int, int]], *, looked_at: AbstractSet[int], most: int) -> list[int]:
    """More positions within some ranges, as runs spread evenly: ascending, none that was looked at, at most `most`.

    Parameters
    ----------
    ranges : of (first, last)
        Positions, both included. All get the same share, but none more than it has.
    looked_at : of int
        Positions.
    most : int
    """
    chosen: set[int] = set()
    for number, (first, last) in enumerate(sorted(ranges, key=lambda bounds: bounds[1] - bounds[0])):
        share = (most - len(chosen)) // (len(ranges) - number)
        free = [position for position in range(first, last + 1) if position not in looked_at and position not in chosen]
        if len(free) <= share:
            chosen.update(free)
            continue
        runs = share // RUN_LENGTH
        for run in range(runs):
            begin = (2 * run + 1) * len(free) // (2 * runs) - RUN_LENGTH // 2
            begin = min(max(begin, 0), len(free) - RUN_LENGTH)
            chosen.update(free[begin : begin + RUN_LENGTH])
    return sorted(chosen)


def choose_between(gaps: Sequence[tuple[int, int]], *, most: int) -> list[int]:
    """Positions between two that were looked at, evenly spread over each gap: ascending, at most `most`.

    Parameters
    ----------
    gaps : of (before, after)
        Positions of frames between which something began.
    most : int
    """
    chosen: set[int] = set()
    for number, (before, after) in enumerate(gaps):
        share = (most - len(chosen)) // (len(gaps) - number)
        parts = min(share + 1, after - before)
        chosen.update(before + (after - before) * part // parts for part in range(1, parts))
    return sorted(chosen)
