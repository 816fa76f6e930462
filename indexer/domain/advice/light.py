"""Rules on the light: glare at the same hour, a view that is too dark, light that flickers, and images that differ by
nothing but light."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from statistics import median

from indexer.domain.advice.episodes import MIN_FRAMES, MIN_LENGTH, Episode, end_of, find_episodes
from indexer.domain.advice.findings import MIN_CLASS_FRAMES, Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.grid import connected_groups, rectangle_around
from indexer.domain.advice.measurements import (
    GRID_CELLS,
    LightClass,
    MeasuredFrame,
    MeasuredPair,
)
from indexer.domain.plurals import counted

_MIN_GLARE_SHARE = 0.3
_MIN_GLARE_RISE = 0.1
_MIN_DAYS = 3
_MIN_DARK_SHARE = 0.8
_MIN_FLICKER_LEVELS = 6.0
_MIN_UNSETTLED_SHARE = 0.25  # of the frames: clouds alone let the brightness go up and down, too
_MAX_THINGS = 0.05  # of the frame: with more, something else than the light changed
_MIN_LIGHT_SHARE = 2 / 3
_MAX_THINGS_SHARE = 0.1  # of what changed: with more, it is not light alone
_MIN_CHANGES = 3
_MIN_PAIRS = 19


def examine_glare(frames: Sequence[MeasuredFrame], light_class: LightClass) -> Iterator[Answer]:
    """Whether part of the frame is clipped white at the same hour of several days.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of one light class, by time.
    light_class
    """
    days = {frame.captured_at.date() for frame in frames}
    if len(frames) < MIN_CLASS_FRAMES or len(days) < _MIN_DAYS:
        known = f"{counted(len(frames), 'frame')} of {counted(len(days), 'day')}"
        reason = f"{known}, at least {MIN_CLASS_FRAMES} of {_MIN_DAYS} are needed"
        yield CannotTell(Kind.GLARE, reason, light_class)
        return
    usual = [median(frame.condition.bright[cell] for frame in frames) for cell in range(GRID_CELLS)]
    by_hour: dict[int, list[MeasuredFrame]] = defaultdict(list)
    for frame in frames:
        if _glaring_cells(frame, usual):
            by_hour[frame.captured_at.hour].append(frame)
    hours = {
        hour for hour, glaring in by_hour.items() if len({frame.captured_at.date() for frame in glaring}) >= _MIN_DAYS
    }
    glaring = sorted((frame for hour in hours for frame in by_hour[hour]), key=lambda frame: frame.captured_at)
    if not glaring:
        return
    cells = Counter(cell for frame in glaring for cell in _glaring_cells(frame, usual))
    region = [cell for cell, number in cells.items() if number >= len(glaring) / 2]
    shares = [max(frame.condition.bright[cell] for cell in _glaring_cells(frame, usual)) for frame in glaring]
    yield CameraFinding(
        Kind.GLARE,
        since=glaring[0].captured_at,
        until=None,
        strength=median(shares) / _MIN_GLARE_SHARE,
        evidence={
            "hours_utc": ", ".join(f"{hour:02d}" for hour in sorted(hours)),
            "bright_share": round(median(shares), 2),
            "days": len({frame.captured_at.date() for frame in glaring}),
            "frames": len(glaring),
        },
        image_ids=(glaring[-1].image_id,),
        light_class=light_class,
        regions=tuple(rectangle_around(group) for group in connected_groups(sorted(region))),
    )


def _glaring_cells(frame: MeasuredFrame, usual: Sequence[float]) -> list[int]:
    return [
        cell
        for cell, share in enumerate(frame.condition.bright)
        if share > _MIN_GLARE_SHARE and share >= usual[cell] + _MIN_GLARE_RISE
    ]


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


def examine_flicker(pairs: Sequence[MeasuredPair]) -> Iterator[Answer]:
    """Whether the brightness goes up and down from frame to frame while nothing else changes.

    Parameters
    ----------
    pairs : of MeasuredPair
        Neighbours in time of one light class, by time; pairs that follow each other share a frame.
    """
    turns = [
        (one, other)
        for one, other in pairwise(pairs)
        if one.later.image_id == other.earlier.image_id and max(one.change.things, other.change.things) <= _MAX_THINGS
    ]
    if len(turns) < _MIN_PAIRS:
        reason = f"{counted(len(turns), 'time')} three frames in a row, at least {_MIN_PAIRS} are needed"
        yield CannotTell(Kind.FLICKER, reason)
        return
    times = [one.later.captured_at for one, _ in turns]
    is_large = [_swing(one, other) > _MIN_FLICKER_LEVELS for one, other in turns]
    episodes = find_episodes(is_large, times)
    for episode in episodes:
        yield _flickers(turns[episode.first : episode.last + 1], episode, until=end_of(episode, times))
    if not episodes and sum(is_large) >= _MIN_UNSETTLED_SHARE * len(turns):
        yield CannotTell(Kind.FLICKER, f"the light changes by more than {_MIN_FLICKER_LEVELS:g} levels too often")


def _flickers(
    turns: Sequence[tuple[MeasuredPair, MeasuredPair]], episode: Episode, *, until: datetime | None
) -> CameraFinding:
    large = [swing for one, other in turns if (swing := _swing(one, other)) > _MIN_FLICKER_LEVELS]
    return CameraFinding(
        Kind.FLICKER,
        since=turns[0][0].earlier.captured_at,
        until=until,
        strength=median(large) / _MIN_FLICKER_LEVELS,
        evidence={
            "levels": round(median(large), 1),
            "sign_changes": round(episode.hits / len(turns), 2),
            "frames": len(turns) + 2,
        },
        image_ids=(turns[-1][0].earlier.image_id, turns[-1][0].later.image_id),
        light_class=turns[0][0].later.condition.light_class,
    )


def _swing(one: MeasuredPair, other: MeasuredPair) -> float:
    """By how many levels the brightness goes up and down again, or down and up; 0 if it does not."""
    rises = _rise(one), _rise(other)
    return min(map(abs, rises)) if rises[0] * rises[1] < 0 else 0.0


def _rise(pair: MeasuredPair) -> float:
    return pair.later.condition.brightness - pair.earlier.condition.brightness


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
    if light < _MIN_LIGHT_SHARE or things > _MAX_THINGS_SHARE:
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
