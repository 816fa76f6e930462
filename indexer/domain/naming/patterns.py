"""A person's pattern: a regular expression whose named groups say which camera took an image, and when.

The groups are `camera`, `timestamp`, `date`, `time`, `year`, `month`, `day`, `hour`, `minute`, `second`, `ampm`,
`offset` and `epoch`. They may stand anywhere in the path, in any order, and more than once. If `camera` stands several
times, its parts are joined by ``/``. If `timestamp` does, its parts are joined by a space. Any other group must say the
same each time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.naming.camera_words import storable_text
from indexer.domain.naming.moments import clock_hour, full_year, make_moment, month_number
from indexer.domain.naming.timestamps import TextDate, read_date, read_epoch_text, read_time_of_day, read_timestamp
from indexer.errors import UsageError

GROUPS = (
    "camera",
    "timestamp",
    "date",
    "time",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "ampm",
    "offset",
    "epoch",
)
_EXAMPLE = r"write for example --pattern '(?P<camera>[^/]+)/(?P<timestamp>\d{14})[^/]*$'"
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-_./ ]([0-9]{1,2})[-_./ ][0-9]{4}(?![0-9])")
_GROUP = re.compile(r"\(\?P<(\w+)>")
_ENOUGH = ({"camera"}, {"timestamp"}, {"epoch"}, {"date"}, {"year", "month", "day"}, {"year", "day"})
"""Sets of groups of which a pattern needs one: the camera, or a date."""


@dataclass(frozen=True)
class PatternReading:
    """What a pattern read from a path.

    `month_first`: the other meaning of a date with two, the day first in `moment`. `day_first`: the order that a date
    shows which only one order allows; None: any other date.
    """

    camera: str
    moment: datetime | None
    month_first: datetime | None = None
    day_first: bool | None = None


class NamePattern:
    """A compiled pattern; `pattern` is its text."""

    def __init__(self, text: str) -> None:
        self.pattern = text
        self._compiled = re.compile(_with_distinct_names(text))
        self._names = _groups_by_name(self._compiled)
        self.reads_time = bool(set(self._names) - {"camera"} & set(GROUPS))
        self.reads_camera = "camera" in self._names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamePattern) and other.pattern == self.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def read(self, path: str) -> PatternReading | None:
        """What the pattern reads from a path; None if it does not match anywhere in it."""
        match = self._compiled.search(path)
        if match is None:
            return None
        texts = {name: [match[group] for group in groups if match[group]] for name, groups in self._names.items()}
        camera = storable_text("/".join(text for text in map(storable_text, texts.get("camera", ())) if text))
        groups = {name: values for name, values in texts.items() if values and name in GROUPS}
        moment, month_first = _read_moments(groups)
        shown = None if moment is None else _shown_order(" ".join(groups.get("timestamp", groups.get("date", ()))))
        return PatternReading(camera, moment, month_first, shown)


def compile_pattern(text: str) -> NamePattern:
    """A person's pattern, compiled.

    Raises
    ------
    UsageError
        If it is no regular expression, or its groups name neither a camera nor a date.
    """
    try:
        pattern = NamePattern(text)
    except (re.error, OverflowError, RecursionError) as problem:
        raise UsageError(f"The pattern {text!r} is not a regular expression ({problem}); {_EXAMPLE}.") from None
    names = {name for name in GROUPS if name in pattern._names}
    if not any(names >= enough for enough in _ENOUGH):
        raise UsageError(
            f"The pattern {text!r} has no group named 'camera' or 'timestamp', and no date (date, epoch, or year, "
            f"month and day); {_EXAMPLE}."
        )
    return pattern


def _with_distinct_names(text: str) -> str:
    """The expression with a number behind each group name that stood before: Python takes each name once."""
    counts: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        name = match[1]
        escapes = len(match.string[: match.start()]) - len(match.string[: match.start()].rstrip("\\"))
        if name not in GROUPS or escapes % 2:
            return match[0]
        counts[name] = counts.get(name, 0) + 1
        return match[0] if counts[name] == 1 else f"(?P<{name}__{counts[name]}>"

    return _GROUP.sub(numbered, text)


def _groups_by_name(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for group in pattern.groupindex:
        names.setdefault(group.partition("__")[0], []).append(group)
    return names


def _read_moments(texts: Mapping[str, list[str]]) -> tuple[datetime | None, datetime | None]:
    """The time of the groups; twice if a date may have the day or the month first."""
    if "timestamp" in texts:
        return read_timestamp(" ".join(texts["timestamp"]))
    if "epoch" in texts:
        return (read_epoch_text(texts["epoch"][0]), None) if _agree(texts["epoch"]) else (None, None)
    if not all(_agree(values) for name, values in texts.items() if name != "camera"):
        return None, None
    parts = {name: values[0].strip() for name, values in texts.items()}
    dates = _read_date_groups(parts)
    time = _read_time_groups(parts)
    if dates is None or time is None:
        return None, None
    hour, minute, second, fraction, offset = time
    first, other = (
        None if date is None else make_moment(*date, hour, minute, second, fraction=fraction, offset=offset)
        for date in dates
    )
    return (first, other) if first is not None else (other, None)


def _shown_order(text: str) -> bool | None:
    """Whether a date with its year last has the day first; None if it may be either, or is another date."""
    match = _YEAR_LAST.match(text.strip())
    if match is None or (int(match[1]) > 12) == (int(match[2]) > 12):
        return None
    return int(match[1]) > 12


def _agree(values: list[str]) -> bool:
    """Whether a group that stands several times says one thing."""
    return len({int(value) if value.isdecimal() else value.casefold() for value in values}) == 1


def _read_date_groups(parts: Mapping[str, str]) -> TextDate | None:
    if "date" in parts:
        return read_date(parts["date"])
    if not parts.keys() >= {"year", "day"} or not (parts["year"].isdecimal() and parts["day"].isdecimal()):
        return None
    if "month" not in parts:
        return read_date(f"{full_year(parts['year'])}{parts['day']}") if len(parts["day"]) == 3 else None
    month = month_number(parts["month"])
    return ((full_year(parts["year"]), month, int(parts["day"])), None) if month else None


def _read_time_groups(parts: Mapping[str, str]) -> tuple[int, int, int, str, str | None] | None:
    """Hour, minute, second, fraction and offset; what the pattern does not have is 0."""
    offset = parts.get("offset")
    if "time" in parts:
        time = read_time_of_day(parts["time"] + (f" {parts['ampm']}" if "ampm" in parts else ""))
        return None if time is None else (*time[:4], offset or time[4])
    second, _, fraction = parts.get("second", "0").replace(",", ".").partition(".")
    second, fraction = second[:2], second[2:] + fraction
    numbers = (parts.get("hour", "0"), parts.get("minute", "0"), second, fraction or "0")
    if not all(number.isdecimal() for number in numbers):
        return None
    hour = clock_hour(int(numbers[0]), parts.get("ampm"))
    return None if hour is None else (hour, int(numbers[1]), int(second), fraction, offset)
