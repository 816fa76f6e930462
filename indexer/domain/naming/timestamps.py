"""Text that a pattern's group found, read as a date, a time of day, or both, in all forms that can have one meaning.

The text is known to be a time. So what a file name alone could not decide, ten digits or a time to the minute, can be
read here: ten digits are an hour where a calendar has it, else seconds since 1970.
"""

import re
from datetime import datetime, timedelta

from indexer.domain.naming.folders import Date
from indexer.domain.naming.moments import (
    MONTH_WORD,
    clock_hour,
    full_year,
    is_year,
    make_moment,
    month_number,
    read_epoch,
)

TextDate = tuple[Date | None, Date | None]
"""A date with the day first, or of one meaning; and with the month first, if it may mean that, too."""
TimeOfDay = tuple[int, int, int, str, str | None]
"""Hour, minute, second, digits of the fraction, offset."""

_DATE_FORMS = re.compile(
    rf"""
    (?P<year>[0-9]{{4}}) (?: (?P<s>[-_./ :]) (?P<month>[0-9]{{1,2}}) (?P=s) (?P<day>[0-9]{{1,2}}) (?![0-9])
                           | Y (?P<month_y>[0-9]{{1,2}}) M (?P<day_y>[0-9]{{1,2}}) D
                           | [-_./ ]? (?P<month_word>{MONTH_WORD}) [-_./ ]? (?P<day_word>[0-9]{{1,2}}) (?![0-9]) )
    | (?P<day_before>[0-9]{{1,2}}) [-_./ ]? (?P<month_between>{MONTH_WORD}) [-_./ ,]{{0,2}}
      (?P<year_last>[0-9]{{4}}|[0-9]{{2}})
      (?![0-9])
    | (?P<month_before>{MONTH_WORD}) [-_./ ]? (?P<day_between>[0-9]{{1,2}}) [-_./ ,]{{1,2}}
      (?P<year_after>[0-9]{{4}}|[0-9]{{2}})
      (?![0-9])
    | (?P<a>[0-9]{{1,2}}) (?P<s2>[-_./ ]) (?P<b>[0-9]{{1,2}}) (?P=s2) (?P<year_end>[0-9]{{4}}) (?![0-9])
    | (?P<short_year>[0-9]{{2}}) (?P<s3>[-_./ ]) (?P<short_month>[0-9]{{2}}) (?P=s3) (?P<short_day>[0-9]{{2}}) (?![0-9])
    | (?P<digits>[0-9]{{8}}|[0-9]{{7}}|[0-9]{{6}}) (?![0-9])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME_FORM = re.compile(
    r"""
    (?P<hour>[0-9]{1,2}) (?: [-_.:/, ]? (?:h|H)? [-_.:/, ]{0,2} (?:[A-Za-z][0-9](?=[0-9]{2}M))? (?P<minute>[0-9]{2})
        (?: [-_.:/, ]? (?:m(?!$)|min)? [-_.:/, ]{0,2} (?P<second>[0-9]{2}) s? )? [hm]? | h )
    (?: (?: [.,_]? | -(?=[0-9]{3}(?![0-9])) ) (?P<fraction>[0-9]{1,9}) (?![0-9]) )?
    (?: [ _\u00a0\u2009\u202f-]? (?P<ampm>[AP]\.?[ ]?M\.?) | [ _]? ) [ ]? (?P<offset> Z | [+-][0-9]{2}[-:.]?[0-9]{2} )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ONLY_DIGITS = re.compile(
    r"(?P<digits>[0-9]+)(?:[.,](?P<fraction>[0-9]{1,9}))?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?", re.IGNORECASE
)
_BETWEEN = re.compile(r"(?:[-_.:/,@ ]*|T|_T_|[ ]at[ ]|/(?:.*/)?[^0-9/]*)", re.IGNORECASE | re.DOTALL)
_JOINED = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})([0-9]{1,3}|[0-9]{6})?)?)?)?"
)
_JOINED_SHORT = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_ISO_WEEK = re.compile(r"[0-9]{4}-?W[0-9]{2}-?[0-9].+", re.IGNORECASE)


