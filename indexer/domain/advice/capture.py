"""Rules on when a camera takes images: it stands still, it is silent, its clock is wrong, or it takes too many.

They rest on the rows of the index alone, and so cover removed images, too.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median

from indexer.domain.advice.episodes import end_of, find_episodes
from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Capture
from indexer.domain.plurals import counted

_MIN_IMAGES = 20
_MIN_FROZEN = 10
_SILENT_INTERVALS = 5
_MIN_SILENCE = timedelta(minutes=30)
_MIN_USUAL_GAPS = 3  # gaps of about this length in the window that make it a habit of the camera
_CLOCK_TOLERANCE_S = 120
_MIN_CLOCK_SHARE = 0.8
_MAX_CLOCK_HOURS = 14
_MIN_DECIDED = 200
_MAX_DUPLICATES = 0.99


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


def examine_silence(images: Sequence[Capture], *, now: datetime, days: int) -> Iterator[Answer]:
    """Whether the camera took no image for much longer than it usually pauses.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    now : datetime
    days : int
        A camera whose last image is older is not in use any more, and is not called silent.
    """
    if len(images) < _MIN_IMAGES:
        yield CannotTell(Kind.SILENT, f"{counted(len(images), 'image')}, at least {_MIN_IMAGES} are needed")
        return
    gaps = [(begin, end) for begin, end in pairwise(images) if end.captured_at > begin.captured_at]
    lengths_s = sorted(_apart_s(begin, end.captured_at) for begin, end in gaps)
    usual_s = median(lengths_s) if lengths_s else 0.0
    least_s = max(_MIN_SILENCE.total_seconds(), _SILENT_INTERVALS * usual_s)
    last = images[-1]
    is_in_use = timedelta() < now - last.captured_at <= timedelta(days=days)
    for begin, end in [*gaps, *([(last, None)] if is_in_use else [])]:
        silent_s = _apart_s(begin, now if end is None else end.captured_at)
        if silent_s <= least_s or len(lengths_s) - bisect_left(lengths_s, silent_s / 2) >= _MIN_USUAL_GAPS:
            continue
        yield CameraFinding(
            Kind.SILENT,
            since=begin.captured_at,
            until=None if end is None else end.captured_at,
            strength=silent_s / least_s,
            evidence={"silent_s": round(silent_s), "usual_interval_s": round(usual_s, 1)},
            image_ids=tuple(image.image_id for image in (begin, end) if image is not None),
        )


def _apart_s(begin: Capture, end: datetime) -> float:
    return (end - begin.captured_at).total_seconds()


def examine_clock(images: Sequence[Capture]) -> Iterator[Answer]:
    """Whether the times in the names are whole hours off the times at which the files were written.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    """
    written = sorted((image for image in images if image.from_name), key=lambda image: image.mtime_s)
    offsets = [_hours_off(image) for image in written]
    known = [(image, hours) for image, hours in zip(written, offsets, strict=True) if hours is not None]
    if len(known) < max(_MIN_IMAGES, _MIN_CLOCK_SHARE * len(written)):
        yield CannotTell(Kind.CLOCK, "the files do not have the time at which they were written")
        return
    mtimes = [datetime.fromtimestamp(image.mtime_s, UTC) for image, _ in known]
    for hours in sorted({hours for _, hours in known if hours}):
        for episode in find_episodes([offset == hours for _, offset in known], mtimes):
            first = known[episode.first][0]
            yield CameraFinding(
                Kind.CLOCK,
                since=mtimes[episode.first],
                until=end_of(episode, mtimes),
                strength=float(abs(hours)),
                evidence={"hours": hours, "images": episode.hits, "all": int(episode.hits == len(known))},
                image_ids=(first.image_id, known[episode.last][0].image_id),
            )


def _hours_off(image: Capture) -> int | None:
    """By how many hours the name is ahead of the file; None if it is no whole number of hours."""
    seconds = image.captured_at.timestamp() - image.mtime_s
    hours = round(seconds / 3600)
    return hours if abs(seconds - 3600 * hours) <= _CLOCK_TOLERANCE_S and abs(hours) <= _MAX_CLOCK_HOURS else None


def examine_interval(images: Sequence[Capture], *, duplicates: int, decided: int) -> Iterator[Answer]:
    """Whether the camera takes images so often that nearly all of them are duplicates.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    duplicates, decided : int
        How many of its images compare decided, and how many of those are duplicates.
    """
    if decided < _MIN_DECIDED:
        decisions = counted(decided, "image was", "images were")
        yield CannotTell(Kind.INTERVAL, f"{decisions} decided, at least {_MIN_DECIDED} must be")
        return
    share = duplicates / decided
    if share <= _MAX_DUPLICATES or len(images) < _MIN_DECIDED:
        return
    interval_s = median((end.captured_at - begin.captured_at).total_seconds() for begin, end in pairwise(images))
    yield CameraFinding(
        Kind.INTERVAL,
        since=images[0].captured_at,
        until=None,
        strength=(1 - _MAX_DUPLICATES) / max(1 - share, 1e-4),
        evidence={"duplicate_share": round(share, 4), "interval_s": round(interval_s, 1), "images": decided},
        image_ids=(images[-1].image_id,),
    )
