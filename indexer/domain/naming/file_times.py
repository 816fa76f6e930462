"""The time in a file name: where it stands, and what it means.

In the name (without its last extension) the first readable time counts:

- 13 digits: milliseconds since 1970, in the years 1990 to 2100 (``c10-1623871098865``); ten digits with a fraction:
  seconds (``front-1714566645.123456-abc123``); 19 digits of the years 2001 to 2030: nanoseconds;
- a date and a time to the second, with or without ``-``, ``_`` or ``.`` between the parts; between date and time
  ``-``, ``_``, ``.``, a space, two of them, or ``T``; then optionally 3 or 6 digits of a fraction, a counter of 4
  digits, or AM or PM (``c21_2021_03_27__12_53_37``, ``gate 2-20210327-125337.250``, ``G4 2024-05-01 1.05.09 PM``);
- a date with a month in English, or with the year last;
- to the second, the rest of a time whose date, hour and minute are folders (``2024-05-01/12/30/45.jpg``);
- names that only one maker writes (`indexer.domain.naming.schemes`).

What one name cannot decide is a `Doubt`: the day or the month first, ten digits (seconds since 1970, or an hour), four
or six digits after a date (a time, or a counter), four digits behind ``-`` after a time (an offset, or a counter), a
year of two digits.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from indexer.domain.naming.folders import Date, FolderFacts, read_short_date, short_dates
from indexer.domain.naming.moments import MONTH_WORD, clock_hour, make_moment, month_number, read_epoch, read_offset

_STAMP = re.compile(
    r"""
    (?: (?<![0-9A-Z]) (?: (?P<epoch_s>[0-9]{10})\.(?P<epoch_fraction>[0-9]{3,9}|[0-9]{1,2}(?=-[0-9a-z]{4}))
                          | (?P<epoch>[0-9]{13}|1[0-8][0-9]{17}) )
    |   (?<![0-9])
        (?P<year>19[7-9][0-9]|20[0-9]{2}|2100) (?P<dash>[-_.])? (?P<month>0[1-9]|1[0-2]) (?(dash)(?P=dash))
        (?P<day>0[1-9]|[12][0-9]|3[01])
        (?: (?P<t>T) | [-_. ]{1,2} | (?(dash)(?!)) )
        (?P<hour>[01][0-9]|2[0-4]) (?P<colon>[-_.:])? (?P<minute>[0-5][0-9]) (?(colon)(?P=colon)) (?P<second>[0-5][0-9])
        (?: [-_.,]? (?P<fraction>[0-9]{3}(?:[0-9]{3})?) (?![0-9]) | [0-9]{4} (?![0-9])
          | (?(t)\.(?P<any_fraction>[0-9]{1,9})|(?!)) )?
        (?: [ _-]? (?P<ampm>[AP]\.?[ ]?M\.?) )?
        (?P<offset> Z | (?(t)[+-](?:0[0-9]|1[0-4])[-:.]?(?:00|15|30|45)|(?!)) )?
    ) (?![0-9A-Z])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME = r"""
    (?: (?P<hour>[0-9]{1,2}) (?: [-_.:] | [ ]?h[ ]? ) (?P<minute>[0-9]{2}) (?: [-_.:] | [ ]?m(?:in)?[ ]? )
        (?P<second>[0-9]{2})
      | (?P<hour2>[0-9]{2}) (?P<minute2>[0-9]{2}) (?P<second2>[0-9]{2}) )
    s? (?: [.,] (?P<fraction>[0-9]{3}(?:[0-9]{3})?) )? (?: [ _-]? (?P<ampm>[AP]\.?[ ]?M\.?) )?
    (?![0-9A-Z])
"""
_OTHER_DATE = re.compile(
    rf"""
    (?<![0-9])
    (?: (?P<year>19[7-9][0-9]|20[0-9]{{2}}|2100)
        (?: (?P<iso_dash>[-_.]) (?P<month>[0-9]{{1,2}}) (?P=iso_dash) (?P<day>[0-9]{{1,2}})
          | [-_. ]? (?P<month_word>{MONTH_WORD}) [-_. ]? (?P<day_word>[0-9]{{1,2}}) )
      | (?P<day_before>[0-9]{{1,2}}) [-_. ]? (?P<month_between>{MONTH_WORD}) [-_. ,]{{0,2}}
        (?P<year_last>19[7-9][0-9]|20[0-9]{{2}})
      | (?P<month_before>{MONTH_WORD}) [-_. ]? (?P<day_between>[0-9]{{1,2}}) [-_. ,]{{1,2}}
        (?P<year_after>19[7-9][0-9]|20[0-9]{{2}})
      | (?P<a>[0-9]{{1,2}}) (?P<dash>[-_.]) (?P<b>[0-9]{{1,2}}) (?P=dash) (?P<year_end>19[7-9][0-9]|20[0-9]{{2}}|2100) )
    (?: T | [-_. ,@]{{1,3}} | [ ]at[ ] )
    {_TIME}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME_OF_DAY = re.compile(
    r"""
    (?<![0-9A-Z])
    (?P<hour>[0-9]{1,2}) (?: (?P<dash>[-_.:]) (?P<minute>[0-9]{2}) (?P=dash) (?P<second>[0-9]{2})
                           | h (?P<minute2>[0-9]{2}) m (?P<second2>[0-9]{2}) s? )
    (?: [.,] (?P<fraction>[0-9]{3}(?:[0-9]{3})?) )? (?: [ _-]? (?P<ampm>[AP]\.?[ ]?M\.?) )?
    (?![0-9A-Z])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SIX_DIGITS = re.compile(r"(?<![0-9])([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9A-Za-z])")
_MINUTE_SECOND = re.compile(
    r"(?P<event>E[0-9])?(?P<minute>[0-5][0-9])(?:(?P<sign>[-_.:])|M)(?P<second>[0-5][0-9])(?:S[0-9]{0,2})?"
    r"(?![0-9A-Za-z])"
)
_HOURS = 24
_HOUR_MINUTE = re.compile(r"(?P<hour>[0-9]{2})[-.:h]?(?P<minute>[0-9]{2})(?![0-9A-Za-z])")
_OFFSET_OR_COUNTER = re.compile(r"-(?P<number>[0-9]{4})(?![0-9A-Za-z])")
_SHORT_YEAR = re.compile(
    r"""
    (?<![0-9]) (?P<a>[0-9]{2}) (?P<dash>[-_.]?) (?P<b>[0-9]{2}) (?P=dash) (?P<c>[0-9]{2}) [-_ T.,]{0,2}
    (?P<hour>[01][0-9]|2[0-3]) (?P<colon>[-_.: ]?) (?P<minute>[0-5][0-9]) (?P=colon) (?P<second>[0-5][0-9])
    (?: [0-9]{2,3} )? (?![0-9])
    """,
    re.VERBOSE,
)
_SECOND = re.compile(r"(?P<second>[0-5][0-9])(?![0-9A-Za-z])")
_TEN_DIGITS = re.compile(r"(?:^[A-Za-z]+|(?<![0-9A-Za-z]))(?P<digits>[0-9]{10})(?![0-9A-Za-z])")
_TO_THE_MINUTE = re.compile(
    r"""
    (?<![0-9])
    (?P<year>19[7-9][0-9]|20[0-9]{2}|2100) (?P<dash>[-_.])? (?P<month>0[1-9]|1[0-2]) (?(dash)(?P=dash))
    (?P<day>0[1-9]|[12][0-9]|3[01])
    (?: (?P<t>T) | [-_. ]{1,2} | (?(dash)(?!)) )
    (?P<hour>[0-9]{2}) (?P<colon>[-_.:h])? (?P<minute>[0-9]{2}) (?![0-9A-Z])
    """,
    re.VERBOSE | re.IGNORECASE,
)


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


def find_stamp(stem: str, facts: FolderFacts) -> Stamp | None:
    """The first time in the stem of a file name in folders of which `facts` are known; None if there is none."""
    for match in _STAMP.finditer(stem):
        moment = _read_stamp(match, facts.ampm)
        if moment is not None:
            return _offset_or_counter(match, moment) if match["t"] else Stamp(match.start(), match.end(), moment)
    if not any(map(str.isdecimal, stem)):
        return _with_folder_clock(stem, facts)
    return (
        _find_other_date(stem)
        or _find_time_below_date(stem, facts)
        or _find_minutes(stem)
        or _find_ten_digits(stem)
        or _find_short_year(stem)
    )


def _offset_or_counter(match: re.Match[str], moment: datetime) -> Stamp:
    """The stamp of a time with ``T``; in doubt where four digits behind ``-`` follow, which a counter may be, too."""
    number = _OFFSET_OR_COUNTER.match(match.string, match.start("offset") if match["offset"] else match.end())
    if number is None:
        return Stamp(match.start(), match.end(), moment)
    if not match["offset"]:  # no time zone has it
        return Stamp(match.start(), match.end(), moment, Doubt(DoubtKind.OFFSET, None, moment, number["number"]))
    local = (moment + read_offset(match["offset"]).utcoffset(None)).replace(tzinfo=None)
    return Stamp(match.start(), match.end(), None, Doubt(DoubtKind.OFFSET, moment, local, number["number"]))


def _read_stamp(match: re.Match[str], ampm: str) -> datetime | None:
    """The time of a match; `ampm`: which half of the day a folder says."""
    if match["epoch_s"]:
        return read_epoch(match["epoch_s"], fraction=match["epoch_fraction"])
    if match["epoch"]:
        return read_epoch(match["epoch"])
    hour = _hour_of(int(match["hour"]), match["ampm"], ampm)
    if hour is None:
        return None
    return make_moment(
        int(match["year"]),
        int(match["month"]),
        int(match["day"]),
        hour,
        int(match["minute"]),
        int(match["second"]),
        fraction=match["fraction"] or match["any_fraction"] or "",
        offset=match["offset"],
    )


def _find_other_date(stem: str) -> Stamp | None:
    for match in _OTHER_DATE.finditer(stem):
        if match["a"] is None:
            year = match["year"] or match["year_last"] or match["year_after"]
            month = match["month"] or match["month_word"] or match["month_between"] or match["month_before"]
            day = match["day"] or match["day_word"] or match["day_before"] or match["day_between"]
            moment = _at(match, int(year), month_number(month), int(day))
            if moment is not None:
                return Stamp(match.start(), match.end(), moment)
            continue
        year_number, a, b = int(match["year_end"]), int(match["a"]), int(match["b"])
        day_first, month_first = _at(match, year_number, b, a), _at(match, year_number, a, b)
        if day_first is not None or month_first is not None:
            return make_doubt(match, day_first, month_first)
    return None


def make_doubt(match: re.Match[str], day_first: datetime | None, month_first: datetime | None) -> Stamp:
    """A stamp with a date of either order; it is decided where only one order is a date, or where both are one."""
    certain = (
        None
        if day_first is not None and month_first is not None and day_first != month_first
        else day_first or month_first
    )
    doubt = None if day_first == month_first else Doubt(DoubtKind.DAY_OR_MONTH, day_first, month_first, match[0])
    return Stamp(match.start(), match.end(), certain, doubt)


def _hour_of(hour: int, in_name: str | None, in_folder: str) -> int | None:
    """The hour of 0 to 24 where a name, or else a folder, may say which half of the day it is."""
    if in_name or not in_folder:
        return clock_hour(hour, in_name)
    return clock_hour(hour, in_folder) if 1 <= hour <= 12 else hour


def _at(match: re.Match[str], year: int, month: int, day: int, *, ampm: str = "") -> datetime | None:
    """The time of day of a match, on a date; `ampm`: which half of the day a folder says."""
    names = match.re.groupindex
    digits = [
        match[name] or (match[f"{name}2"] if f"{name}2" in names else None) for name in ("hour", "minute", "second")
    ]
    hour = _hour_of(int(digits[0] or 0), match["ampm"], ampm)
    if hour is None:
        return None
    clock = (hour, int(digits[1] or 0), int(digits[2] or 0))
    return make_moment(year, month, day, *clock, fraction=match["fraction"] or "")


def _find_time_below_date(stem: str, facts: FolderFacts) -> Stamp | None:
    """A time of day in a file name below a folder of a date."""
    if facts.date is None and facts.day_first is None:
        return _find_time_below_short_date(stem, facts)
    time_of_day, rest = _find_time_of_day(stem, facts), _with_folder_clock(stem, facts)
    if time_of_day is not None and (rest is None or time_of_day.start == 0 or rest.end == 0):
        return time_of_day  # a full time of day says more than the rest of one
    return rest or _find_six_digits(stem, facts) or _find_hour_minute(stem, facts)


def _find_time_below_short_date(stem: str, facts: FolderFacts) -> Stamp | None:
    """A time of day below a date whose year has two digits, and that may be several."""
    match = _TIME_OF_DAY.search(stem) if facts.year else None
    if match is None:
        return None
    names = ("hour", "minute", "second")
    clock = [int(match[name] or match[f"{name}2"] or 0) if name != "hour" else int(match[name]) for name in names]
    return _with_short_year(match, short_dates(facts.year[0]), clock)


def _find_time_of_day(stem: str, facts: FolderFacts) -> Stamp | None:
    matches, start = _without_date(list(_TIME_OF_DAY.finditer(stem)), facts)
    for match in matches:
        if facts.date is not None:
            moment = _at(match, *facts.date, ampm=facts.ampm)
            if moment is not None:
                shown = _shown_order(match, moment, facts)
                return Stamp(min(start, match.start()), match.end(), moment, shown)
        elif facts.day_first is not None:
            year, month, day = facts.day_first
            day_first = _at(match, year, month, day, ampm=facts.ampm)
            month_first = _at(match, year, day, month, ampm=facts.ampm)
            if day_first is not None and month_first is not None:
                doubtful = make_doubt(match, day_first, month_first)
                return doubtful._replace(start=min(start, match.start()))
    return None


def _without_date(matches: list[re.Match[str]], facts: FolderFacts) -> tuple[list[re.Match[str]], int]:
    """Matches of three numbers without the first one, if others follow and it is the date of the folder with a year of
    two digits, or the day before or after it; and where that date begins, else the last match."""
    if not matches:
        return [], 0
    if not _is_date_of_folder(matches, facts):
        return matches, matches[-1].start()
    return matches[1:], matches[0].start()


def _is_date_of_folder(matches: list[re.Match[str]], facts: FolderFacts) -> bool:
    date = facts.date or facts.day_first
    if len(matches) < 2 or date is None:
        return False
    a, b, c = (int(number) for number in re.findall(r"[0-9]{2}|[0-9]", matches[0][0])[:3])
    dates = {date, (date[0], date[2], date[1])}
    near = {
        (moment + timedelta(days=shift)).date()
        for moment in (make_moment(*one) for one in dates)
        if moment is not None
        for shift in (-1, 0, 1)
    }
    return any(
        moment is not None and moment.date() in near
        for moment in (make_moment(2000 + year, month, day) for year, month, day in ((a, b, c), (c, b, a), (c, a, b)))
    )


def _shown_order(match: re.Match[str], moment: datetime, facts: FolderFacts) -> Doubt | None:
    """What the date of a folder shows other dates of its kind: that the day comes first, the month, or the year."""
    if facts.is_day_first is None:
        orders = short_dates(facts.year[0]) if facts.year else ()
        moments = tuple(None if date is None else moment for date in orders)
        return Doubt(DoubtKind.SHORT_YEAR, None, None, match[0], moments) if moments else None
    if facts.is_day_first:
        return Doubt(DoubtKind.DAY_OR_MONTH, moment, None, match[0])
    return Doubt(DoubtKind.DAY_OR_MONTH, None, moment, match[0])


def _with_folder_clock(stem: str, facts: FolderFacts) -> Stamp | None:
    """What is left of a time whose date, hour and perhaps minute and second are folders."""
    if facts.date is None or not facts.clock:
        return None
    hour, *rest = facts.clock
    if len(rest) == 2:
        return Stamp(0, 0, make_moment(*facts.date, hour, *rest))
    match = (_SECOND if rest else _MINUTE_SECOND).match(stem)
    if match is None:
        return None
    minute = rest[0] if rest else int(match["minute"])
    moment = make_moment(*facts.date, hour, minute, int(match["second"]))
    is_hour_minute = not rest and match["sign"] is not None and minute < _HOURS and not match["event"]
    return Stamp(0, match.end(), moment, may_lack_hour=is_hour_minute)


def _find_six_digits(stem: str, facts: FolderFacts) -> Stamp | None:
    matches, start = _without_date(list(_SIX_DIGITS.finditer(stem)), facts)
    for match in matches:
        if facts.date is not None:
            hour, minute, second = map(int, match.groups())
            hour_of_day = _hour_of(hour, None, facts.ampm)
            moment = None if hour_of_day is None else make_moment(*facts.date, hour_of_day, minute, second)
            doubt = Doubt(DoubtKind.SIX_DIGITS, moment, None, match[0])
            return Stamp(min(start, match.start()), match.end(), None, doubt)
    return None


def _find_hour_minute(stem: str, facts: FolderFacts) -> Stamp | None:
    match = _HOUR_MINUTE.match(stem)
    if match is None or facts.date is None or facts.clock:
        return None
    hour = _hour_of(int(match["hour"]), None, facts.ampm)
    moment = None if hour is None else make_moment(*facts.date, hour, int(match["minute"]))
    doubt = Doubt(DoubtKind.HOUR_MINUTE, moment, None, f"{match['hour']}{match['minute']}")
    return Stamp(0, match.end(), None, doubt)


def _find_minutes(stem: str) -> Stamp | None:
    for match in _TO_THE_MINUTE.finditer(stem):
        numbers = (int(match[name]) for name in ("year", "month", "day", "hour", "minute"))
        moment = make_moment(*numbers)
        if match["colon"] == ":":
            if moment is not None:
                return Stamp(match.start(), match.end(), moment)
            continue
        number = f"{match['hour']}{match['minute']}"
        return Stamp(match.start(), match.end(), None, Doubt(DoubtKind.FOUR_DIGITS, moment, None, number))
    return None


def _find_ten_digits(stem: str) -> Stamp | None:
    match = _TEN_DIGITS.search(stem)
    if match is None:
        return None
    digits = match["digits"]
    moment = read_epoch(digits)
    doubt = Doubt(DoubtKind.TEN_DIGITS, moment, None, digits)
    return None if moment is None else Stamp(match.start("digits"), match.end("digits"), None, doubt)


def _find_short_year(stem: str) -> Stamp | None:
    for match in _SHORT_YEAR.finditer(stem):
        a, b, c, *clock = (int(match[name]) for name in ("a", "b", "c", "hour", "minute", "second"))
        stamp = _with_short_year(match, read_short_date(a, b, c), clock)
        if stamp is not None:
            return stamp
    return None


def _with_short_year(match: re.Match[str], dates: Iterable[Date | None], clock: Iterable[int]) -> Stamp | None:
    """The stamp of a time of day on one of these dates, in the orders of `read_short_date`; None if there is none."""
    clock = tuple(clock)
    orders = tuple(None if date is None else make_moment(*date, *clock) for date in dates)
    moment = next((moment for moment in orders if moment is not None), None)
    doubt = Doubt(DoubtKind.SHORT_YEAR, moment, None, match[0], orders)
    return None if moment is None else Stamp(match.start(), match.end(), None, doubt)
