"""Dates and times made from the numbers in a name.

A time without an offset stays naive here: it is local time of a zone that the name does not tell. `to_utc` gives it
one.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_YEARS = range(1990, 2101)
_YEARS = range(1970, 2101)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2})[-:.]?(?P<minutes>[0-9]{2})")
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTH_WORD = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
"""English words for months, for a regular expression that ignores case."""
_EPOCH_UNITS = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""Units per second of a number of seconds since 1970, by its count of digits in the years 2001 to 2286."""


def make_moment(
    year: int, month: int, day: int, *clock: int, fraction: str = "", offset: str | None = None
) -> datetime | None:
    """The time of these numbers, naive without an offset; None if no calendar or clock shows it.

    `clock`: hour, minute and second; what is not given is 0. 24:00:00 is the beginning of the next day, as some
    recorders write it. `fraction`: the digits after the second.
    """
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    is_end_of_day = (hour, minute, second) == (24, 0, 0)
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        moment = datetime(year, month, day, 0 if is_end_of_day else hour, minute, second, microsecond)
        moment += timedelta(days=is_end_of_day)
        return moment if offset is None else moment.replace(tzinfo=read_offset(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_offset(text: str | None) -> timezone:
    """The zone of an offset such as +02:00; UTC for Z, for None, and for an offset that no time zone has."""
    parts = _OFFSET.fullmatch((text or "").strip(" \0"))
    if not parts or int(parts["hours"]) > 14 or int(parts["minutes"]) > 59:
        return UTC
    utc_offset = timedelta(hours=int(parts["hours"]), minutes=int(parts["minutes"]))
    return timezone(utc_offset if parts["sign"] == "+" else -utc_offset)


def has_offset(text: str | None) -> bool:
    """Whether a text is a readable offset, or Z."""
    stripped = (text or "").strip(" \0")
    return stripped.upper() == "Z" or _OFFSET.fullmatch(stripped) is not None


def read_epoch(digits: str, *, fraction: str = "") -> datetime | None:
    """The time of a number of seconds, milliseconds, microseconds or nanoseconds since 1970, in the years 1990 to 2100.

    The count of digits tells the unit. `fraction`: the digits after the point of seconds.
    """
    unit = _EPOCH_UNITS.get(len(digits))
    if unit is None:
        return None
    microseconds = int(digits) * 10**6 // unit + (int(fraction[:6].ljust(6, "0")) if fraction and unit == 1 else 0)
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment if moment.year in _EPOCH_YEARS else None


def full_year(digits: str) -> int:
    """The year of four digits, or of two: 70 to 99 are the last century."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= 70 else 2000)


def is_year(year: int) -> bool:
    """Whether a camera may write this year: 1970 to 2100."""
    return year in _YEARS


def month_number(text: str) -> int:
    """The month of digits, or of an English word; 0 for another word."""
    if text.isdigit():
        return int(text)
    return MONTHS.index(text[:3].lower()) + 1 if text[:3].lower() in MONTHS else 0


def clock_hour(hour: int, ampm: str | None) -> int | None:
    """The hour of 0 to 24, where `ampm` says which half of the day; None if that half does not have the hour."""
    half = (ampm or "").upper()[:1]
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return hour if half == "P" and hour > 12 else None  # some write 13:53:37 PM
    return hour % 12 + 12 * (half == "P")


def to_utc(moment: datetime, zone: tzinfo | None) -> datetime | None:
    """A time in UTC; one without an offset is local time of `zone`, without that UTC.

    Of an hour that happens twice, when clocks go back, the first one counts. None if it is outside of what a calendar
    has.
    """
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone or UTC, fold=0)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def happens_twice(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether clocks of the zone show this local time twice."""
    if moment.tzinfo is not None or zone is None:
        return False
    try:
        first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    except (ValueError, OverflowError):
        return False
    return first is not None and second is not None and first > second
