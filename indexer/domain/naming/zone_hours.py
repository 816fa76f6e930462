"""Whether folders of two digits are the hours of some time zone, where names say times in UTC."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from indexer.domain.naming.doubts import MIN_HOURS

_QUARTER_S, _HOUR_S = 900, 3600
_ZONES = range(-12 * 4, 14 * 4 + 1)
"""The offsets of time zones from UTC, in quarters of an hour."""
_LONGEST_S = _HOUR_S + 120
"""A file at the full hour may come to lie in the folder of either."""
_MAX_CHANNELS = 16
_MIN_HOURS_LIKE_CHANNELS = 3


def are_hours_of_a_zone(days: Iterable[Mapping[int, Sequence[float]]]) -> bool | None:
    """Whether most folders agree with one time zone on most days; None: there are too few of them.

    `days`: the first and last time in each folder of a day, in seconds since midnight UTC, by the folder's number.
    """
    fitting: dict[int, Counter[int]] = defaultdict(Counter)
    counts = Counter[int]()
    for spans in days:
        for number, (first, last) in spans.items():
            counts[number] += 1
            for zone in _list_zones(number, first, last):
                fitting[zone][number] += 1
    if len(counts) < MIN_HOURS:
        return None
    best = max(fitting.values(), key=Counter.total, default=Counter[int]())
    agreeing = {number for number, count in counts.items() if 2 * best[number] > count}
    if 2 * len(agreeing) <= len(counts):
        return False
    return None if are_numbered_like_channels(counts.keys()) and len(agreeing) < _MIN_HOURS_LIKE_CHANNELS else True


def are_numbered_like_channels(numbers: Set[int]) -> bool:
    """Whether numbers count from 0 or 1 on, up to 16 of them."""
    return len(numbers) <= _MAX_CHANNELS and numbers in (set(range(len(numbers))), set(range(1, len(numbers) + 1)))


def _list_zones(hour: int, first_s: float, last_s: float) -> Iterable[int]:
    """The time zones in which the middle of a span lies in an hour of the day; none if the span is longer."""
    if last_s - first_s > _LONGEST_S:
        return ()
    start = math.ceil((hour * _HOUR_S - (first_s + last_s) / 2) / _QUARTER_S)
    return (zone for zone in range(start, start + 4) if zone in _ZONES)
