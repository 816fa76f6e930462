"""Rules on when a camera takes images: it stands still, or it is silent.

Most rest on the rows of the index alone, and so cover removed images, too.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from indexer.domain.advice.episodes import end_of, find_episodes
from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Capture, MeasuredFrame, is_same_hour_of_other_day
from indexer.domain.advice.summer_time import has_clock_change
from indexer.domain.plurals import counted

_MIN_IMAGES = 20
_MIN_FROZEN = 10
_SILENT_INTERVALS = 5
_MIN_SILENCE = timedelta(minutes=30)
_MIN_USUAL_GAPS = 3  # gaps of about this length in the window that make it a habit of the camera
_AN_HOUR, _HOUR_TOLERANCE = timedelta(hours=1), timedelta(minutes=2)
_MIN_NOISY = 10  # frames that differ from the one before: without any, the pictures have no noise


def examine_frozen(images: Sequence[Capture]) -> Iterator[Answer]:
    """Whether the picture stood still: the same bytes at many times.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    """
    groups = [list(group) for _, group in groupby(images, key=lambda image: image.content_hash)]
    for index, group in enumerate(groups):
        times = {image.captured_at for image in group}
        if len(times) > _MIN_FROZEN:
            is_last = index == len(groups) - 1
            yield CameraFinding(
                Kind.FROZEN,
                since=group[0].captured_at,
                until=None if is_last else groups[index + 1][0].captured_at,
                strength=len(times) / _MIN_FROZEN,
                evidence={"images": len(times)},
                image_ids=(group[0].image_id, group[-1].image_id),
            )


def examine_still(first: Sequence[int], frames: Sequence[MeasuredFrame], *, hint: bool = False) -> Iterator[Answer]:
    """Whether the picture stood still, though the files have other bytes: not even its noise changed.

    Parameters
    ----------
    first : of int
        For each frame, the index of the first one before it that shows the very same; its own index if there is none.
    frames : of MeasuredFrame
        By time.
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    noisy = sum(begin == index for index, begin in enumerate(first))
    if noisy < _MIN_NOISY:
        return
    times = [frame.captured_at for frame in frames]
    is_still = [begin < index or first[index + 1 : index + 2] == [index] for index, begin in enumerate(first)]
    for episode in find_episodes(is_still, times, hint=hint):
        begin = first[episode.first]
        hits = sum(other == begin for other in first)
        if hits > _MIN_FROZEN or hint:
            yield CameraFinding(
                Kind.FROZEN,
                since=times[begin],
                until=end_of(episode, times),
                strength=max(hits / _MIN_FROZEN, 1.0),
                evidence={"images": hits},
                image_ids=(frames[begin].image_id, frames[episode.last].image_id),
            )


def examine_silence(
    images: Sequence[Capture],
    *,
    looked_at: Sequence[tuple[datetime, datetime]] = (),
    now: datetime,
    days: int,
) -> Iterator[Answer]:
    """Whether the camera took no image for much longer than it usually pauses.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    looked_at : of (from, to)
        Times in which frames of a video or of a live camera were looked at and not stored: it was not silent then.
    now : datetime
    days : int
        A camera whose last image is older is not in use any more, and is not called silent.
    """
    if len(images) < _MIN_IMAGES:
        yield CannotTell(Kind.SILENT, f"{counted(len(images), 'image')}, at least {_MIN_IMAGES} are needed")
        return
    gaps = list(_silences(images, looked_at))
    lengths_s = sorted((end - begin).total_seconds() for begin, end in gaps)
    usual_s = median(lengths_s) if lengths_s else 0.0
    least_s = max(_MIN_SILENCE.total_seconds(), _SILENT_INTERVALS * usual_s)
    last = max([images[-1].captured_at, *(end for _, end in looked_at)])
    is_in_use = timedelta() < now - last <= timedelta(days=days)
    pauses = [(begin, (end - begin).total_seconds()) for begin, end in gaps]
    pauses = [(begin, pause_s) for begin, pause_s in pauses if pause_s >= least_s / 2]  # few of a million gaps
    for begin, end in [*gaps, *([(last, None)] if is_in_use else [])]:
        silent_s = ((now if end is None else end) - begin).total_seconds()
        if silent_s <= least_s or _is_habit(begin, silent_s, pauses):
            continue
        if end is not None and _is_skipped_hour(begin, end, usual_s):
            continue
        before = bisect_right(images, begin, key=lambda image: image.captured_at)
        around = images[max(before - 1, 0) : before + (end is not None)]
        yield CameraFinding(
            Kind.SILENT,
            since=begin,
            until=end,
            strength=silent_s / least_s,
            evidence={"silent_s": round(silent_s), "usual_interval_s": round(usual_s, 1)},
            image_ids=tuple(image.image_id for image in around),
        )


def _is_habit(begin: datetime, silent_s: float, pauses: Sequence[tuple[datetime, float]]) -> bool:
    """Whether the camera often pauses for about so long, or did so at this time of another day, such as by night."""
    long = [other for other, pause_s in pauses if pause_s >= silent_s / 2]
    return len(long) >= _MIN_USUAL_GAPS or any(is_same_hour_of_other_day(other, begin) for other in long)


def _is_skipped_hour(begin: datetime, end: datetime, usual_s: float) -> bool:
    """Whether a time without images may be the hour that clocks skip, or the second one of an hour that happens twice:
    local times of both are read as those of the first."""
    slack = max(_HOUR_TOLERANCE, timedelta(seconds=2 * usual_s))
    return abs(end - begin - _AN_HOUR) <= slack and has_clock_change(begin, end)


def _silences(
    images: Sequence[Capture], looked_at: Sequence[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """The times between two images without another one, and in which nothing was looked at, by their begin."""
    seen = sorted([*((image.captured_at, image.captured_at) for image in images), *looked_at])
    until = seen[0][1]
    for begin, end in seen[1:]:
        if begin > until:
            yield until, begin
        until = max(until, end)
