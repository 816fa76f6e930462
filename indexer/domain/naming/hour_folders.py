"""Whether folders of two digits below a date are hours, or channels and so cameras.

Names with a *local time*, with a time of a *zone* (since 1970, or with an offset) and *without a time* are judged one
after the other, each by what they say themselves: that some files of a folder lie in their hours tells nothing of the
channels that others lie in.

- **Local times** show channels if they contradict the folders more often than not, and hours if several folders agree.
  There a name agrees with the hours beside its own, too; with their minutes only near its time.
- **Times of a zone** show hours if one time zone agrees with most folders (`indexer.domain.naming.zone_hours`).
- **Names without a time**, or with two numbers that may be hour and minute or minute and second, leave it to the
  modification times: if these agree for enough folders, on one day or on several, the folders are hours.
- **A single folder** that most of its times contradict, where other folders are hours, is a channel, for names of the
  same kind and of those behind it in this list.
- **Where a kind of names tells nothing**, its folders are hours if names before it in this list show that each of them
  is. Else, several folders are channels if they are numbered from 0 or 1 on, up to 16; other ones stay *unclear*, and a
  person is asked. A single folder is a channel beside other folders of kinds before it; alone it is unclear.
- **Where names show channels**, so do the kinds behind them in this list.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache, partial
from types import MappingProxyType
from typing import NamedTuple

from indexer.domain.naming.doubts import DAY_OF_ZONES_S, HOUR_AFTER_CHANGES, MIN_HOURS
from indexer.domain.naming.folders import Date
from indexer.domain.naming.zone_hours import (
    FULL_HOUR_S,
    MIN_HOURS_ALONE,
    are_enough_hours,
    are_numbered_like_channels,
    find_hours_of_a_zone,
    lies_in_hour,
)

_HOUR_S, _DAY_S = 3600, 86_400
_UNITS_S = (_HOUR_S, 60, 1)
_MAX_SHIFT_OF_DAYS = 2


class NameTime(Enum):
    """What a file name says of the time of day, what tells most first."""

    LOCAL = "a time without an offset"
    ZONED = "a time since 1970, or with an offset"
    NONE = "none, or one whose hour may be that of its folder"


class HourFolder(NamedTuple):
    """A folder of two digits below a date; `branch`: the folders that are channels anyhow."""

    date: Date | None
    branch: tuple[str, ...]
    number: int


class HourFile(NamedTuple):
    """A file below folders of two digits.

    `folder`: the first of them; `clock`: their numbers; `moment`: what the name itself says, with the hour.
    """

    folder: HourFolder
    clock: tuple[int, ...]
    mtime_ns: int
    moment: datetime | None


class HourVerdict(NamedTuple):
    """What folders of two digits are.

    `are_channels`: by the kind of the names in them; a kind of which nothing is known is left out. Channels are the
    folders from `first_channel` on, 0 for the first one below the date. `unclear`: the kinds of names that tell nothing
    themselves. `channels`: single folders that are channels for a kind of names of which the other ones are hours.
    `numbered`: the kinds whose folders are channels by their numbers alone. `beside_known`: single folders that are
    channels if the other ones are hours.
    """

    are_channels: Mapping[NameTime, bool] = MappingProxyType({})
    first_channel: int = 0
    unclear: frozenset[NameTime] = frozenset()
    channels: frozenset[tuple[NameTime, HourFolder]] = frozenset()
    numbered: frozenset[NameTime] = frozenset()
    beside_known: frozenset[tuple[NameTime, HourFolder]] = frozenset()

    def is_channel(self, kind: NameTime, folder: HourFolder) -> bool:
        """Whether a folder is known to be a channel for a kind of names in it."""
        return self.are_channels.get(kind, False) or (kind, folder) in self.channels

    def contradicts(self, known: Mapping[NameTime, bool]) -> bool:
        """Whether this differs from what is known of the kinds of names, as in `are_channels`."""
        return any(kind in known and known[kind] != shown for kind, shown in self._shown_beside(known).items())

    def with_known(self, known: Mapping[NameTime, bool]) -> "HourVerdict":
        """The same where some is known, as in `are_channels`. Where the two differ, folders are channels: so no two
        cameras become one."""
        shown = self._shown_beside(known)
        both = {kind: shown.get(kind, False) or known.get(kind, False) for kind in shown.keys() | known.keys()}
        channels = {one for one in self.beside_known if not known.get(one[0])}
        return self._replace(
            are_channels=with_weaker_kinds(both),
            unclear=self.unclear - known.keys(),
            channels=self.channels | channels,
        )

    def _shown_beside(self, known: Mapping[NameTime, bool]) -> Mapping[NameTime, bool]:
        """`are_channels` without what known names tell better: those with a time of a zone, than numbers of folders."""
        is_less = NameTime.ZONED in self.numbered and NameTime.ZONED in known
        return {kind: shown for kind, shown in self.are_channels.items() if not (is_less and kind is NameTime.ZONED)}


NO_HOURS = HourVerdict()
"""What one name decides alone."""
ALL_CHANNELS = HourVerdict(dict.fromkeys(NameTime, True))


def name_time(moment: datetime | None) -> NameTime:
    """The kind of a name that says this time, with its own hour."""
    if moment is None:
        return NameTime.NONE
    return NameTime.LOCAL if moment.tzinfo is None else NameTime.ZONED


class _KindHours(NamedTuple):
    """Whether the folders of one kind of names are hours (None: nothing tells), and what single ones are then."""

    are_hours: bool | None = None
    hours: Set[HourFolder] = frozenset()
    channels: Set[HourFolder] = frozenset()
    others: Set[HourFolder] = frozenset()
    """Where too few folders show hours: those that would be channels."""


def judge_hours(files: Iterable[HourFile], *, beside: Collection[str] = ()) -> HourVerdict:
    """What the files of one camera's folder decide; `beside`: the names of the folders beside those of two digits."""
    by_kind: dict[NameTime, list[HourFile]] = {kind: [] for kind in NameTime}
    for file in files:
        by_kind[name_time(file.moment)].append(file)
    first_channel, are_local_channels = _find_local_channel(by_kind[NameTime.LOCAL])
    if are_local_channels:
        return HourVerdict(with_weaker_kinds({NameTime.LOCAL: True}), first_channel)
    are_channels, unclear, numbered = dict[NameTime, bool](), set[NameTime](), set[NameTime]()
    hours, others, channels = set[HourFolder](), set[HourFolder](), set[HourFolder]()
    lone_channels, beside_known = set[tuple[NameTime, HourFolder]](), set[tuple[NameTime, HourFolder]]()
    for kind, files_of_kind in by_kind.items():
        group = [file for file in files_of_kind if file.folder not in channels]
        folders = {file.folder for file in group}
        shown = _judge_kind(kind, group, beside)
        are_hours = True if shown.are_hours is None and folders and folders <= hours else shown.are_hours
        if are_hours is not None:
            are_channels[kind] = not are_hours
        elif group and kind is not NameTime.LOCAL:
            is_numbered = _are_numbered(group, beside, is_single_channel=bool(others - folders))
            are_channels |= {} if is_numbered is None else {kind: is_numbered}
            (numbered if is_numbered else unclear).add(kind)
        channels |= shown.channels
        hours = (hours | shown.hours) - channels
        others |= folders
        lone_channels |= {(kind, folder) for folder in channels}
        beside_known |= {(kind, folder) for folder in shown.others}
    sets = frozenset(unclear), frozenset(lone_channels), frozenset(numbered), frozenset(beside_known)
    return HourVerdict(with_weaker_kinds(are_channels), first_channel, *sets)


