"""What the folders of a path say: which one is the camera's, and which date and hour they stand for.

The camera's folder is the innermost one that is not *generic*. Generic are

- dates, and years, months and days below each other; hours, minutes and seconds below a date; a date beside a name is
  none of the camera's name (``StationA_2024-05-01``);
- numbers below a date (channels, events); a plain number elsewhere is a camera (``cams/1``);
- ``DCIM``, and the folders that the DCF rule puts below it (``100RECNX``), also where ``DCIM`` itself was not copied;
- words such as ``snap``, ``jpg``, ``images``, ``record``, ``pic_001``.

Dates, hours and DCF folders say nothing about the camera, and a camera's folder may lie below dates
(``2024-05-01/gate``, ``2024-05-02/gate``). Words and numbers may: they are its *branch*, which becomes
part of the camera's name where one camera's folder has several of them.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from indexer.domain.naming import folder_forms as forms
from indexer.domain.naming.camera_words import is_kind_of_folder
from indexer.domain.naming.moments import clock_hour, full_year, is_year, make_moment, month_number

Date = tuple[int, int, int]

_LONG = 30
"""Names of fewer signs that begin and end with a digit have nothing but numbers around a date."""
_LIMITS = (24, 60, 60)  # of hours, minutes and seconds
_CAMERA_YEARS = range(10, 40)
"""Years of two digits that a folder may be called after."""


class FolderFacts(NamedTuple):
    """What the path of a folder says."""

    camera_folder: str
    """The path of the innermost folder that is not generic, without the folders of dates and `DCIM` above it: those of
    one name below two dates are one. Where all folders are generic, the path of one of them."""
    branch: tuple[str, ...]
    """The generic words, and the numbers below a date, below the camera's folder."""
    date: Date | None
    """Of the innermost folder of a date; None also where one date could have two meanings."""
    day_first: Date | None
    """The date with the day first, where a folder has a date of either order."""
    is_day_first: bool | None
    """Whether the day comes first in a date with its year last which only one order allows; None: another date."""
    clock: tuple[int, ...]
    """Hour, minute and second, as far as there are folders for them below the date."""
    year: tuple[str, ...] = ()
    """The folders of a year, and perhaps a month, without a day below; or that of a date with a year of two digits."""
    ampm: str = ""
    """Which half of the day a folder says; empty: none does."""
    is_clock_sure: bool = False
    """Whether the names of the folders of `clock` show that they are a time: with ``T``, minutes or AM."""
    if_dated: "FolderFacts | None" = None
    """What the path says if two numbers below a name are month and day of the year above it, as in
    ``2024/gate/05/01``; None where there are none. A name of a file may show it."""


@lru_cache(maxsize=50_000)
def read_folder(path: str) -> FolderFacts:
    """What the path of a folder, absolute and with slashes, says."""
    deep = forms.SIX_NUMBERS.fullmatch(path)
    if deep is not None:
        moment = make_moment(full_year(deep[2]), *(int(deep[n]) for n in range(3, 8)))
        if moment is not None and deep[1]:
            above = read_folder(deep[1])
            clock = (moment.hour, moment.minute, moment.second)
            return above._replace(date=(moment.year, moment.month, moment.day), day_first=None, clock=clock)
    reader = _Reader()
    for name, folder in _iter_folders(path):
        reader.add(name, path=folder)
    facts = reader.facts(path)
    late = forms.DATE_BELOW_NAME.fullmatch(path) if facts.date is None and path[-1:].isdecimal() else None
    if late is None:
        return facts
    year, month, day = late["year"], late["month"], late["day"]
    return facts._replace(if_dated=read_folder(f"{late['above']}/{year}/{month}/{day}/{late['name']}"))


def list_own_names(folder: str) -> list[str]:
    """The names of the folders of a path that are not generic, the innermost first."""
    reader = _Reader()
    for name, path in _iter_folders(folder):
        reader.add(name, path=path)
    return reader.own_names[::-1]


@lru_cache(maxsize=10_000)
def is_generic_name(name: str) -> bool:
    """Whether a folder of this name alone is a date, a DCF folder, or a generic word."""
    reader = _Reader()
    reader.add(name, path=name)
    return not reader.own_names


