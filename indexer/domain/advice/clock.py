"""Rules on the clock of a camera: it is whole hours off, or was set back.

Names are compared with the times at which the files were written, by the rows of the index alone, so that removed
images count, too; and with EXIF, which copies keep, in the frames that were looked at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from indexer.domain.advice.episodes import Episode, end_of, find_episodes
from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from indexer.domain.advice.summer_time import find_followed, has_clock_change, has_repeated_hour

_MIN_IMAGES = 20
_TOLERANCE = timedelta(seconds=120)
_MIN_CLOCK_SHARE = 0.8
_MAX_CLOCK_HOURS = 14
_MAX_BACK_SHARE = 0.02  # of the steps from one file to the next
_MIN_BACK = timedelta(minutes=10)
_MIN_TWICE = 2  # images before and after a jump whose times lie within it
_SAME_JUMP = 0.8  # of a jump back: a step forward by as much undoes it
_AN_HOUR = timedelta(hours=1)


def examine_clock(images: Sequence[Capture]) -> Iterator[Answer]:
    """Whether the times in the names are whole hours off the times at which the files were written, or go back.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    """
    written = sorted((image for image in images if image.from_name), key=lambda image: image.mtime_s)
    offsets = [_hours_off(image) for image in written]
    known = [(image, hours) for image, hours in zip(written, offsets, strict=True) if hours is not None]
    if len(known) < max(_MIN_IMAGES, _MIN_CLOCK_SHARE * len(written)):
        if is_written_in_order(written):
            yield from _find_jumps(written)
        else:
            yield CannotTell(Kind.CLOCK, "the files do not have the time at which they were written")
        return
    summer = find_followed([_mtime(image) for image, _ in known], [hours for _, hours in known])
    if summer is None:
        yield from _find_wrong(known, right=0)
        return
    standard = [
        (image, hours - added) for (image, hours), added in zip(known, summer, strict=True) if added is not None
    ]
    wrong = list(_find_wrong(standard, right=_most_common(hours for _, hours in standard)))
    yield from wrong or [_in_summer_time(known)]


def _find_wrong(known: Sequence[tuple[Capture, int]], *, right: int) -> Iterator[CameraFinding]:
    """The times in which names are another number of hours ahead of their files than is right.

    Local times of the hour that happens twice, when clocks go back, are read as those of the first one.
    """
    mtimes = [_mtime(image) for image, _ in known]
    usual = _most_common(hours for _, hours in known)
    for hours in sorted({hours for _, hours in known} - {right}):
        for episode in find_episodes([offset == hours for _, offset in known], mtimes):
            begin, end = mtimes[episode.first], mtimes[episode.last]
            if hours == usual - 1 and end - begin <= _AN_HOUR and has_repeated_hour(begin, end):
                continue
            yield CameraFinding(
                Kind.CLOCK,
                since=begin,
                until=end_of(episode, mtimes),
                strength=float(abs(hours - right)),
                evidence={"hours": hours - right, "images": episode.hits, "all": int(episode.hits == len(known))},
                image_ids=(known[episode.first][0].image_id, known[episode.last][0].image_id),
            )


def _in_summer_time(known: Sequence[tuple[Capture, int]]) -> CameraFinding:
    """The finding that all names are in a time zone with summer time, and are not read so."""
    hours = max((hours for _, hours in known), key=abs)
    return CameraFinding(
        Kind.CLOCK,
        since=_mtime(known[0][0]),
        until=None,
        strength=float(abs(hours)),
        evidence={"hours": hours, "images": len(known), "all": 1, "summer_time": 1},
        image_ids=(known[0][0].image_id, known[-1][0].image_id),
    )


def examine_exif(frames: Sequence[MeasuredFrame], *, hint: bool = False) -> Iterator[Answer]:
    """Whether the times in some names are whole hours off those in EXIF, and in most they are not, or less so.

    If all differ by the same, names and EXIF may be in two time zones, which is no fault of a clock. If some differ by
    an hour more, from one change to summer time or back to the next, only one of the two follows summer time.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of one camera, by time.
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    known = _with_exif(frames)
    usual = _most_common(hours for _, hours in known)
    times = [frame.captured_at for frame, _ in known]
    for hours in sorted({hours for _, hours in known} - {usual}):
        for episode in find_episodes([other == hours for _, other in known], times, hint=hint):
            if abs(hours - usual) == 1 and _is_summer_time(episode, times):
                continue
            yield CameraFinding(
                Kind.CLOCK,
                since=times[episode.first],
                until=end_of(episode, times),
                strength=1.0 if hint else float(abs(hours - usual)),  # hours are no ratio that hints are sorted by
                evidence={"hours": hours - usual, "images": episode.hits, "all": 0, "exif": 1},
                image_ids=(known[episode.first][0].image_id, known[episode.last][0].image_id),
            )


