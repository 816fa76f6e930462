"""Whether folders of two digits are the hours of some time zone, where names say times in UTC."""

import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import NamedTuple, Self

from indexer.domain.naming.doubts import MIN_HOURS

_QUARTER_S, _HOUR_S = 900, 3600
_ZONES = range(-12 * 4, 14 * 4 + 1)
"""The offsets of time zones from UTC, in quarters of an hour."""
_QUARTERS = 4
FULL_HOUR_S = 120
"""A file so near to the full hour may come to lie in the folder of either hour."""
_MAX_CHANNELS = 16
MIN_HOURS_ALONE = 3
"""So many folders show hours, whatever their numbers are."""


class ZoneHours(NamedTuple):
    """Whether folders are the hours of a time zone; `are_hours` None: there are too few of them.

    `offsets_s`: those of the zone from UTC, in seconds: one, or two where clocks change between summer and winter; also
    where most of too few folders agree with one.
    """

    are_hours: bool | None = None
    offsets_s: tuple[int, ...] = ()


def find_hours_of_a_zone(days: Iterable[Mapping[int, Sequence[float]]]) -> ZoneHours:
    """Whether most folders agree with one time zone on most days.

    `days`: the first and last time in each folder of a day, in seconds since midnight UTC, by the folder's number.
    """
    days = list(days)
    fits = [{number: _Fit.of(number, *span) for number, span in spans.items()} for spans in days]
    counts = Counter(itertools.chain.from_iterable(fits))
    if len(counts) < MIN_HOURS:
        return ZoneHours()
    zones = _find_zones(fits)
    offsets_s = tuple(sorted(zone * _QUARTER_S for zone in zones))
    agreeing = _list_agreeing(fits, zones, counts)
    if 2 * len(agreeing) <= len(counts):  # on few days before and after a change of clocks, nothing tells
        shifted = {zone + shift for zone in zones for shift in (-_QUARTERS, 0, _QUARTERS)}
        may_agree = 2 * len(_list_agreeing(fits, shifted, counts)) > len(counts)
        return ZoneHours(None, offsets_s) if may_agree else ZoneHours(False)
    times = [time for spans in days for number, span in spans.items() if number in agreeing for time in span]
    may_be_channels = len(agreeing) < len(counts) or are_numbered_like_channels(counts.keys())
    if not are_enough_hours(len(agreeing), times, may_be_channels=may_be_channels):
        return ZoneHours(None, offsets_s)
    return ZoneHours(True, offsets_s)


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


def _find_zones(days: Sequence[Mapping[int, _Fit]]) -> Sequence[int]:
    """The zone of most folders, and the one an hour beside it in which other days lie, as by summer time."""
    fits = [fit for day in days for fit in day.values()]
    zones, strict = (Counter(zone for fit in fits for zone in fit[at]) for at in (0, 1))
    best = max(sorted(zones), key=lambda zone: (zones[zone], strict[zone], zone % _QUARTERS == 0), default=0)
    numbers = {
        zone: {number for day in days if len(_list_fitting(day, zone)) == len(day) >= MIN_HOURS for number in day}
        for zone in (best - _QUARTERS, best + _QUARTERS)
    }
    beside = max(numbers, key=lambda zone: len(numbers[zone]))
    return (best, beside) if len(numbers[beside]) >= MIN_HOURS_ALONE else (best,)


def _list_agreeing(days: Iterable[Mapping[int, _Fit]], zones: Collection[int], counts: Counter[int]) -> Set[int]:
    """The folders that agree on most days with one of these zones, each day with that of most of its folders."""
    fitting = Counter(number for day in days for number in max((_list_fitting(day, zone) for zone in zones), key=len))
    return {number for number, count in counts.items() if 2 * fitting[number] > count}


def _list_fitting(day: Mapping[int, _Fit], zone: int) -> Sequence[int]:
    """The folders of a day that agree with a zone."""
    return [number for number, fit in day.items() if zone in fit.zones]


def are_enough_hours(count: int, times_s: Collection[float], *, may_be_channels: bool) -> bool:
    """Whether so many folders, each with its times in its hour, are enough to show hours.

    Three are. Two are if they are not numbered like channels, and if their times are an hour or more apart: two
    channels that are written one after the other look like hours, too.
    """
    are_two_enough = not may_be_channels and max(times_s) - min(times_s) >= _HOUR_S
    return count >= (MIN_HOURS if are_two_enough else MIN_HOURS_ALONE)


def are_numbered_like_channels(numbers: Set[int]) -> bool:
    """Whether numbers count from 0 or 1 on, up to 16 of them."""
    return len(numbers) <= _MAX_CHANNELS and numbers in (set(range(len(numbers))), set(range(1, len(numbers) + 1)))
