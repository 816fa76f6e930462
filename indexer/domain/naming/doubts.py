"""What numbers in the names of several files mean that one name leaves in doubt. The rules stand in `siblings`."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from indexer.domain.naming.moments import make_moment, to_utc
from indexer.domain.naming.stamps import Doubt

_EPOCH_SPAN = timedelta(days=5 * 366)
_MIN_TIMES = 3
"""The fewest numbers after a date that can be taken for times."""
_MIN_HOUR_MINUTES = 6
"""The fewest numbers below a date that can; three numbers are below 60 by chance in one of five folders."""
_WRITTEN_S = 600
"""So soon after an image was taken its file is written."""
MIN_EPOCHS = 2
_FIRST_YEAR = 2000
_LEAP_YEAR = 2000
_HOURS = 24
_HOUR_S = 3600
DAY_OF_ZONES_S = (-14 * _HOUR_S, 38 * _HOUR_S)
"""The seconds since midnight UTC in which a date is today somewhere."""
MIN_HOURS = 2
HOUR_AFTER_CHANGES = 4
"""Clocks go back and forth at night, before this hour."""


def is_day_first(doubts: Iterable[Doubt]) -> bool | None:
    """Whether the day comes first in dates that allow both orders; None: nothing, or not all, tells."""
    votes = {doubt.moment is not None for doubt in doubts if (doubt.moment is None) != (doubt.other is None)}
    return votes.pop() if len(votes) == 1 else None


def are_epochs(doubts: Sequence[Doubt], written: Iterable[tuple[datetime, float]]) -> bool:
    """Whether numbers of ten digits are seconds since 1970: several, within five years, and no dates.

    A lone one is if its file was written then; `written`: as in `are_times`.
    """
    moments = {doubt.moment for doubt in doubts if doubt.moment is not None}
    if not moments or len(moments) < len({doubt.number for doubt in doubts}):
        return False
    if len(moments) < MIN_EPOCHS and not all(is_written_soon(moment, mtime_s) for moment, mtime_s in written):
        return False
    if max(moments) - min(moments) > _EPOCH_SPAN:
        return False
    digits = {doubt.number for doubt in doubts}
    return not any(map(_begins_with_date, digits)) and not all(map(_is_date_without_year, digits))


def is_written_soon(moment: datetime, mtime_s: float) -> bool:
    """Whether a file was written when an image of this time was taken, or soon after; without an offset it is UTC."""
    aware = to_utc(moment, None)
    return aware is not None and 0 <= mtime_s - aware.timestamp() <= _WRITTEN_S


def _begins_with_date(digits: str) -> bool:
    """Whether ten digits are a date from 2000 on and two more: as seconds they are of 2033 or later."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    return year >= _FIRST_YEAR and make_moment(year, month, day) is not None


def _is_date_without_year(digits: str) -> bool:
    """Whether ten digits are month, day, hour, minute and second, as `raspistill -dt` writes them."""
    month, day, *clock = (int(digits[start : start + 2]) for start in range(0, 10, 2))
    return clock[0] < _HOURS and make_moment(_LEAP_YEAR, month, day, *clock) is not None


def are_times(doubts: Sequence[Doubt], written: Iterable[tuple[datetime, float]]) -> bool:
    """Whether numbers after a date are times; `written`: what they mean, with the modification times in seconds."""
    numbers = sorted({doubt.number for doubt in doubts})
    if len(numbers) < _MIN_TIMES or any(doubt.moment is None for doubt in doubts):
        return False
    is_counting = all(int(after) - int(before) == 1 for before, after in itertools.pairwise(numbers))
    return len({number[:2] for number in numbers}) > 1 and not is_counting and not _are_written_otherwise(written)


def find_order(doubts: Collection[Doubt]) -> int | None:
    """The only order in which all of several dates with a year of two digits are dates; None if it is not one."""
    if len({doubt.orders for doubt in doubts}) < _MIN_TIMES:
        return None
    possible = [at for at, moments in enumerate(zip(*(doubt.orders for doubt in doubts), strict=True)) if all(moments)]
    return possible[0] if len(possible) == 1 else None


def are_hour_minutes(doubts: Sequence[Doubt], written: Iterable[tuple[datetime, float]]) -> bool | None:
    """Whether numbers below a date are hour and minute, None: nothing tells; `written`: as in `are_times`."""
    numbers = sorted({int(doubt.number) for doubt in doubts})
    steps = {high - low for low, high in itertools.pairwise(numbers)}
    if any(doubt.moment is None for doubt in doubts) or (len(steps) == 1 and min(steps) % 100):
        return False
    if len(numbers) < _MIN_HOUR_MINUTES or len({number // 100 for number in numbers}) < MIN_HOURS:
        return None
    if all(_counts_up(minutes) for _, minutes in itertools.groupby(numbers, key=lambda number: number // 100)):
        return None
    return not _are_written_otherwise(written)


def _counts_up(numbers: Iterable[int]) -> bool:
    """Whether the minutes of an hour only count from 0 or 1 on, as the frames of an event do, and end early."""
    minutes = [number % 100 for number in numbers]
    return minutes[0] <= 1 and minutes[-1] < 59 and len(minutes) == minutes[-1] - minutes[0] + 1


def _are_written_otherwise(written: Iterable[tuple[datetime, float]]) -> bool:
    """Whether files of a day were written on that day, over more than an hour, and not as their numbers say.

    A time zone shifts all of them alike.
    """
    shifts: dict[datetime, list[tuple[float, float]]] = defaultdict(list)
    for moment, mtime_s in written:
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        shifts[day].append((mtime_s - day.timestamp(), mtime_s - moment.replace(tzinfo=UTC).timestamp()))
    for pairs in shifts.values():
        seconds, shift = [second for second, _ in pairs], [shift for _, shift in pairs]
        is_of_day = all(DAY_OF_ZONES_S[0] <= second < DAY_OF_ZONES_S[1] for second in seconds)
        if is_of_day and max(seconds) - min(seconds) > _HOUR_S and max(shift) - min(shift) > _HOUR_S:
            return True
    return False
