"""Whether folders of two digits below a date are hours, or channels and so cameras.

Names with a *local time*, with a time of a *zone* (since 1970, or with an offset) and *without a time* are judged one
after the other, each by what they say themselves: that some files of a folder lie in their hours tells nothing of the
channels that others lie in.

- **Local times** show channels if they contradict the folders more often than not, and hours if several folders agree.
- **Times of a zone** show hours if one time zone agrees with most folders (`indexer.domain.naming.zone_hours`).
- **Names without a time**, or with two numbers that may be hour and minute or minute and second, leave it to the
  modification times: if these agree for enough folders, on one day or on several, the folders are hours.
- Where a kind of names tells nothing, its folders are hours if names before it in this list show that the same folders
  are. Else they are channels if they are numbered from 0 or 1 on, up to 16, and hours if not; this is *unclear*. A
  single folder beside those of other kinds is a channel.
- Where names show channels, so do the kinds behind them in this list.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from indexer.domain.naming.doubts import DAY_OF_ZONES_S, MIN_HOURS
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.zone_hours import are_hours_of_a_zone, are_numbered_like_channels

_HOUR_S = 3600
_MIN_HOURS_WRITTEN = 3
_MAX_SHIFT_OF_DAYS = 2


class NameTime(Enum):
    """What a file name says of the time of day, what tells most first."""

    LOCAL = "a time without an offset"
    ZONED = "a time since 1970, or with an offset"
    NONE = "none, or one whose hour may be that of its folder"


class HourFile(NamedTuple):
    """A file below folders of two digits.

    `clock`: their numbers; `branch`: the folders that are channels anyhow; `moment`: what the name itself says, with
    the hour.
    """

    path: str
    mtime_ns: int
    clock: tuple[int, ...]
    branch: tuple[str, ...]
    moment: datetime | None

    @property
    def folder(self) -> tuple[object, ...]:
        """The first of the folders of two digits."""
        return read_folder(self.path.rpartition("/")[0]).date, self.branch, self.clock[0]


class HourVerdict(NamedTuple):
    """What folders of two digits are.

    `are_channels`: by the kind of the names in them; a kind of which nothing is known is left out. Channels are the
    folders from `first_channel` on, 0 for the first one below the date. `unclear`: the kinds of names that tell nothing
    themselves.
    """

    are_channels: Mapping[NameTime, bool] = MappingProxyType({})
    first_channel: int = 0
    unclear: frozenset[NameTime] = frozenset()


NO_HOURS = HourVerdict()
"""What one name decides alone."""
ALL_CHANNELS = HourVerdict(dict.fromkeys(NameTime, True))


def name_time(moment: datetime | None) -> NameTime:
    """The kind of a name that says this time, with its own hour."""
    if moment is None:
        return NameTime.NONE
    return NameTime.LOCAL if moment.tzinfo is None else NameTime.ZONED


def judge_hours(files: Iterable[HourFile], *, beside: Collection[str] = ()) -> HourVerdict:
    """What the files of one camera's folder decide; `beside`: the names of the folders beside those of two digits."""
    by_kind: dict[NameTime, list[HourFile]] = defaultdict(list)
    for file in files:
        by_kind[name_time(file.moment)].append(file)
    are_channels, unclear = dict[NameTime, bool](), set[NameTime]()
    first_channel, is_local_channel = _judge_local(by_kind[NameTime.LOCAL])
    if is_local_channel is not None:
        are_channels[NameTime.LOCAL] = is_local_channel
    hours = {file.folder for file in by_kind[NameTime.LOCAL] if is_local_channel is False and _agrees(file)}
    others = {file.folder for file in by_kind[NameTime.LOCAL]}
    for kind in (NameTime.ZONED, NameTime.NONE) if not is_local_channel else ():
        group = by_kind[kind]
        folders = {file.folder for file in group}
        shown = _are_hours_of_zone(group) if kind is NameTime.ZONED else _are_hours_written(group, beside)
        if shown is None and group and folders <= hours:
            shown = True
        if shown is not None:
            are_channels[kind] = not shown
        elif group:
            numbered = _are_numbered(group, beside, is_single_channel=bool(others - folders))
            are_channels |= {} if numbered is None else {kind: numbered}
            unclear |= set() if numbered else {kind}
        hours |= folders if shown else set()
        others |= folders
    return HourVerdict(with_weaker_kinds(are_channels), first_channel, frozenset(unclear))


def with_weaker_kinds(are_channels: Mapping[NameTime, bool]) -> dict[NameTime, bool]:
    """The same with channels for all kinds of names behind one that shows channels."""
    kinds = list(NameTime)
    first = next((at for at, kind in enumerate(kinds) if are_channels.get(kind)), len(kinds))
    return {**are_channels, **dict.fromkeys(kinds[first:], True)}


def list_channels(clock: tuple[int, ...], moment: datetime | None, verdict: HourVerdict) -> tuple[str, ...]:
    """The folders of two digits above a file that are channels; `moment`: the time of its path."""
    kind = name_time(moment)
    are_channels = verdict.are_channels.get(kind)
    if moment is None or kind is NameTime.ZONED:
        is_first = clock[0] <= 1  # a number that both a first channel and an hour may have
        is_channel = is_first if are_channels is None else are_channels
        start = verdict.first_channel if is_channel else len(clock)
    else:
        start = _contradicted_from(clock, moment)
        if are_channels:
            start = min(start, verdict.first_channel)
        elif are_channels is False and start == 0 and _is_next_hour(clock[0], moment):
            start = len(clock)
    return tuple(f"{number:02}" for number in clock[start:])


