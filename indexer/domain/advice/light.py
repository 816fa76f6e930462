"""Rules on the light: glare, a view that is too dark, and images that differ by nothing but light."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from statistics import median

from indexer.domain.advice.episodes import MIN_FRAMES, MIN_LENGTH, end_of, find_episodes
from indexer.domain.advice.findings import MIN_CLASS_FRAMES, Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.grid import connected_groups, rectangle_around
from indexer.domain.advice.measurements import (
    GRID_CELLS,
    LightClass,
    MeasuredFrame,
    MeasuredPair,
    is_of_other_day_at_that_hour,
)
from indexer.domain.plurals import counted

_MIN_GLARE_SHARE = 0.3
_MIN_GLARE_RISE = 0.1
_MIN_DAYS = 3
_MIN_OTHERS = 3  # frames of other days at that hour
_MAX_OTHERS_SHARE = 0.1
_MIN_EXPLAINED_SHARE = 0.5
_MIN_DARK_SHARE = 0.8
_MIN_LIGHT_SHARE = 2 / 3
_MAX_THINGS_SHARE = 0.1  # of the area that changed, and of the changes: with more, it is not light alone
_MIN_THING = 1000 / 307_200  # of the frame: the usual limit of the score. Light fills the frame, a walker some of it
_MIN_CHANGES = 3


def examine_glare(frames: Sequence[MeasuredFrame], light_class: LightClass, *, hint: bool = False) -> Iterator[Answer]:
    """Whether part of the frame is clipped white: at the same hour of several days, or when other days are not.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of one light class, by time.
    light_class
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    days = {frame.captured_at.date() for frame in frames}
    if len(frames) < MIN_CLASS_FRAMES or len(days) < _MIN_DAYS:
        known = f"{counted(len(frames), 'frame')} of {counted(len(days), 'day')}"
        reason = f"{known}, at least {MIN_CLASS_FRAMES} of {_MIN_DAYS} are needed"
        yield CannotTell(Kind.GLARE, reason, light_class)
        return
    usual = [median(frame.condition.bright[cell] for frame in frames) for cell in range(GRID_CELLS)]
    cells = [_glaring_cells(frame, usual) for frame in frames]
    days_by_hour: dict[int, set[date]] = defaultdict(set)
    for frame, glaring in zip(frames, cells, strict=True):
        if glaring:
            days_by_hour[frame.captured_at.hour].add(frame.captured_at.date())
    hours = {hour for hour, seen_on in days_by_hour.items() if len(seen_on) >= _MIN_DAYS}
    daily = [
        (frame, glaring) for frame, glaring in zip(frames, cells, strict=True) if glaring and _hour(frame) in hours
    ]
    if daily:
        yield _glares(daily, light_class, until=None)
    unusual = [
        [cell for cell in glaring if _hour(frame) not in hours and _is_unusual(frame, cell, frames)]
        for frame, glaring in zip(frames, cells, strict=True)
    ]
    times = [frame.captured_at for frame in frames]
    for episode in find_episodes([bool(glaring) for glaring in unusual], times, hint=hint):
        inside = range(episode.first, episode.last + 1)
        during = [(frames[index], unusual[index]) for index in inside if unusual[index]]
        yield _glares(during, light_class, until=end_of(episode, times))


def is_glare(blocked: CameraFinding, frames: Sequence[MeasuredFrame], glare: Sequence[CameraFinding]) -> bool:
    """Whether what seems to block the view is the sun, which hides it as well: most of its frames glare.

    Parameters
    ----------
    blocked : CameraFinding
    frames : of MeasuredFrame
        Of the light that it was seen in.
    glare : of CameraFinding
        In the same light; hints are enough.
    """
    during = [frame for frame in frames if _is_within(frame, blocked)]
    explained = [
        frame
        for frame in during
        if any(_is_within(frame, one) and f"{_hour(frame):02d}" in str(one.evidence["hours_utc"]) for one in glare)
    ]
    return bool(during) and len(explained) >= _MIN_EXPLAINED_SHARE * len(during)


def _is_within(frame: MeasuredFrame, finding: CameraFinding) -> bool:
    return finding.since <= frame.captured_at and (finding.until is None or frame.captured_at < finding.until)


def _glares(
    glaring: Sequence[tuple[MeasuredFrame, Sequence[int]]], light_class: LightClass, *, until: datetime | None
) -> CameraFinding:
    """The finding on frames and the cells of each that are white."""
    cells = Counter(cell for _, white in glaring for cell in white)
    region = [cell for cell, number in cells.items() if number >= len(glaring) / 2]
    shares = [max(frame.condition.bright[cell] for cell in white) for frame, white in glaring]
    first, last = glaring[0][0], glaring[-1][0]
    return CameraFinding(
        Kind.GLARE,
        since=first.captured_at,
        until=until,
        strength=median(shares) / _MIN_GLARE_SHARE,
        evidence={
            "hours_utc": ", ".join(f"{hour:02d}" for hour in sorted({_hour(frame) for frame, _ in glaring})),
            "bright_share": round(median(shares), 2),
            "days": len({frame.captured_at.date() for frame, _ in glaring}),
            "frames": len(glaring),
        },
        image_ids=(first.image_id, last.image_id),
        light_class=light_class,
        regions=tuple(rectangle_around(group) for group in connected_groups(sorted(region))),
        last_seen=last.captured_at,
    )


