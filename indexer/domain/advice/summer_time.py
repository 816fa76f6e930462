"""Changes to summer time and back, by the rules that most countries with it follow.

Nobody says in which country a camera stands, so that a change in any of them counts. Countries with one rule change
their clocks some hours apart.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ZONES = (  # one for each rule
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Asia/Jerusalem",
    "Asia/Beirut",
    "Africa/Cairo",
)
_SLACK = timedelta(hours=12)  # other zones with one of these rules change hours earlier or later
_AN_HOUR = timedelta(hours=1)
_MIN_FOLLOWING_SHARE = 0.8
_NEXT_TO_CHANGE = 10  # hours on either side of a change that are compared


def has_clock_change(begin: datetime, end: datetime) -> bool:
    """Whether clocks are changed somewhere from half a day before a time to half a day after another."""
    return any(_summer_hours(begin - _SLACK, zone) != _summer_hours(end + _SLACK, zone) for zone in _zones())


def has_repeated_hour(begin: datetime, end: datetime) -> bool:
    """Whether clocks go back somewhere from half a day before a time to half a day after another: local times of an
    hour happen twice then, and nobody can tell which of the two a name means."""
    return any(_summer_hours(begin - _SLACK, zone) > _summer_hours(end + _SLACK, zone) for zone in _zones())


def find_followed(times: Sequence[datetime], hours: Sequence[int]) -> list[int | None] | None:
    """How many of these hours are summer time, if they follow it: 0 or 1 each, None near a change.

    Parameters
    ----------
    times : of datetime
        Ascending.
    hours : of int
        By how many hours a clock was ahead at each time.

    Returns
    -------
    None if the hours do not follow summer time, or if no clock was changed in this time.
    """
    best, most = None, _MIN_FOLLOWING_SHARE
    rules = _summer_hours_by_rule(times) if len(set(hours)) > 1 else ()
    for summer in rules:
        sure = [(ahead, added) for ahead, added in zip(hours, summer, strict=True) if added is not None]
        with_rule = _largest_share([ahead - added for ahead, added in sure])
        is_better = with_rule >= most and with_rule > _largest_share([ahead for ahead, _ in sure])
        if is_better and _changes_with_rule(sure):
            best, most = summer, with_rule
    return best


def _changes_with_rule(sure: Sequence[tuple[int, int]]) -> bool:
    """Whether the hours change at each change of the rule. Without it, a rule of the other half of the world would
    explain most hours of a clock that does not change with its country."""
    by_rule = [ahead - added for ahead, added in sure]
    changes = [index for index, (one, other) in enumerate(pairwise(sure), start=1) if one[1] != other[1]]
    return all(
        _most_common(by_rule[max(index - _NEXT_TO_CHANGE, 0) : index])
        == _most_common(by_rule[index : index + _NEXT_TO_CHANGE])
        for index in changes
    )


def _most_common(values: Sequence[int]) -> int:
    return Counter(values).most_common(1)[0][0]


def _summer_hours_by_rule(times: Sequence[datetime]) -> Iterator[list[int | None]]:
    """For each rule by which clocks changed in this time, the hours that they are ahead; None within half a day of a
    change, or a day."""
    numbers = [1 + (time - times[0]) // _SLACK for time in times]  # of the half days, the first one is before all times
    for zone in _zones():
        ahead = [_summer_hours(times[0] + (number - 1) * _SLACK, zone) for number in range(numbers[-1] + 3)]
        if len(set(ahead)) > 1:
            yield [ahead[number] if ahead[number - 1] == ahead[number + 2] else None for number in numbers]


def _largest_share(values: Sequence[int]) -> float:
    """The share of the most common value, 0 to 1."""
    return Counter(values).most_common(1)[0][1] / len(values) if values else 0.0


def _summer_hours(time: datetime, zone: ZoneInfo) -> int:
    """By how many hours clocks of the zone are ahead of its standard time: 0 or 1."""
    return round((time.astimezone(zone).dst() or timedelta()) / _AN_HOUR)


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    """The zones of `_ZONES`, as far as the system knows them."""
    zones: list[ZoneInfo] = []
    for name in _ZONES:
        with suppress(ZoneInfoNotFoundError, OSError):
            zones.append(ZoneInfo(name))
    return tuple(zones)