def _judge_kind(kind: NameTime, files: Sequence[HourFile], beside: Collection[str]) -> _KindHours:
    """What the files of a kind of names say themselves; local times are none that contradict their folders."""
    if kind is NameTime.LOCAL:
        is_shown = len({file.folder.number for file in files}) >= MIN_HOURS
        channels = _list_folders(files, lambda file: not _is_of_hour(file))
        return _KindHours(is_shown or None, _list_folders(files, _agrees) if is_shown else frozenset(), channels)
    if kind is NameTime.NONE:
        return _KindHours(_are_hours_written(files, beside))
    zone = find_hours_of_a_zone(_spans_of_days((file, _moment_s(file)) for file in files).values())
    channels = _list_others(files, zone.offsets_s) if zone.offsets_s else set[HourFolder]()
    if not zone.are_hours:
        return _KindHours(zone.are_hours, others=channels)
    return _KindHours(True, {file.folder for file in files} - channels, channels)


def _list_others(files: Sequence[HourFile], offsets_s: Sequence[int]) -> Set[HourFolder]:
    """The folders that most of their times contradict in a zone; not those that an hour less or more would explain on a
    day of which no other hours are known to be of the zone, as clocks may have changed."""
    others = set(_list_folders(files, lambda file: not _is_of_zone(file, offsets_s)))
    if not others:
        return others
    days = _count_days(_list_folders(files, lambda file: _is_of_zone(file, offsets_s)))
    for beside_s in {offset_s + shift_s for offset_s in offsets_s for shift_s in (-_HOUR_S, _HOUR_S)}:
        shifted = _list_folders(files, partial(_is_of_zone, offsets_s=[beside_s]))
        shifted_days = _count_days(shifted)
        for folder in shifted & others:
            day = folder.date, folder.branch
            others -= {folder} if not days[day] or shifted_days[day] > days[day] else set()
    return others


def _count_days(folders: Iterable[HourFolder]) -> Counter[tuple[Date | None, tuple[str, ...]]]:
    """How many folders each day has, without those of the hours in which clocks change."""
    return Counter((folder.date, folder.branch) for folder in folders if folder.number >= HOUR_AFTER_CHANGES)


def _list_folders(files: Iterable[HourFile], is_of_kind: Callable[[HourFile], bool]) -> Set[HourFolder]:
    """The folders most of whose files are of a kind."""
    votes = defaultdict[HourFolder, int](int)
    for file in files:
        votes[file.folder] += 1 if is_of_kind(file) else -1
    return {folder for folder, vote in votes.items() if vote > 0}


