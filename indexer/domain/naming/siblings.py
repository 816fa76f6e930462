"""What all files of a camera's folder decide together, where one name cannot.

- Day or month first: one date that only one order allows decides for all; two that contradict each other decide
  nothing.
- Ten digits are seconds since 1970 where several files have such numbers, within five years, and not all are hours.
- Four or six digits after a date are a time where all of them could be one, several hours occur, and they do not count
  up by one.
- Numbers before the time are events or running numbers, and no cameras, where the folder holds several and none comes
  back after a higher one. Channels of a recorder take turns; events do not.
- Folders of two digits below a date are hours, unless files of two of them were written at the same time.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from indexer.domain.naming.camera_words import CameraText
from indexer.domain.naming.file_times import Doubt, DoubtKind
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.reading import PathReading

_EPOCH_SPAN = timedelta(days=5 * 366)
_MIN_TIMES = 3
"""The fewest numbers after a date that can be taken for times."""
_CHANNEL_DIGITS = 3
"""Longer numbers are never channels: two images of one second may follow each other."""


class Sibling(NamedTuple):
    """A file of a camera's folder."""

    path: str
    mtime_ns: int
    reading: PathReading


@dataclass(frozen=True)
class FolderVerdict:
    """What the files of a camera's folder decide. None: nothing.

    `has_several_numbers`: whether their names could tell events from channels.
    """

    day_first: bool | None = None
    has_epochs: bool = False
    has_minutes: bool = False
    has_seconds: bool = False
    numbers_are_events: bool = False
    has_several_numbers: bool = False
    hours_are_branches: bool = False


NO_SIBLINGS = FolderVerdict()
"""What a name decides alone."""


def judge_folder(siblings: Sequence[Sibling]) -> FolderVerdict:
    """What the files of one camera's folder decide together."""
    doubts: dict[DoubtKind, list[Doubt]] = defaultdict(list)
    for _, _, reading in siblings:
        if reading.doubt is not None:
            doubts[reading.doubt.kind].append(reading.doubt)
    day_first = _is_day_first(doubts[DoubtKind.DAY_OR_MONTH])
    verdict = FolderVerdict(
        day_first=day_first,
        has_epochs=_are_epochs(doubts[DoubtKind.TEN_DIGITS]),
        has_minutes=_are_times(doubts[DoubtKind.FOUR_DIGITS]),
        has_seconds=_are_times(doubts[DoubtKind.SIX_DIGITS]),
        hours_are_branches=_have_hours_at_once(siblings),
    )
    numbers = {reading.camera_text for _, _, reading in siblings if reading.kind is CameraText.NUMBER}
    return replace(
        verdict, numbers_are_events=_are_events(siblings, verdict), has_several_numbers=len(set(map(int, numbers))) > 1
    )


def decided_moment(reading: PathReading, verdict: FolderVerdict) -> datetime | None:
    """The time of a path after its siblings were asked; None if it has none, or if it stays in doubt."""
    doubt = reading.doubt
    if doubt is None or reading.moment is not None:
        return reading.moment
    if doubt.kind is DoubtKind.DAY_OR_MONTH:
        return None if verdict.day_first is None else doubt.moment if verdict.day_first else doubt.month_first
    is_time = {
        DoubtKind.TEN_DIGITS: verdict.has_epochs,
        DoubtKind.FOUR_DIGITS: verdict.has_minutes,
        DoubtKind.SIX_DIGITS: verdict.has_seconds,
    }[doubt.kind]
    return doubt.moment if is_time else None


def branch_of(reading: PathReading, verdict: FolderVerdict) -> tuple[str, ...]:
    """The branch of a path after its siblings were asked."""
    if reading.hour is not None and verdict.hours_are_branches:
        return (*reading.branch, f"{reading.hour:02}")
    return reading.branch


def _is_day_first(doubts: Iterable[Doubt]) -> bool | None:
    votes = {doubt.moment is not None for doubt in doubts if (doubt.moment is None) != (doubt.month_first is None)}
    return votes.pop() if len(votes) == 1 else None


def _are_epochs(doubts: Sequence[Doubt]) -> bool:
    moments = {doubt.moment for doubt in doubts if doubt.moment is not None}
    if len(moments) < 2 or len(moments) < len({doubt.number for doubt in doubts}):
        return False
    if max(moments) - min(moments) > _EPOCH_SPAN:
        return False
    return not all(_is_hour(doubt.number) for doubt in doubts)


def _is_hour(digits: str) -> bool:
    """Whether ten digits are a date and an hour."""
    try:
        return datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:8]), int(digits[8:])).year >= 1970
    except ValueError:
        return False


def _are_times(doubts: Sequence[Doubt]) -> bool:
    numbers = sorted({doubt.number for doubt in doubts})
    if len(numbers) < _MIN_TIMES or any(doubt.moment is None for doubt in doubts):
        return False
    is_counting = all(int(after) - int(before) == 1 for before, after in itertools.pairwise(numbers))
    return len({number[:2] for number in numbers}) > 1 and not is_counting


def _are_events(siblings: Sequence[Sibling], verdict: FolderVerdict) -> bool:
    """Whether the numbers before the times of a folder are events: several, and none after a higher one."""
    numbered = [
        (moment.replace(tzinfo=None), int(reading.camera_text), len(reading.camera_text))
        for _, _, reading in siblings
        if reading.kind is CameraText.NUMBER and (moment := decided_moment(reading, verdict)) is not None
    ]
    if len({number for _, number, _ in numbered}) < 2:
        return False
    numbered.sort()
    for (before, low, _), (after, high, digits) in itertools.pairwise(numbered):
        if high < low or (high != low and before == after and digits <= _CHANNEL_DIGITS):
            return False
    return True


def _have_hours_at_once(siblings: Iterable[Sibling]) -> bool:
    """Whether files in folders of two hours of one date were written at the same time."""
    spans: dict[object, dict[int, list[int]]] = defaultdict(dict)
    for path, mtime_ns, reading in siblings:
        if reading.hour is not None:
            date = read_folder(path.rpartition("/")[0]).date
            span = spans[date, reading.branch].setdefault(reading.hour, [mtime_ns, mtime_ns])
            span[0], span[1] = min(span[0], mtime_ns), max(span[1], mtime_ns)
    for by_hour in spans.values():
        ordered = sorted(by_hour.values())
        if any(after[0] <= before[1] for before, after in itertools.pairwise(ordered) if before[0] < before[1]):
            return True
    return False
