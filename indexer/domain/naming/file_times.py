"""The time in a file name: where it stands, and what it means.

In the name (without its last extension) the first readable time counts:

- 13 digits: milliseconds since 1970, in the years 1990 to 2100 (``c10-1623871098865``); ten digits with a fraction:
  seconds (``front-1714566645.123456-abc123``); 16 digits of the years 2001 to 2033: microseconds; 19 digits of them:
  nanoseconds;
- a date and a time to the second, with or without ``-``, ``_`` or ``.`` between the parts; between date and time
  ``-``, ``_``, ``.``, a space, two of them, or ``T``; then optionally 3 or 6 digits of a fraction, a counter of 4
  digits, or AM or PM (``c21_2021_03_27__12_53_37``, ``gate 2-20210327-125337.250``, ``G4 2024-05-01 1.05.09 PM``);
- a date with a month in English, or with the year last; one with the day of the year or of a week, or with month and
  day joined, as dashcams write it (``2024_0501_093001``);
- a time of day before its date (``12-30-45_2024-05-01``);
- to the second, the rest of a time whose date, hour and minute are folders (``2024-05-01/12/30/45.jpg``);
- names that only one maker writes (`indexer.domain.naming.schemes`).

What one name cannot decide is a `Doubt`: the day or the month first, ten digits (seconds since 1970, or an hour), four
or six digits after a date (a time, or a counter), four digits behind ``-`` after a time (an offset, or a counter:
`indexer.domain.naming.offsets`), a year of two digits.
"""

import re
from datetime import datetime, timedelta

from indexer.domain.naming.folders import FolderFacts, read_short_date
from indexer.domain.naming.moments import MONTH_WORD, make_moment, month_number, read_epoch, read_offset
from indexer.domain.naming.offsets import with_offset
from indexer.domain.naming.stamps import Doubt, DoubtKind, Stamp, hour_of, make_doubt, make_short_year, read_clock
from indexer.domain.naming.times_below_dates import find_rest_of_clock, find_time_below_date

_STAMP = re.compile(
    r"""
    (?: (?<![0-9A-Z]) (?: (?P<epoch_s>[0-9]{10})\.(?P<epoch_fraction>[0-9]{3,9}|[0-9]{1,2}(?=-[0-9a-z]{4}))
                          | (?P<epoch>[0-9]{13}
                             |(?!.. (?:19|20)[0-9]{2} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12][0-9]|3[01])  # a number, a date
                                 (?:[01][0-9]|2[0-3]) [0-5][0-9] [0-5][0-9] (?![0-9]))
                              1[0-9]{15}(?:[0-9]{3})?) )
    |   (?<![0-9])
        (?P<year>19[7-9][0-9]|20[0-9]{2}|2100) (?P<dash>[-_.:])? (?P<month>0[1-9]|1[0-2]) (?(dash)(?P=dash))
        (?P<day>0[1-9]|[12][0-9]|3[01])
        (?: (?P<t>T) | [-_. ]{1,2} | (?(dash)(?!)) )
        (?P<hour>[01][0-9]|2[0-4]) (?P<colon>[-_.:])? (?P<minute>[0-5][0-9]) (?(colon)(?P=colon)) (?P<second>[0-5][0-9])
        (?: [-_.,]? (?P<fraction>[0-9]{3}(?:[0-9]{3})?) (?![0-9]) | [0-9]{4} (?![0-9])
          | (?P<hundredths>[0-9]{2}) (?![0-9]) (?(dash)(?!)) (?(colon)(?!))
          | (?(t)\.(?P<any_fraction>[0-9]{1,9})|(?!)) )?
        (?: [ _-]? (?P<ampm>[AP]\.?[ ]?M\.?) )?
        (?: (?=[-+ZU ])
            (?P<offset> Z | (?(t)[+-]|[+]) (?:0[0-9]|1[0-4])[-:.]?(?:00|15|30|45) | [+](?:0[0-9]|1[0-4]) | [ ]?UTC ) )?
    ) (?![0-9A-Z])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME = r"""
    (?: (?P<hour>[0-9]{1,2}) (?: [-_.:] | [ ]?h[ ]? ) (?P<minute>[0-9]{2}) (?: [-_.:] | [ ]?m(?:in)?[ ]? )
        (?P<second>[0-9]{2})
      | (?P<hour2>[0-9]{2}) (?P<minute2>[0-9]{2}) (?P<second2>[0-9]{2}) )
    s? (?: [.,]? (?P<fraction>[0-9]{3}(?:[0-9]{3})?) (?:ms)? )? (?: [ _-]? (?P<ampm>[AP]\.?[ ]?M\.?) )?
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
      | (?P<a>[0-9]{{1,2}}) (?P<dash>[-_.]) (?P<b>[0-9]{{1,2}}) (?P=dash) (?P<year_end>19[7-9][0-9]|20[0-9]{{2}}|2100)
      | (?P<a2>[0-9]{{2}}) (?P<b2>[0-9]{{2}}) (?P<year_end2>19[7-9][0-9]|20[0-9]{{2}}) (?=[-_ T][0-9]{{6}}(?![0-9])) )
    (?: T | [-_. ,@]{{1,3}} | [ ]at[ ] )
    {_TIME}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME_FIRST = re.compile(
    r"""
    (?<![0-9]) (?P<hour>[01][0-9]|2[0-3]) (?P<colon>[-_.:])? (?P<minute>[0-5][0-9]) (?(colon)(?P=colon))
    (?P<second>[0-5][0-9]) [-_. ]
    (?P<year>19[7-9][0-9]|20[0-9]{2}) (?P<dash>[-_.])? (?P<month>0[1-9]|1[0-2]) (?(dash)(?P=dash))
    (?P<day>0[1-9]|[12][0-9]|3[01]) (?![0-9]) (?(colon)|(?![-_. T]{1,2}[0-9]{4}(?![0-9])))
    """,
    re.VERBOSE,
)
"""A time before its date; without a sign between hour, minute and second it may be a counter."""
_JOINED_DATE = re.compile(
    r"""
    (?<![0-9]) (?P<year>20[0-9]{2})
    (?: _ (?P<month>0[1-9]|1[0-2]) (?P<day>0[1-9]|[12][0-9]|3[01]) _
      | -? (?P<day_of_year>[0-3][0-9]{2}) [-_T]
      | -? W (?P<week>[0-5][0-9]) -? (?P<weekday>[1-7]) [-_T] )
    (?P<hour>[01][0-9]|2[0-3]) (?P<minute>[0-5][0-9]) (?P<second>[0-5][0-9]) (?![0-9])
    """,
    re.VERBOSE,
)
"""A time as dashcams with a Novatek chip write it (``2024_0501_093001``), or with the day of the year or the week."""
_MIN_LENGTH = 14
"""The fewest signs of a date and a time to the second."""
_OFFSET_OR_COUNTER = re.compile(r"-(?P<number>[0-9]{4})(?![0-9A-Za-z])")
_SHORT_YEAR = re.compile(
    r"""
    (?<![0-9]) (?P<a>[0-9]{2}) (?P<dash>[-_.]?) (?P<b>[0-9]{2}) (?P=dash) (?P<c>[0-9]{2}) [-_ T.,]{0,2}
    (?! (?:19|20)[0-9]{6}(?![0-9]) )
    (?P<hour>[01][0-9]|2[0-3]) (?P<colon>[-_.: ]?) (?P<minute>[0-5][0-9]) (?P=colon) (?P<second>[0-5][0-9])
    (?: [0-9]{2,3} )? (?![0-9])
    """,
    re.VERBOSE,
)
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