def _hour(frame: MeasuredFrame) -> int:
    return frame.captured_at.hour


def _glaring_cells(frame: MeasuredFrame, usual: Sequence[float]) -> list[int]:
    return [
        cell
        for cell, share in enumerate(frame.condition.bright)
        if share > _MIN_GLARE_SHARE and share >= usual[cell] + _MIN_GLARE_RISE
    ]


def _is_unusual(frame: MeasuredFrame, cell: int, frames: Sequence[MeasuredFrame]) -> bool:
    """Whether a cell is clearly whiter than on nearly all frames of other days at about that time of day."""
    others = [other for other in frames if is_of_other_day_at_that_hour(other, frame)]
    if len(others) < _MIN_OTHERS:
        return False
    whiter = frame.condition.bright[cell] - _MIN_GLARE_RISE
    return sum(other.condition.bright[cell] > whiter for other in others) <= _MAX_OTHERS_SHARE * len(others)


def examine_darkness(frames: Sequence[MeasuredFrame]) -> Iterator[Answer]:
    """Whether nothing can be told apart at some hours, for long or on several days.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of all light classes, by time.
    """
    by_hour: dict[int, list[MeasuredFrame]] = defaultdict(list)
    for frame in frames:
        by_hour[frame.captured_at.hour].append(frame)
    dark: list[MeasuredFrame] = []
    hours: list[int] = []
    for hour, taken in sorted(by_hour.items()):
        unlit = [frame for frame in taken if frame.condition.light_class is LightClass.DARK]
        if unlit and len(unlit) >= _MIN_DARK_SHARE * len(taken):
            dark += unlit
            hours.append(hour)
    dark.sort(key=lambda frame: frame.captured_at)
    if not dark or not _is_lasting([frame.captured_at for frame in dark]):
        return
    brightness = median(frame.condition.brightness for frame in dark)
    yield CameraFinding(
        Kind.TOO_DARK,
        since=dark[0].captured_at,
        until=None,
        strength=12 / max(brightness, 0.5),
        evidence={
            "hours_utc": ", ".join(f"{hour:02d}" for hour in hours),
            "brightness": round(brightness, 1),
            "frames": len(dark),
        },
        image_ids=(dark[-1].image_id,),
        light_class=LightClass.DARK,
    )


def _is_lasting(times: Sequence[datetime]) -> bool:
    """Whether something was seen on several days, or on enough frames for long enough."""
    days: set[date] = {time.date() for time in times}
    return len(times) >= MIN_FRAMES and (len(days) >= _MIN_DAYS or times[-1] - times[0] >= MIN_LENGTH)


def examine_light_changes(pairs: Sequence[MeasuredPair], *, frames: int) -> Iterator[Answer]:
    """Whether hardly anything but the light changes.

    Parameters
    ----------
    pairs : of MeasuredPair
        Each frame and the next one that differs from it, of any light class, by time.
    frames : int
        How many frames were looked at.
    """
    if frames < MIN_CLASS_FRAMES or len(pairs) < _MIN_CHANGES:
        reason = (
            f"{counted(len(pairs), 'change')} in {counted(frames, 'frame')}, at least {_MIN_CHANGES} in "
            f"{MIN_CLASS_FRAMES} are needed"
        )
        yield CannotTell(Kind.LIGHT_ONLY, reason)
        return
    total = sum(pair.change.total for pair in pairs)
    light, things, unclear = (
        sum(getattr(pair.change, name) for pair in pairs) / total for name in ("light", "things", "unclear")
    )
    with_things = sum(pair.change.things >= _MIN_THING for pair in pairs) / len(pairs)
    if max(things, with_things) > _MAX_THINGS_SHARE:
        return
    if light < _MIN_LIGHT_SHARE:
        yield CannotTell(Kind.LIGHT_ONLY, f"{unclear:.0%} of the area that changes has no texture")
        return
    most = max(pairs, key=lambda pair: pair.change.light)
    yield CameraFinding(
        Kind.LIGHT_ONLY,
        since=pairs[0].earlier.captured_at,
        until=None,
        strength=light / _MIN_LIGHT_SHARE,
        evidence={
            "light_share": round(light, 2),
            "things_share": round(things, 2),
            "unclear_share": round(unclear, 2),
            "changes": len(pairs),
            "frames": frames,
        },
        image_ids=(most.earlier.image_id, most.later.image_id),
    )