def read_timestamp(text: str) -> tuple[datetime | None, datetime | None]:
    """The time of a text, naive without an offset, and its other meaning if the day or the month may be first."""
    text = text.strip()
    if (only := _ONLY_DIGITS.fullmatch(text)) is not None and (moment := _read_only_digits(only)) is not None:
        return moment, None
    if _ISO_WEEK.fullmatch(text):
        return _read_iso(text), None
    date = _DATE_FORMS.match(text)
    if date is None:
        return None, None
    dates = _read_date_match(date)
    rest = text[date.end() :]
    if not rest:
        time: TimeOfDay | None = (0, 0, 0, "", None)
    else:
        time = _time_at_end(rest)
    if time is None:
        return None, None
    hour, minute, second, fraction, offset = time
    first, other = (
        None if one is None else make_moment(*one, hour, minute, second, fraction=fraction, offset=offset)
        for one in dates
    )
    return (first, other) if first is not None else (other, None)


def read_date(text: str) -> TextDate:
    """The date of a text; both are None if it has none."""
    match = _DATE_FORMS.fullmatch(text.strip())
    return (None, None) if match is None else _read_date_match(match)


def read_time_of_day(text: str) -> TimeOfDay | None:
    """The time of day of a text; None if it has none. Minutes and seconds that it does not have are 0."""
    match = _TIME_FORM.fullmatch(text.strip())
    if match is None:
        return None
    hour = clock_hour(int(match["hour"]), match["ampm"])
    if hour is None:
        return None
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    return hour, minute, second, match["fraction"] or "", match["offset"]


def read_epoch_text(text: str) -> datetime | None:
    """The time of a number since 1970, with or without a fraction of seconds."""
    digits, _, fraction = text.strip().replace(",", ".").partition(".")
    if not (digits.isascii() and digits.isdecimal() and (not fraction or fraction.isdecimal())):
        return None
    if len(digits) in {9, 12, 15, 18}:  # before September 2001
        digits = f"0{digits}"
    return read_epoch(digits, fraction=fraction)


def _time_at_end(rest: str) -> TimeOfDay | None:
    """The time of day at the end of what follows a date, whatever folders stand between."""
    for start in range(len(rest)):
        if rest[start].isdecimal() and _BETWEEN.fullmatch(rest[:start]) and (time := read_time_of_day(rest[start:])):
            return time
    return None


def _read_only_digits(match: re.Match[str]) -> datetime | None:
    digits, fraction, offset = match["digits"], match["fraction"] or "", match["offset"]
    joined = _JOINED.fullmatch(digits)
    if joined is not None and is_year(int(joined[1])):
        numbers = [int(number or 0) for number in joined.groups()[:6]]
        moment = make_moment(*numbers, fraction=joined[7] or fraction, offset=offset)
        if moment is not None:
            return moment
    if len(digits) == 12 and (short := _JOINED_SHORT.fullmatch(digits)):
        return make_moment(full_year(short[1]), *map(int, short.groups()[1:]), fraction=fraction, offset=offset)
    return None if offset else read_epoch(digits, fraction=fraction)


def _read_date_match(match: re.Match[str]) -> TextDate:
    if match["digits"]:
        return _read_date_digits(match["digits"]), None
    if match["a"]:
        year, a, b = int(match["year_end"]), int(match["a"]), int(match["b"])
        day_first, month_first = _date(year, b, a), _date(year, a, b)
        return (day_first or month_first, month_first if day_first and day_first != month_first else None)
    parts = [
        next(match[name] for name in names if match[name])
        for names in (
            ("year", "year_last", "year_after", "short_year"),
            ("month", "month_y", "month_word", "month_between", "month_before", "short_month"),
            ("day", "day_y", "day_word", "day_before", "day_between", "short_day"),
        )
    ]
    return _date(full_year(parts[0]), month_number(parts[1]), int(parts[2])), None


def _read_date_digits(digits: str) -> Date | None:
    if len(digits) == 7:
        year, day_of_year = int(digits[:4]), int(digits[4:])
        if not is_year(year) or not 1 <= day_of_year <= 366:
            return None
        date = datetime(year, 1, 1) + timedelta(days=day_of_year - 1)
        return (date.year, date.month, date.day) if date.year == year else None
    year_digits = 4 if len(digits) == 8 else 2
    month, day = digits[year_digits : year_digits + 2], digits[year_digits + 2 :]
    return _date(full_year(digits[:year_digits]), int(month), int(day))


def _date(year: int, month: int, day: int) -> Date | None:
    return (year, month, day) if is_year(year) and make_moment(year, month, day, 0, 0, 0) is not None else None


def _read_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment
