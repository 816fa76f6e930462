"""What all files of a camera's folder decide together, if one name cannot.

- **Day or month first.** One date that allows only one order decides for all. Two that contradict each other decide
  nothing.
- **Ten digits** are seconds since 1970 if several files have such numbers, within five years, or if a single one was
  written then. They are not where one begins with a date, or where all are month, day, hour, minute and second.
- **Four or six digits after a date** are a time if all of them could be one, several hours occur, and they do not count
  up by one. If the modification times of the day do not follow them, they are a counter. The same holds for hour and
  minute at the start of a name below a date, but more files are needed, and steps of whole hours are no counter.
- **A date whose year has two digits** has the only order in which all of them are dates. This needs several files.
- **Four digits behind ``-`` after a time** are an offset if several files share one, or two with an hour between them,
  as by daylight saving time. Otherwise they are a counter. For a single file, the modification time decides.
- **Numbers before the time** are channels, and so cameras, if one comes back after a higher one, or if two stand at one
  time. If they only count up, they are events in two cases: they are written as Motion does, or they are too long or
  too many for channels. There is one exception: if most of them last for hours or are far apart, they are plots or
  serial numbers. Otherwise nothing tells what they are.
- **Numbers at the end of a text before the time**, as in ``gate_0001``, are events in the same cases. Behind the number
  of a camera, they are events if they are written as Motion does.
- **Folders of two digits below a date** are hours or channels as `indexer.domain.naming.hour_folders` says.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from indexer.domain.naming.camera_words import SEPARATORS, CameraText
from indexer.domain.naming.doubts import (
    are_epochs,
    are_hour_minutes,
    are_times,
    find_order,
    is_day_first,
    is_written_soon,
)
from indexer.domain.naming.hour_folders import (
    NO_HOURS,
    HourFile,
    HourFolder,
    HourVerdict,
    NameTime,
    judge_hours,
    list_channels,
    name_time,
)
from indexer.domain.naming.reading import PathReading, camera_needs_time
from indexer.domain.naming.stamps import Doubt, DoubtKind

_CHANNEL_DIGITS = 3
"""Longer numbers are never channels: two images of one second may follow each other."""
_MAX_CHANNELS = 16
_MOST_CHANNELS = 64
"""Higher numbers are not looked at for channels that a recorder asks in turn."""
_MAX_RESTARTS = 0.1
"""The largest share of numbers of more events than there are channels that are lower than the one before: Motion counts
from 1 again when it is started."""
_EVENT_FIRST = re.compile(r"[0-9]+-[0-9]{14}(?![0-9])")
"""How Motion begins a name: the number of the event, and the time."""
_MAX_OFFSETS = 2
"""The offsets of a place: in winter and in summer."""
_EVENT = timedelta(hours=1)
"""Few events last longer."""
_MAX_EVENT_STEP = 10
"""Events without an image leave gaps, but seldom larger ones."""


class Sibling(NamedTuple):
    """A file of a camera's folder."""

    path: str
    mtime_ns: int
    reading: PathReading


@dataclass(frozen=True)
class FolderVerdict:
    """What the files of a camera's folder decide. None: nothing.

    `has_hour_minutes`: None where nothing shows that they are times, False where something shows that they are not.
    `short_year_order`: which of the orders of `Doubt.orders` dates with a year of two digits have. `counted_texts`: the
    texts behind which a number counts events, as `PathReading.uncounted_text`. `by_folder`: of which kinds of doubt
    known names have the camera of their folder, although they have a text for it: new ones have it, too. `hours`: what
    folders of two digits below a date are.
    """

    day_first: bool | None = None
    has_epochs: bool = False
    has_minutes: bool = False
    has_seconds: bool = False
    has_hour_minutes: bool | None = None
    has_offsets: bool | None = None
    short_year_order: int | None = None
    numbers_are_events: bool | None = None
    counted_texts: frozenset[str] = frozenset()
    by_folder: frozenset[DoubtKind] = frozenset()
    hours: HourVerdict = NO_HOURS


NO_SIBLINGS = FolderVerdict()
"""What a name decides alone."""


def judge_folder(siblings: Sequence[Sibling], *, beside: Collection[str] = ()) -> FolderVerdict:
    """What the files of one camera's folder decide together.

    `beside`: names of folders that lie beside those of two digits, also of such without a sibling.
    """
    doubts: dict[DoubtKind, list[Doubt]] = defaultdict(list)
    written: dict[DoubtKind, list[tuple[datetime, float]]] = defaultdict(list)
    for _, mtime_ns, reading in siblings:
        if reading.doubt is not None:
            doubts[reading.doubt.kind].append(reading.doubt)
            if reading.doubt.moment is not None:
                written[reading.doubt.kind].append((reading.doubt.moment, mtime_ns / 1e9))
    verdict = FolderVerdict(
        day_first=is_day_first(doubts[DoubtKind.DAY_OR_MONTH]),
        has_epochs=are_epochs(doubts[DoubtKind.TEN_DIGITS], written[DoubtKind.TEN_DIGITS]),
        has_minutes=are_times(doubts[DoubtKind.FOUR_DIGITS], written[DoubtKind.FOUR_DIGITS]),
        has_seconds=are_times(doubts[DoubtKind.SIX_DIGITS], written[DoubtKind.SIX_DIGITS]),
        has_hour_minutes=are_hour_minutes(doubts[DoubtKind.HOUR_MINUTE], written[DoubtKind.HOUR_MINUTE]),
        has_offsets=_are_offsets(siblings),
        short_year_order=find_order(doubts[DoubtKind.SHORT_YEAR]),
    )
    verdict = replace(
        verdict,
        numbers_are_events=_are_events(siblings, verdict),
        counted_texts=_list_counted_texts(siblings, verdict),
    )
    files = [
        HourFile(_hour_folder(reading), reading.clock, mtime_ns, _own_moment(reading, verdict))
        for _, mtime_ns, reading in siblings
        if reading.clock
    ]
    return replace(verdict, hours=judge_hours(files, beside=beside))


def decided_moment(reading: PathReading, verdict: FolderVerdict) -> datetime | None:
    """The time of a path after its siblings were asked; None if it has none, or if it stays in doubt."""
    doubt = reading.doubt
    if reading.may_lack_hour and reading.clock and verdict.hours.is_channel(NameTime.NONE, _hour_folder(reading)):
        return None
    if doubt is None or reading.moment is not None:
        return reading.moment
    if doubt.kind in {DoubtKind.DAY_OR_MONTH, DoubtKind.OFFSET}:
        is_first = verdict.day_first if doubt.kind is DoubtKind.DAY_OR_MONTH else verdict.has_offsets
        return None if is_first is None else doubt.moment if is_first else doubt.other
    if doubt.kind is DoubtKind.SHORT_YEAR:
        return None if verdict.short_year_order is None else doubt.orders[verdict.short_year_order]
    is_time = {
        DoubtKind.TEN_DIGITS: verdict.has_epochs,
        DoubtKind.FOUR_DIGITS: verdict.has_minutes,
        DoubtKind.SIX_DIGITS: verdict.has_seconds,
        DoubtKind.HOUR_MINUTE: verdict.has_hour_minutes,
    }[doubt.kind]
    return doubt.moment if is_time else None


def _own_moment(reading: PathReading, verdict: FolderVerdict) -> datetime | None:
    """The time of a path with the hour of its name; None if the hour is from a folder."""
    return None if reading.may_lack_hour else decided_moment(reading, verdict)


def is_kept_by_folder(reading: PathReading, verdict: FolderVerdict) -> bool:
    """Whether a path has a text for a camera, and has that of its folder only because known files have it."""
    doubt = reading.doubt
    if doubt is None or reading.moment is not None or doubt.kind not in verdict.by_folder or not reading.camera_text:
        return False
    return not camera_needs_time(doubt) or decided_moment(reading, verdict) is not None


def is_left_in_doubt(reading: PathReading, verdict: FolderVerdict) -> bool:
    """Whether a path may hold a time that its siblings did not decide."""
    doubt = reading.doubt
    if doubt is None or doubt.moment is None or decided_moment(reading, verdict) is not None:
        return False
    return doubt.kind is not DoubtKind.HOUR_MINUTE or verdict.has_hour_minutes is None


def branch_of(reading: PathReading, verdict: FolderVerdict) -> tuple[str, ...]:
    """The branch of a path after its siblings were asked: with the folders of two digits that are channels."""
    if not reading.clock:
        return reading.branch
    channels = list_channels(_hour_folder(reading), reading.clock, decided_moment(reading, verdict), verdict.hours)
    return (*reading.branch, *channels)


def is_in_single_channel(reading: PathReading, verdict: FolderVerdict) -> bool:
    """Whether a path lies in a folder of two digits that is a channel where the other ones are hours."""
    kind = name_time(decided_moment(reading, verdict))
    return bool(reading.clock) and (kind, _hour_folder(reading)) in verdict.hours.channels


def _hour_folder(reading: PathReading) -> HourFolder:
    """The first of the folders of two digits below a date above a file."""
    return HourFolder(reading.date, reading.branch, reading.clock[0])


def _are_offsets(siblings: Iterable[Sibling]) -> bool | None:
    """Whether four digits behind the times are offsets, None: nothing tells."""
    doubtful = [
        (sibling.mtime_ns / 1e9, sibling.reading.doubt)
        for sibling in siblings
        if sibling.reading.doubt is not None and sibling.reading.doubt.kind is DoubtKind.OFFSET
    ]
    counts = Counter(doubt.number for _, doubt in doubtful)
    if any(doubt.moment is None for _, doubt in doubtful):
        return False
    if doubtful and len(doubtful) >= 2 * len(counts) and "0000" not in counts:
        return True  # they come back, and all are of whole quarters of an hour: no counter does so
    if len(counts) > _MAX_OFFSETS:
        return False
    if len(doubtful) > len(counts):
        return max(map(int, counts)) - min(map(int, counts)) in {0, 100}
    for mtime_s, doubt in doubtful:
        for moment, is_offset in ((doubt.moment, True), (doubt.other, False)):
            if moment is not None and is_written_soon(moment, mtime_s):
                return is_offset
    return None


def _are_events(siblings: Sequence[Sibling], verdict: FolderVerdict) -> bool | None:
    """Whether the numbers before the times of a folder are events: several, and none after a higher one.

    None: they only count up, but so may a few channels.
    """
    numbered = [sibling for sibling in siblings if sibling.reading.kind is CameraText.NUMBER]
    is_motion = all(_EVENT_FIRST.match(sibling.path.rpartition("/")[2]) for sibling in numbered)
    return _do_count_events([(one, one.reading.camera_text) for one in numbered], verdict, is_motion=is_motion)


def _list_counted_texts(siblings: Iterable[Sibling], verdict: FolderVerdict) -> frozenset[str]:
    """The texts before times behind which a number counts events."""
    by_text: dict[str, list[tuple[Sibling, str]]] = defaultdict(list)
    for sibling in siblings:
        text, counted = sibling.reading.uncounted_text, sibling.reading.camera_text
        if text:
            by_text[text].append((sibling, counted[len(text) :].lstrip(SEPARATORS)))
    return frozenset(
        text
        for text, numbered in by_text.items()
        if _do_count_events(numbered, verdict, is_motion=text.isdecimal(), is_long=True)
    )


def _do_count_events(
    siblings: Iterable[tuple[Sibling, str]], verdict: FolderVerdict, *, is_motion: bool, is_long: bool = False
) -> bool | None:
    """Whether the digits beside each file are numbers of events, as in `_are_events`.

    `is_motion`: all are written as Motion does; `is_long`: none is short enough for a channel.
    """
    numbered = sorted(
        (moment.replace(tzinfo=None), int(digits), len(digits))
        for sibling, digits in siblings
        if (moment := decided_moment(sibling.reading, verdict)) is not None
    )
    numbers = {number for _, number, _ in numbered}
    if len(numbers) < 2:
        return None
    pairs = list(itertools.pairwise(numbered))
    falls = sum(high < low for (_, low, _), (_, high, _) in pairs)
    changes = sum(high != low for (_, low, _), (_, high, _) in pairs)
    if falls and not (is_motion and len(numbers) > _MAX_CHANNELS and falls <= _MAX_RESTARTS * changes):
        return False
    if falls and max(numbers) <= _MOST_CHANNELS and _come_back(numbered):
        return False
    if not is_long and any(
        high != low and before == after and digits <= _CHANNEL_DIGITS
        for (before, low, _), (after, high, digits) in pairs
    ):
        return False
    if is_motion:
        return True
    if _last_for_hours(numbered) or _are_far_apart(numbers):
        return None
    is_too_long = is_long or max(digits for _, _, digits in numbered) > _CHANNEL_DIGITS
    return True if is_too_long or len(numbers) > _MAX_CHANNELS else None


def _come_back(numbered: Sequence[tuple[datetime, int, int]]) -> bool:
    """Whether most numbers come again after each fall, as where a recorder asks its channels in turn."""
    runs = [{numbered[0][1]}]
    for (_, low, _), (_, high, _) in itertools.pairwise(numbered):
        if high < low:
            runs.append(set())
        runs[-1].add(high)
    after_falls, all_numbers = runs[1:], set().union(*runs)
    return sum(map(len, after_falls)) > len(after_falls) * len(all_numbers) / 2


def _last_for_hours(numbered: Iterable[tuple[datetime, int, int]]) -> bool:
    """Whether most of the numbers with several images last longer than an event does; times ascend."""
    times: dict[int, list[datetime]] = defaultdict(list)
    for moment, number, _ in numbered:
        times[number].append(moment)
    durations = [moments[-1] - moments[0] for moments in times.values() if len(moments) > 1]
    return sum(duration > _EVENT for duration in durations) > len(durations) / 2


def _are_far_apart(numbers: Set[int]) -> bool:
    """Whether numbers are too far apart for events that follow each other."""
    steps = [high - low for low, high in itertools.pairwise(sorted(numbers))]
    return median(steps) > _MAX_EVENT_STEP
