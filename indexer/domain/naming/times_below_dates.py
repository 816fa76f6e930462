"""The time of day in a file name below a folder of a date, or what is left of it below folders of hour and minute."""

import re
from datetime import datetime, timedelta

from indexer.domain.naming.folders import FolderFacts, short_dates
from indexer.domain.naming.moments import make_moment
from indexer.domain.naming.stamps import Doubt, DoubtKind, Stamp, hour_of, make_doubt, make_short_year, read_clock

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
_SECOND = re.compile(r"(?P<second>[0-5][0-9])(?![0-9A-Za-z])")


def find_time_below_date(stem: str, facts: FolderFacts) -> Stamp | None:
    """A time of day in a file name below a folder of a date."""
    if facts.date is None and facts.day_first is None:
        return _find_time_below_short_date(stem, facts)
    time_of_day, rest = _find_time_of_day(stem, facts), find_rest_of_clock(stem, facts)
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
    return make_short_year(match, short_dates(facts.year[0]), clock)


def _find_time_of_day(stem: str, facts: FolderFacts) -> Stamp | None:
    matches, start = _without_date(list(_TIME_OF_DAY.finditer(stem)), facts)
    for match in matches:
        if facts.date is not None:
            moment = read_clock(match, *facts.date, ampm=facts.ampm)
            if moment is not None:
                shown = _shown_order(match, moment, facts)
                return Stamp(min(start, match.start()), match.end(), moment, shown)
        elif facts.day_first is not None:
            year, month, day = facts.day_first
            day_first = read_clock(match, year, month, day, ampm=facts.ampm)
            month_first = read_clock(match, year, day, month, ampm=facts.ampm)
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


def find_rest_of_clock(stem: str, facts: FolderFacts) -> Stamp | None:
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
            hour_of_day = hour_of(hour, None, facts.ampm)
            moment = None if hour_of_day is None else make_moment(*facts.date, hour_of_day, minute, second)
            doubt = Doubt(DoubtKind.SIX_DIGITS, moment, None, match[0])
            return Stamp(min(start, match.start()), match.end(), None, doubt)
    return None


def _find_hour_minute(stem: str, facts: FolderFacts) -> Stamp | None:
    match = _HOUR_MINUTE.match(stem)
    if match is None or facts.date is None or facts.clock:
        return None
    hour = hour_of(int(match["hour"]), None, facts.ampm)
    moment = None if hour is None else make_moment(*facts.date, hour, int(match["minute"]))
    doubt = Doubt(DoubtKind.HOUR_MINUTE, moment, None, f"{match['hour']}{match['minute']}")
    return Stamp(0, match.end(), None, doubt)