def can_tell_by_exif(frames: Sequence[MeasuredFrame]) -> bool:
    """Whether the names of enough frames agree with EXIF but for whole hours."""
    return len(_with_exif(frames)) >= max(_MIN_IMAGES, _MIN_CLOCK_SHARE * len(frames))


def _is_summer_time(episode: Episode, times: Sequence[datetime]) -> bool:
    """Whether an episode begins and ends with a change to summer time or back, or with the first or last frame."""
    bounds = [(times[index - 1], times[index]) for index in (episode.first, episode.last + 1) if 0 < index < len(times)]
    return bool(bounds) and all(has_clock_change(begin, end) for begin, end in bounds)


def _most_common(hours: Iterable[int]) -> int:
    """The number of hours that most have; 0 of none."""
    return next((number for number, _ in Counter(hours).most_common(1)), 0)


def _mtime(image: Capture) -> datetime:
    """When its file was written."""
    return datetime.fromtimestamp(image.mtime_s, UTC)


def _with_exif(frames: Sequence[MeasuredFrame]) -> list[tuple[MeasuredFrame, int]]:
    """The frames whose names are whole hours ahead of EXIF, with these hours."""
    return [
        (frame, hours)
        for frame in frames
        if frame.exif_at is not None and (hours := _whole_hours(frame.captured_at - frame.exif_at)) is not None
    ]


def _hours_off(image: Capture) -> int | None:
    """By how many hours the name is ahead of the file; None if it is no whole number of hours."""
    return _whole_hours(image.captured_at - _mtime(image))


def _whole_hours(ahead: timedelta) -> int | None:
    """The whole number of hours that this nearly is; None if it is none, or more than `_MAX_CLOCK_HOURS`."""
    seconds = ahead.total_seconds()
    hours = round(seconds / 3600)
    return (
        hours if abs(seconds - 3600 * hours) <= _TOLERANCE.total_seconds() and abs(hours) <= _MAX_CLOCK_HOURS else None
    )


def is_written_in_order(written: Sequence[Capture]) -> bool:
    """Whether files were written in the order in which their images were taken, but for a few; copies may not be.

    Parameters
    ----------
    written : of Capture
        By the time of modification.
    """
    steps = list(pairwise(written))
    if len(written) < _MIN_IMAGES or any(one.mtime_s == other.mtime_s for one, other in steps):
        return False
    return sum(other.captured_at < one.captured_at for one, other in steps) <= _MAX_BACK_SHARE * len(steps)


def _find_jumps(written: Sequence[Capture]) -> Iterator[CameraFinding]:
    """The times in which the clock was off: between a jump back and a step forward by as much.

    The folders of a copy may be written in another order than they were taken. So a jump only counts if images before
    and after it have times that lie within it.
    """
    times = [image.captured_at for image in written]
    usual = timedelta(seconds=median((end - begin).total_seconds() for begin, end in pairwise(times)))
    for index, (before, after) in enumerate(pairwise(times)):
        back = before - after + usual
        if abs(back - _AN_HOUR) <= max(usual, _TOLERANCE) and has_repeated_hour(after, before):
            continue
        if not _MIN_BACK <= back <= timedelta(hours=_MAX_CLOCK_HOURS):
            continue
        if min(sum(after <= time <= before for time in part) for part in (times[: index + 1], times[index + 1 :])) < (
            _MIN_TWICE
        ):
            continue
        first, last = _wrong_part(times, index, least=_SAME_JUMP * back)
        yield CameraFinding(
            Kind.CLOCK,
            since=times[first],
            until=None if last + 1 == len(times) else max(times[first], times[last + 1]),
            strength=max(back.total_seconds() / 3600, 1.0),
            evidence={
                "hours": round(back.total_seconds() / 3600, 1) * (-1 if first == index + 1 else 1),
                "images": last - first + 1,
                "all": 0,
                "jump_s": round(back.total_seconds()),
            },
            image_ids=(written[index].image_id, written[index + 1].image_id),
        )


def _wrong_part(times: Sequence[datetime], index: int, *, least: timedelta) -> tuple[int, int]:
    """The first and last image of the times with the wrong clock: from a step forward to the jump back after `index`,
    or from there to the next step forward, whichever is shorter."""
    forward = [number for number, (one, other) in enumerate(pairwise(times)) if other - one >= least]
    begin = max((number + 1 for number in forward if number < index), default=0)
    end = min((number for number in forward if number > index), default=len(times) - 1)
    if begin and (end + 1 == len(times) or index - begin < end - index):
        return begin, index
    return index + 1, end