def with_weaker_kinds(are_channels: Mapping[NameTime, bool]) -> dict[NameTime, bool]:
    """The same with channels for all kinds of names behind one that shows channels."""
    kinds = list(NameTime)
    first = next((at for at, kind in enumerate(kinds) if are_channels.get(kind)), len(kinds))
    return {**are_channels, **dict.fromkeys(kinds[first:], True)}


def list_channels(
    folder: HourFolder, clock: tuple[int, ...], moment: datetime | None, verdict: HourVerdict
) -> tuple[str, ...]:
    """The folders of two digits above a file that are channels; `moment`: the time of its path."""
    kind = name_time(moment)
    are_channels = verdict.are_channels.get(kind)
    if (kind, folder) in verdict.channels:
        start = 0
    elif moment is None or kind is NameTime.ZONED:
        is_first = clock[0] <= 1  # a number that both a first channel and an hour may have
        is_channel = is_first if are_channels is None else are_channels
        start = verdict.first_channel if is_channel else len(clock)
    else:
        start = _contradicted_from(clock, moment)
        if are_channels:
            start = min(start, verdict.first_channel)
        elif are_channels is False and start == 0 and _is_next_hour(clock, moment):
            start = len(clock)
    return tuple(f"{number:02}" for number in clock[start:])


def _contradicted_from(clock: tuple[int, ...], moment: datetime) -> int:
    """The first of the folders that is another hour, minute or second than the name's, or how many there are."""
    times = (moment.hour, moment.minute, moment.second)
    return next((at for at in range(len(clock)) if clock[at] != times[at]), len(clock))


def _agrees(file: HourFile) -> bool:
    return file.moment is not None and _contradicted_from(file.clock, file.moment) == len(file.clock)


def _is_of_hour(file: HourFile) -> bool:
    """Whether the local time of a name is in the hour of its folder, or in one beside it."""
    clock, moment = file.clock, file.moment
    return moment is not None and (_contradicted_from(clock, moment) > 0 or _is_next_hour(clock, moment))


def _moment_s(file: HourFile) -> float:
    return math.nan if file.moment is None else file.moment.timestamp()


def _second_of_day(folder: HourFolder, time_s: float) -> float:
    """A time since 1970 in seconds since the midnight UTC of a folder's day; not a number where that is not known."""
    return math.nan if folder.date is None else time_s - _midnight_s(folder.date)


@lru_cache(maxsize=64)  # files of a day follow each other
def _midnight_s(day: Date) -> float:
    return datetime(*day, tzinfo=UTC).timestamp()


def _is_of_zone(file: HourFile, offsets_s: Iterable[int]) -> bool:
    second = _second_of_day(file.folder, _moment_s(file))
    return any(lies_in_hour(file.folder.number, second, offset_s) for offset_s in offsets_s)


def _is_next_hour(clock: Sequence[int], moment: datetime) -> bool:
    """Whether a folder's hour is beside that of a name: a file at the full hour may come to lie in either.

    A minute or second below the hour must be near the time of the name.
    """
    if (clock[0] - moment.hour) % 24 not in {1, 23}:
        return False
    start_s = sum(number * unit_s for number, unit_s in zip(clock, _UNITS_S, strict=False))
    seen_s = moment.hour * _HOUR_S + moment.minute * 60 + moment.second
    apart_s = (seen_s - start_s + _DAY_S // 2) % _DAY_S - _DAY_S // 2
    return len(clock) == 1 or -FULL_HOUR_S <= apart_s <= _UNITS_S[len(clock) - 1] + FULL_HOUR_S


def _find_local_channel(files: Iterable[HourFile]) -> tuple[int, bool | None]:
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
    return numbers | {file.folder.number for file in files}


def _spans_of_days(files: Iterable[tuple[HourFile, float]]) -> dict[object, dict[int, list[float]]]:
    """The first and last of some times in each folder of a day, in seconds since midnight UTC, by the folder's number.

    Each file has a time in seconds since 1970; those of another day than that of the folder do not count.
    """
    spans: dict[object, dict[int, list[float]]] = defaultdict(dict)
    for (folder, *_), time_s in files:
        second = _second_of_day(folder, time_s)
        if DAY_OF_ZONES_S[0] <= second < DAY_OF_ZONES_S[1]:
            span = spans[folder.date, folder.branch].setdefault(folder.number, [second, second])
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
        times = [time for span in spans.values() for time in span]
        shown += is_alike and are_enough_hours(len(spans), times, may_be_channels=may_be_channels)
        contradicted += not is_alike
        shifts_of_days += shifts
        numbers |= spans.keys()
    if shown > contradicted:
        return True
    is_alike = bool(shifts_of_days) and max(shifts_of_days) - min(shifts_of_days) <= _MAX_SHIFT_OF_DAYS
    return True if is_alike and not may_be_channels and _are_far_apart(numbers) else None


def _are_far_apart(numbers: Set[int]) -> bool:
    """Whether folders of several days are enough to show hours.

    Adjacent ones are not, as channels may be written at one time of each day.
    """
    return len(numbers) >= MIN_HOURS_ALONE and max(numbers) - min(numbers) > 2 * _MAX_SHIFT_OF_DAYS