def years_of(name: str) -> set[int]:
    """The years that a folder of `FolderFacts.year` may be called after."""
    if len(name) == 4:
        return {int(name)}
    parts = forms.TWO_DIGIT_YEAR.fullmatch(name)
    return {int(name[:4])} if parts is None else {2000 + int(parts["a"]), 2000 + int(parts["c"])}


def short_dates(name: str) -> tuple[Date | None, ...]:
    """The dates that a folder may be called after whose year has two digits: with the year first, the day, the month;
    none at all if it is called otherwise."""
    parts = forms.TWO_DIGIT_YEAR.fullmatch(name)
    return () if parts is None else read_short_date(int(parts["a"]), int(parts["b"]), int(parts["c"]))


def number_dates(name: str) -> set[Date]:
    """The dates that a folder may be called after which a number may be, too: six digits, or a year and the number of a
    day in it."""
    date = _day_of_year(name)
    if date is not None:
        return {date}
    return {date for date in short_dates(name) if date is not None} if name.isdecimal() else set()


def read_short_date(a: int, b: int, c: int) -> tuple[Date | None, ...]:
    """What three numbers mean with the year of two digits first, with the day first, and with the month first."""
    orders = ((a, b, c), (c, b, a), (c, a, b))
    return tuple(_date(2000 + year, month, day) if year in _CAMERA_YEARS else None for year, month, day in orders)


def dcf_word(folder: str) -> str:
    """The letters in the name of the innermost folder of a path that the DCF rule puts below `DCIM`; empty if none."""
    names = folder.split("/")
    is_below_dcim = "DCIM" in map(str.upper, names)
    for name in reversed(names):
        if (is_below_dcim and forms.DCF.fullmatch(name)) or forms.DCF_MAKERS.fullmatch(name):
            return name[3:].strip("_0123456789").upper()
    return ""


def _iter_folders(path: str) -> Iterator[tuple[str, str]]:
    """The name and the path of each folder of a path, the outermost first."""
    start = 0
    for name in path.split("/"):
        end = start + len(name)
        if name:
            yield name, path[:end]
        start = end + 1


