"""A time that stands in a file name: its place, what it means, and what one name leaves in doubt."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from indexer.domain.naming.folders import Date
from indexer.domain.naming.moments import clock_hour, make_moment


class DoubtKind(Enum):
    """What one name cannot decide."""

    DAY_OR_MONTH = "day or month first"
    TEN_DIGITS = "seconds since 1970, or another number"
    FOUR_DIGITS = "a time to the minute, or a counter"
    SIX_DIGITS = "a time of day, or a counter"
    HOUR_MINUTE = "hour and minute below a date, or numbers"
    OFFSET = "an offset of a time zone, or a counter"
    SHORT_YEAR = "a date whose year has two digits"


class Doubt(NamedTuple):
    """A time that one name cannot decide.

    `moment`: what it means if it is a time, with the day first, or with the offset; None if it cannot mean that.
    `other`: what else, with the month first, or without the offset. `number`: the digits in doubt. `orders`: of a date
    whose year has two digits, what it means with the year, the day and the month first.
    """

    kind: DoubtKind
    moment: datetime | None
    other: datetime | None
    number: str
    orders: tuple[datetime | None, ...] = ()


class Stamp(NamedTuple):
    """A time in a file name: its place, and what it means.

    With a doubt `moment` is None unless only one meaning is possible. `may_lack_hour`: the hour is from a folder, and
    the two numbers of the file name may be hour and minute instead of minute and second.
    """

    start: int
    end: int
    moment: datetime | None
    doubt: Doubt | None = None
    may_lack_hour: bool = False


def make_doubt(match: re.Match[str], day_first: datetime | None, month_first: datetime | None) -> Stamp:
    """A stamp with a date of either order; it is decided where only one order is a date, or where both are one."""
    certain = (
        None
        if day_first is not None and month_first is not None and day_first != month_first
        else day_first or month_first
    )
    doubt = None if day_first == month_first else Doubt(DoubtKind.DAY_OR_MONTH, day_first, month_first, match[0])
    return Stamp(match.start(), match.end(), certain, doubt)


def make_short_year(match: re.Match[str], dates: Iterable[Date | None], clock: Iterable[int]) -> Stamp | None:
    """The stamp of a time of day on one of these dates, in the orders of `read_short_date`; None if there is none."""
    clock = tuple(clock)
    orders = tuple(None if date is None else make_moment(*date, *clock) for date in dates)
    moment = next((moment for moment in orders if moment is not None), None)
    doubt = Doubt(DoubtKind.SHORT_YEAR, moment, None, match[0], orders)
    return None if moment is None else Stamp(match.start(), match.end(), None, doubt)


def hour_of(hour: int, in_name: str | None, in_folder: str) -> int | None:
    """The hour of 0 to 24 where a name, or else a folder, may say which half of the day it is."""
    if in_name or not in_folder:
        return clock_hour(hour, in_name)
    return clock_hour(hour, in_folder) if 1 <= hour <= 12 else hour


def read_clock(match: re.Match[str], year: int, month: int, day: int, *, ampm: str = "") -> datetime | None:
    """The time of day of a match, on a date; `ampm`: which half of the day a folder says."""
    names = match.re.groupindex
    digits = [
        match[name] or (match[f"{name}2"] if f"{name}2" in names else None) for name in ("hour", "minute", "second")
    ]
    hour = hour_of(int(digits[0] or 0), match["ampm"], ampm)
    if hour is None:
        return None
    clock = (hour, int(digits[1] or 0), int(digits[2] or 0))
    return make_moment(year, month, day, *clock, fraction=match["fraction"] or "")