def _contradicted_from(clock: tuple[int, ...], moment: datetime) -> int:
    """The first of the folders that is another hour, minute or second than the name's, or how many there are."""
    times = (moment.hour, moment.minute, moment.second)
    return next((at for at in range(len(clock)) if clock[at] != times[at]), len(clock))


def _agrees(file: HourFile) -> bool:
    return file.moment is not None and _contradicted_from(file.clock, file.moment) == len(file.clock)


def _is_next_hour(hour: int, moment: datetime) -> bool:
    """Whether a folder's hour is beside that of a name: a file at the full hour may come to lie in either."""
    return (hour - moment.hour) % 24 in {1, 23}


def _judge_local(files: Iterable[HourFile]) -> tuple[int, bool | None]:
    """The first of the folders that the local times of most names contradict, and whether there is one.

    None: a single folder agrees with its times, or no name has a local time.
    """
    pairs = [(file.clock, file.moment) for file in files if file.moment is not None]
    starts = [(_contradicted_from(clock, moment), len(clock)) for clock, moment in pairs]
    for at in range(max((count for _, count in starts), default=0)):
        contradicted = sum(start == at < count for start, count in starts)
        if contradicted and contradicted >= sum(start > at for start, _ in starts):
            return at, True
    return 0, False if len({clock[0] for clock, _ in pairs}) >= MIN_HOURS else None


def _are_numbered(files: Iterable[HourFile], beside: Collection[str], *, is_single_channel: bool) -> bool | None:
    """Whether folders are numbered like channels; a single one tells nothing, or is one if it `is_single_channel`."""
    numbers = _list_numbers(files, beside)
    if len(numbers) < MIN_HOURS:
        return True if is_single_channel else None
    return are_numbered_like_channels(numbers)


def _list_numbers(files: Iterable[HourFile], beside: Collection[str]) -> set[int]:
    """The numbers of the folders of some files and of those beside them."""
    numbers = {int(name) for name in beside if len(name) == 2 and name.isascii() and name.isdecimal()}
    return numbers | {file.clock[0] for file in files}


def _are_hours_of_zone(files: Iterable[HourFile]) -> bool | None:
    """Whether folders are the hours of a time zone by the times of the names; None: nothing tells."""
    return are_hours_of_a_zone(
        _spans_of_days((file, file.moment.timestamp()) for file in files if file.moment is not None).values()
    )


def _spans_of_days(files: Iterable[tuple[HourFile, float]]) -> dict[object, dict[int, list[float]]]:
    """The first and last of some times in each folder of a day, in seconds since midnight UTC, by the folder's number.

    Each file has a time in seconds since 1970; those of another day than that of the folder do not count.
    """
    spans: dict[object, dict[int, list[float]]] = defaultdict(dict)
    for file, time_s in files:
        date, branch, number = read_folder(file.path.rpartition("/")[0]).date, file.branch, file.clock[0]
        second = math.nan if date is None else time_s - datetime(*date, tzinfo=UTC).timestamp()
        if DAY_OF_ZONES_S[0] <= second < DAY_OF_ZONES_S[1]:
            span = spans[date, branch].setdefault(number, [second, second])
            span[0], span[1] = min(span[0], second), max(span[1], second)
    return spans


def _are_hours_written(files: Collection[HourFile], beside: Collection[str]) -> bool | None:
    """Whether the folders of a day were each written in its own hour; False: at the same times, for more than an hour.

    A time zone shifts all folders alike, but clocks may change between days.
    """
    may_be_channels = are_numbered_like_channels(_list_numbers(files, beside))
    shown = contradicted = 0
    shifts_of_days, numbers = list[float](), set[int]()
    for spans in _spans_of_days((file, file.mtime_ns / 1e9) for file in files).values():
        ordered = sorted(span for span in spans.values() if span[1] - span[0] > _HOUR_S)
        if any(after[0] <= before[1] for before, after in itertools.pairwise(ordered)):
            return False
        shifts = [time / _HOUR_S - number for number, span in spans.items() for time in span]
        is_alike = max(shifts) - min(shifts) <= 1
        shown += is_alike and _show_hours(spans, may_be_channels=may_be_channels)
        contradicted += not is_alike
        shifts_of_days += shifts
        numbers |= spans.keys()
    if shown > contradicted:
        return True
    is_alike = bool(shifts_of_days) and max(shifts_of_days) - min(shifts_of_days) <= _MAX_SHIFT_OF_DAYS
    return True if is_alike and not may_be_channels and _are_far_apart(numbers) else None


def _show_hours(spans: Mapping[int, Sequence[float]], *, may_be_channels: bool) -> bool:
    """Whether folders of a day, each written in its hour, are enough to show hours.

    Three are. Two are if they are not numbered like channels, and were not copied one after the other within an hour.
    """
    times = [time for span in spans.values() for time in span]
    are_two_enough = not may_be_channels and max(times) - min(times) >= _HOUR_S
    return len(spans) >= (MIN_HOURS if are_two_enough else _MIN_HOURS_WRITTEN)


def _are_far_apart(numbers: Set[int]) -> bool:
    """Whether folders of several days are enough to show hours.

    Adjacent ones are not, as channels may be written at one time of each day.
    """
    return len(numbers) >= _MIN_HOURS_WRITTEN and max(numbers) - min(numbers) > 2 * _MAX_SHIFT_OF_DAYS