def find_stamp(stem: str, facts: FolderFacts) -> Stamp | None:
    """The first time in the stem of a file name in folders of which `facts` are known; None if there is none."""
    for match in _STAMP.finditer(stem):
        moment = _read_stamp(match, facts.ampm)
        if moment is not None:
            stamp = Stamp(match.start(), match.end(), moment)
            return _offset_or_counter(match, moment) if match["t"] else with_offset(stem, stamp)
    other = _find_other_form(stem, facts)
    return None if other is None else with_offset(stem, other)


def _find_other_form(stem: str, facts: FolderFacts) -> Stamp | None:
    """A time in any form but the usual ones."""
    if not any(map(str.isdecimal, stem)):
        return find_rest_of_clock(stem, facts)
    is_long = len(stem) >= _MIN_LENGTH
    return (
        (_find_time_first(stem) or _find_joined_date(stem) or _find_other_date(stem) if is_long else None)
        or find_time_below_date(stem, facts)
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
    hour = hour_of(int(match["hour"]), match["ampm"], ampm)
    if hour is None:
        return None
    return make_moment(
        int(match["year"]),
        int(match["month"]),
        int(match["day"]),
        hour,
        int(match["minute"]),
        int(match["second"]),
        fraction=match["fraction"] or match["any_fraction"] or match["hundredths"] or "",
        offset=f"{match['offset']}00" if match["offset"] and len(match["offset"]) == len("+02") else match["offset"],
    )


def _find_time_first(stem: str) -> Stamp | None:
    """A time of day that stands before its date."""
    match = _TIME_FIRST.search(stem)
    if match is None:
        return None
    names = ("year", "month", "day", "hour", "minute", "second")
    moment = make_moment(*(int(match[name]) for name in names))
    if moment is None or match["colon"]:
        return None if moment is None else Stamp(match.start(), match.end(), moment)
    number = f"{match['hour']}{match['minute']}{match['second']}"
    return Stamp(match.start(), match.end(), None, Doubt(DoubtKind.SIX_DIGITS, moment, None, number))


def _find_joined_date(stem: str) -> Stamp | None:
    """A time whose date has month and day without a sign between them, or the number of a day or of a week."""
    for match in _JOINED_DATE.finditer(stem):
        date = _joined_date(match)
        clock = (int(match[name]) for name in ("hour", "minute", "second"))
        moment = None if date is None else make_moment(date.year, date.month, date.day, *clock)
        if moment is not None:
            return Stamp(match.start(), match.end(), moment)
    return None


def _joined_date(match: re.Match[str]) -> datetime | None:
    """The date of a match, naive, at midnight; None if no calendar shows it."""
    year = int(match["year"])
    try:
        if match["week"]:
            return datetime.fromisocalendar(year, int(match["week"]), int(match["weekday"]))
        if match["day_of_year"]:
            date = datetime(year, 1, 1) + timedelta(days=int(match["day_of_year"]) - 1)
            return date if date.year == year else None
        return datetime(year, int(match["month"]), int(match["day"]))
    except ValueError:
        return None


def _find_other_date(stem: str) -> Stamp | None:
    for match in _OTHER_DATE.finditer(stem):
        if match["a"] is None and match["a2"] is None:
            year = match["year"] or match["year_last"] or match["year_after"]
            month = match["month"] or match["month_word"] or match["month_between"] or match["month_before"]
            day = match["day"] or match["day_word"] or match["day_before"] or match["day_between"]
            moment = read_clock(match, int(year), month_number(month), int(day))
            if moment is not None:
                return Stamp(match.start(), match.end(), moment)
            continue
        year_number, a, b = (int(match[name] or match[f"{name}2"]) for name in ("year_end", "a", "b"))
        day_first, month_first = read_clock(match, year_number, b, a), read_clock(match, year_number, a, b)
        if day_first is not None or month_first is not None:
            return make_doubt(match, day_first, month_first)
    return None


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
        stamp = make_short_year(match, read_short_date(a, b, c), clock)
        if stamp is not None:
            return stamp
    return None