class _Reader:
    """Reads the folders of one path from the outermost to the innermost."""

    def __init__(self) -> None:
        self.camera_folder = ""
        self.own_names: list[str] = []
        self.dateless_names: list[str] = []
        self.last_word, self.count_to_word = "", 0
        self.branch: list[str] = []
        self.year: int | None = None
        self.year_names: list[str] = []
        self.month: int | None = None
        self.date: Date | None = None
        self.day_first: Date | None = None
        self.is_day_first: bool | None = None
        self.clock: list[int] = []
        self.ampm = ""
        self.sure_clock = 0
        self.has_minutes = False
        self.is_below_date = False
        self.is_below_dcim = False

    def add(self, name: str, *, path: str) -> None:
        """Reads the next folder inwards; `path` ends with its name."""
        name_of_part = forms.PART_OF_DATE.sub("", name, count=1)
        if self._is_date(name_of_part):
            recording = forms.RECORDING.fullmatch(name)
            if recording is not None and not any(recording["camera"] in own for own in self.own_names):
                self.branch.append(recording["camera"])
            return
        if self.is_below_date and name_of_part != name:
            self._is_below_date(name_of_part)
            return
        if self.is_below_date and forms.HALF_OF_DAY.fullmatch(name):
            self.ampm = name
            return
        known_date, count = self.date, len(self.clock) + len(self.branch)
        if self.is_below_date and self._is_below_date(name):
            is_of_date = self.date != known_date or len(self.clock) + len(self.branch) == count
            self.dateless_names += [] if is_of_date else [name]
            return
        self._add_name(name, path=path)

    def _add_name(self, name: str, *, path: str) -> None:
        """Reads a folder that is no date, nor a part of one."""
        if name.upper() == "DCIM":
            self.is_below_dcim = True
            return
        if (self.is_below_dcim and forms.DCF.fullmatch(name)) or forms.DCF_MAKERS.fullmatch(name):
            return
        name = self._without_date(name)
        if not name:
            return
        self.dateless_names.append(name)
        if name in forms.FORMATS and self.is_below_date and self.branch and self.branch[-1].isdecimal():
            return
        if name.lower() in forms.WORDS or forms.WORD_AND_NUMBER.fullmatch(name):
            self.branch.append(name)
            self.last_word, self.count_to_word = path, len(self.branch)
        else:
            self.own_names.append(name)
            self._start_camera()

    def facts(self, path: str) -> FolderFacts:
        """What was read."""
        return FolderFacts(
            self.camera_folder or self.last_word or path,
            tuple(self.branch if self.camera_folder else self.branch[self.count_to_word :] if self.last_word else ()),
            self.date,
            self.day_first,
            self.is_day_first,
            tuple(self.clock),
            tuple(self.year_names),
            self.ampm,
            0 < len(self.clock) == self.sure_clock,
        )

    def _start_camera(self) -> None:
        """The date above a camera's folder still counts; all that is below one begins again."""
        self.camera_folder = f"/{'/'.join(self.dateless_names)}"
        self.branch, self.clock = [], []
        self.year = self.month = None
        self.year_names = []
        self.ampm, self.sure_clock, self.has_minutes = "", 0, False
        self.is_below_date = self.is_below_dcim = False

    def _set_date(self, date: Date | None, *, day_first: Date | None = None, hour: str | None = None) -> bool:
        self.date, self.day_first, self.is_day_first = date, day_first, None
        self.year = self.month = None
        self.year_names = []
        self.ampm, self.sure_clock, self.has_minutes = "", 0, False
        self.is_below_date, self.clock = True, [] if hour is None else [int(hour)]
        return True

    def _is_date(self, name: str) -> bool:
        if forms.MONTH_OF_YEAR.fullmatch(name):
            return self._set_date(None)
        is_bare = name[0].isdecimal() and name[-1].isdecimal() and len(name) < _LONG
        name = name if is_bare else forms.AROUND_DATE.sub("", name)
        if not name[:1].isdecimal() and not forms.DATE.fullmatch(name):
            return self._is_week(name)
        return self._is_part_of_year(name) or self._is_whole_date(name) or self._is_year(name)

    def _is_week(self, name: str) -> bool:
        is_week_of_year = self.year is not None and self.month is None and forms.WEEK_OF_YEAR.fullmatch(name)
        return bool(forms.WEEK.fullmatch(name) or is_week_of_year) and self._set_date(None)

    def _is_whole_date(self, name: str) -> bool:
        parts = forms.DATE.fullmatch(name)
        if parts is not None and self._is_date_of(parts):
            return True
        parts = forms.EITHER_ORDER.fullmatch(name) or forms.EIGHT_DIGITS.fullmatch(name)
        if parts is not None:
            a, b, year_number = int(parts["a"]), int(parts["b"]), int(parts["year"])
            day_first, month_first = _date(year_number, b, a), _date(year_number, a, b)
            if day_first and month_first and day_first != month_first:
                return self._set_date(None, day_first=day_first)
            if day_first is None and month_first is None:
                return False
            self._set_date(day_first or month_first)
            self.is_day_first = None if day_first == month_first else day_first is not None
            return True
        return False

    def _is_date_of(self, parts: re.Match[str]) -> bool:
        """Whether the parts of a date, with the year first or a month in words, are one."""
        year, month, day, hour = (_first(parts, what) for what in ("year", "month", "day", "hour"))
        date = _date(int(year or 0), month_number(month or "0"), int(day or 0))
        if date is None:
            return False
        self._set_date(date, hour=hour)
        self.ampm = _first(parts, "ampm") or ""
        self.has_minutes = bool(parts["minutes"])
        self.sure_clock = int(bool(parts["t"] or parts["minutes"] or parts["hour3"]) and int(hour or 0) < _LIMITS[0])
        return True

    def _without_date(self, name: str) -> str:
        """The name without a date before or behind it; empty if it is a word for the kind of files beside."""
        dated = forms.DATED_NAME.fullmatch(name)
        if dated is None or not self._is_date(dated["date"] or dated["date2"]):
            return name
        text = (dated["text"] or dated["text2"]).strip("-_. ")
        is_generic = text.lower() in forms.WORDS or text.upper() == "DCIM" or is_kind_of_folder(text)
        return "" if is_generic or forms.SAYS_NO_PLACE.fullmatch(text) else text

    def _is_part_of_year(self, name: str) -> bool:
        """Whether a folder is a week, a span of days, a month and day below a year, or a date with a year of two
        digits."""
        if self._is_week(name):
            return True
        if (span := forms.SPAN.fullmatch(name)) is not None:
            return all(map(forms.DATE.fullmatch, span.groups())) and self._set_date(None)
        if self.year is not None and self.month is None and (parts := forms.MONTH_DAY.fullmatch(name)):
            date = _date(self.year, int(parts["month"]), int(parts["day"]))
            return date is not None and self._set_date(date)
        if self.date is None and (date := _day_of_year(name)) is not None:
            self._set_date(date)
            self.year_names = [name]
            return True
        is_number = name.isdecimal() and (self.date is not None or forms.YEAR_MONTH.fullmatch(name) is not None)
        if is_number or not forms.TWO_DIGIT_YEAR.fullmatch(name):
            return False
        dates = set(short_dates(name)) - {None}
        if not dates:
            return False
        self._set_date(dates.pop() if len(dates) == 1 else None)
        self.year_names = [name]
        return True

    def _is_year(self, name: str) -> bool:
        parts = forms.YEAR_MONTH.fullmatch(name)
        if parts is None and not forms.YEAR.fullmatch(name):
            return False
        self.year, self.month = (int(name), None) if parts is None else (int(parts["year"]), int(parts["month"]))
        self.date, self.day_first, self.clock, self.is_below_date = None, None, [], True
        self.year_names = [name]
        return True

    def _is_below_date(self, name: str) -> bool:
        """Whether a folder below a date is a month, day, hour, minute, second or number."""
        if self.year is not None and self.month is None and (month := forms.MONTH.fullmatch(name)):
            self.month = month_number(month["number"] or month["word"])
            self.year_names.append(name)
            return True
        day = forms.BESIDE_DAY.sub("", name, count=1)
        if self.year is not None and self.month is not None and forms.DAY.fullmatch(day):
            date = _date(self.year, self.month, int(day))
            return date is not None and self._set_date(date)
        if self.year is None and self._is_clock(name):
            return True
        if name.isascii() and name.isdecimal():
            self.branch.append(name)
            return True
        return False

    def _is_clock(self, name: str) -> bool:
        """Whether a folder below a date is an hour, or a minute or second below one."""
        whole = forms.CLOCK.fullmatch(name) if not self.clock else None
        if whole is not None:
            self.clock = [int(whole[1]), int(whole[3]), int(whole[4])]
            self.sure_clock = len(self.clock)
            return True
        two_digits = forms.TWO_DIGITS.fullmatch(name)
        hour = forms.HOUR.fullmatch(name) if not self.clock else None
        if hour is not None:
            number = clock_hour(int(next(filter(None, hour.groups()))), hour["half"])
            if number is None or number >= _LIMITS[0]:
                return False
            self.clock.append(number)
            self.sure_clock = int(hour["number"] is None)
            return True
        if two_digits is None or len(self.clock) >= len(_LIMITS) or self.has_minutes:
            return False
        number = int(two_digits["number"])
        if number >= _LIMITS[len(self.clock)]:
            return False
        self.clock.append(number)
        return True


def _first(parts: re.Match[str], name: str) -> str | None:
    """The text of a group, or of the first of its alternatives, which have a number behind the name."""
    groups = (group for group in (name, *(f"{name}{n}" for n in range(2, 8))) if group in forms.DATE.groupindex)
    return next((parts[group] for group in groups if parts[group]), None)


def _day_of_year(name: str) -> Date | None:
    """The date of a year and the number of a day in it; None if a text is no such date."""
    parts = forms.YEAR_DAY.fullmatch(name)
    if parts is None:
        return None
    moment = datetime(int(parts["year"]), 1, 1) + timedelta(days=int(parts["day"]) - 1)
    return (moment.year, moment.month, moment.day) if moment.year == int(parts["year"]) else None


def _date(year: int, month: int, day: int) -> Date | None:
    return (year, month, day) if is_year(year) and make_moment(year, month, day, 0, 0, 0) is not None else None
