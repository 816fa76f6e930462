"""Whether folders of two digits are the hours of some time zone, where names say times in UTC."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple, Self

from indexer.domain.naming.doubts import MIN_HOURS

_QUARTER_S, _HOUR_S = 900, 3600
_ZONES = range(-12 * 4, 14 * 4 + 1)
"""The offsets of time zones from UTC, in quarters of an hour."""
_QUARTERS = 4
FULL_HOUR_S = 120
"""A file so near to the full hour may come to lie in the folder of either hour."""
_MAX_CHANNELS = 16
_MIN_HOURS_LIKE_CHANNELS = 3


class ZoneHours(NamedTuple):
    """Whether folders are the hours of a time zone; `are_hours` None: there are too few of them.

    `offsets_s`: those of the zone from UTC, in seconds: one, or two where clocks change between summer and winter.
    """

    are_hours: bool | None = None
    offsets_s: tuple[int, ...] = ()


def find_hours_of_a_zone(days: Iterable[Mapping[int, Sequence[float]]]) -> ZoneHours:
    """Whether most folders agree with one time zone on most days.

    `days`: the first and last time in each folder of a day, in seconds since midnight UTC, by the folder's number.
    """
    folders = [(number, _Fit.of(number, *span)) for spans in days for number, span in spans.items()]
    counts = Counter(number for number, _ in folders)
    if len(counts) < MIN_HOURS:
        return ZoneHours()
    zones = _find_zones(folders)
    fitting = Counter(number for number, fit in folders if fit.zones & zones)
    agreeing = {number for number, count in counts.items() if 2 * fitting[number] > count}
    if 2 * len(agreeing) <= len(counts):
        return ZoneHours(False)
    if are_numbered_like_channels(counts.keys()) and len(agreeing) < _MIN_HOURS_LIKE_CHANNELS:
        return ZoneHours()
    return ZoneHours(True, tuple(sorted(zone * _QUARTER_S for zone in zones)))


def lies_in_hour(hour: int, second: float, offset_s: int) -> bool:
    """Whether a time, in seconds since midnight UTC, is in an hour of a zone, or almost, as at the full hour."""
    return -FULL_HOUR_S <= second + offset_s - hour * _HOUR_S <= _HOUR_S + FULL_HOUR_S


class _Fit(NamedTuple):
    """The zones with which a folder agrees: those in which the middle of its times, and those in which all of them, lie
    in its hour."""

    zones: Set[int]
    strict_zones: Set[int]

    @classmethod
    def of(cls, hour: int, first_s: float, last_s: float) -> Self:
        """The zones of a folder with these times; none if they are more than an hour apart."""
        if last_s - first_s > _HOUR_S + FULL_HOUR_S:
            return cls(frozenset(), frozenset())
        start = math.ceil((hour * _HOUR_S - (first_s + last_s) / 2) / _QUARTER_S)
        zones = frozenset(zone for zone in range(start, start + 4) if zone in _ZONES)
        times = (first_s, last_s)
        return cls(zones, {zone for zone in zones if all(lies_in_hour(hour, s, zone * _QUARTER_S) for s in times)})


def _find_zones(folders: Sequence[tuple[int, _Fit]]) -> Set[int]:
    """The zone of most folders, and the one an hour beside it in which enough others lie, as by summer time."""
    zones, strict = (Counter(zone for _, fit in folders for zone in fit[at]) for at in (0, 1))
    if not zones:
        return frozenset()
    best = max(sorted(zones), key=lambda zone: (zones[zone], strict[zone], zone % _QUARTERS == 0, zone % 2 == 0))
    others = [
        (len({number for number, fit in folders if zone in fit.zones and best not in fit.zones}), zone)
        for zone in (best - _QUARTERS, best + _QUARTERS)
    ]
    count, beside = max(others)
    return {best, beside} if count >= _MIN_HOURS_LIKE_CHANNELS else {best}


def are_numbered_like_channels(numbers: Set[int]) -> bool:
    """Whether numbers count from 0 or 1 on, up to 16 of them."""
    return len(numbers) <= _MAX_CHANNELS and numbers in (set(range(len(numbers))), set(range(1, len(numbers) + 1)))
