"""Rules on what lies between a camera and its view: blur, dirt on the lens, or something in front of it.

Each part of the frame is compared with itself on other frames in the same light. The loss of fine detail where the
coarse structure stays is blur; of part of the frame only, dirt, a drop or a web.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from indexer.domain.advice.episodes import Episode, end_of, find_episodes
from indexer.domain.advice.findings import MIN_CLASS_FRAMES, Answer, CameraFinding, Kind, cannot_tell, too_few_frames
from indexer.domain.advice.grid import connected_groups, rectangle_around
from indexer.domain.advice.measurements import (
    GRID_CELLS,
    LightClass,
    MeasuredFrame,
    is_of_other_day_at_that_hour,
)
from indexer.domain.masks import Rectangle

_MAX_DETAIL = 0.5  # of its own usual detail: less is blurred
_MAX_CELL_DETAIL = 0.35  # of a single cell: what stands before it for an hour may lower its detail, too
_MAX_WIPED_DETAIL = 0.15  # of the usual fine detail, compared with the rest of the frame: a drop takes the coarse
# structure, too, and a shadow takes as much of both
_MAX_WIPED_RATIO = 0.65  # of the usual detail per structure of such a cell
_MIN_DIRTY_FRAMES = 15
_USUAL_RANK = 0.75  # of the sorted frames: so much of the time may be blurred, and the usual detail is still that of a
# clean lens
_FLOOR = 2.0  # squared levels: noise in what counts as structure
_MIN_STRUCTURE = 9.0  # squared levels: a cell with less is too flat to be told blurred
_MIN_CELLS = 6
_DIRTY_SHARE = 0.4  # of the cells that can be told: if more are blurred, the whole frame is
_MIN_LIKENESS = 0.5
_MIN_COVERED_SHARE = 0.1
_MAX_UNLIKE = 0.4  # correlation with the reference: a cell below it shows another thing
_MIN_UNLIKE_CELLS = 5  # in one piece; three at most in 30 quiet days with a car that was parked
_MIN_BLOCKED = timedelta(minutes=10)  # sooner than other faults: nothing is seen meanwhile
_MIN_LOST_SHARE = 0.6
_MAX_MAIN_SHARE = 0.75
_MAX_USUAL_MAIN_SHARE = 0.5
_MIN_OTHERS = 3  # frames of other days at that hour


def examine_lens(frames: Sequence[MeasuredFrame], light_class: LightClass, *, hint: bool = False) -> Iterator[Answer]:
    """Whether the lens is out of focus, dirty, or blocked.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of one light class, by time.
    light_class
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    if len(frames) < MIN_CLASS_FRAMES:
        yield from too_few_frames(frames, light_class, Kind.BLURRED, Kind.DIRTY, Kind.BLOCKED)
        return
    blocked = list(_find_blocked(frames, light_class, hint=hint))
    yield from blocked
    is_explained = _overlaps(blocked, [frame.captured_at for frame in frames])
    yield from _find_blur(frames, light_class, is_explained=is_explained, hint=hint)


def _find_blocked(frames: Sequence[MeasuredFrame], light_class: LightClass, *, hint: bool) -> Iterator[CameraFinding]:
    """The times in which something else than usual fills a large part of the view."""
    times = [frame.captured_at for frame in frames]
    cells = _cells_with_structure(frames)
    covers = [_cover(frame, cells) for frame in frames]
    for episode in find_episodes([cover >= 1 for cover in covers], times, min_length=_MIN_BLOCKED, hint=hint):
        inside = range(episode.first, episode.last + 1)
        yield CameraFinding(
            Kind.BLOCKED,
            since=times[episode.first],
            until=end_of(episode, times),
            strength=median(covers[index] for index in inside if covers[index] >= 1),
            evidence={
                "covered_share": round(median(_covered_share(frames[index], cells) for index in inside), 3),
                "frames": episode.hits,
            },
            image_ids=_before_and_first(frames, episode),
            light_class=light_class,
            last_seen=times[episode.last],
        )


def _cover(frame: MeasuredFrame, cells: Sequence[int]) -> float:
    """How far a frame is over the nearest limit of what counts as blocked; 1 is the limit.

    A thing without structure before a view without structure shows only at its borders, so that the area that surely
    changed is small; then the `cells` that show another structure tell.
    """
    if frame.comparison is None:
        return 0.0
    lost = (frame.comparison.lost_share or 0.0) / _MIN_LOST_SHARE
    return max(
        lost,
        frame.comparison.covered_share / _MIN_COVERED_SHARE,
        len(_largest_unlike_area(frame, cells)) / _MIN_UNLIKE_CELLS,
    )


def _covered_share(frame: MeasuredFrame, cells: Sequence[int]) -> float:
    """The share of the frame that shows another thing, by its area or by its cells, whichever is more."""
    by_area = 0.0 if frame.comparison is None else frame.comparison.covered_share
    return max(by_area, len(_largest_unlike_area(frame, cells)) / GRID_CELLS)


def _largest_unlike_area(frame: MeasuredFrame, cells: Sequence[int]) -> list[int]:
    """The most neighbouring cells of a frame that show another thing than the reference."""
    if frame.comparison is None:
        return []
    unlike = [cell for cell in cells if frame.comparison.likeness[cell] < _MAX_UNLIKE]
    return max(connected_groups(unlike), key=len, default=[])


def examine_cover(frames: Sequence[MeasuredFrame], *, hint: bool = False) -> Iterator[Answer]:
    """Whether something of one colour fills the whole view, at hours at which it usually does not.

    A dark night does so, too: a dark frame only counts if the same hour was not dark on other days.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of all light classes, by time.
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    if (
        len(frames) < MIN_CLASS_FRAMES
        or median(frame.condition.main_share for frame in frames) >= _MAX_USUAL_MAIN_SHARE
    ):
        return
    times = [frame.captured_at for frame in frames]
    uniform = [frame.condition.main_share > _MAX_MAIN_SHARE for frame in frames]
    flags: list[bool] = []
    for index, flag in enumerate(uniform):  # a night within such a time does not end it
        flags.append(flag and ((bool(flags) and flags[-1]) or _is_unusual(index, frames, uniform)))
    for episode in find_episodes(flags, times, hint=hint):
        conditions = [frames[index].condition for index in range(episode.first, episode.last + 1)]
        share = median(condition.main_share for condition in conditions)
        brightness = median(condition.brightness for condition in conditions)
        yield CameraFinding(
            Kind.BLOCKED,
            since=times[episode.first],
            until=end_of(episode, times),
            strength=max(share / _MAX_MAIN_SHARE, 1.0),
            evidence={"main_share": round(share, 3), "frames": episode.hits, "brightness": round(brightness, 1)},
            image_ids=_before_and_first(frames, episode),
            last_seen=times[episode.last],
        )


def _is_unusual(index: int, frames: Sequence[MeasuredFrame], uniform: Sequence[bool]) -> bool:
    """Whether most frames of other days within an hour of this time of day are not of one colour."""
    frame = frames[index]
    others = [flag for other, flag in zip(frames, uniform, strict=True) if is_of_other_day_at_that_hour(other, frame)]
    if len(others) < _MIN_OTHERS:
        return frame.condition.light_class is not LightClass.DARK
    return sum(others) < len(others) / 2


def _find_blur(
    frames: Sequence[MeasuredFrame], light_class: LightClass, *, is_explained: Callable[[Episode], bool], hint: bool
) -> Iterator[Answer]:
    cells = _cells_with_structure(frames)
    if len(cells) < _MIN_CELLS:
        reason = f"only {len(cells)} of {GRID_CELLS} parts of the view have enough structure"
        yield from cannot_tell(reason, light_class, Kind.BLURRED, Kind.DIRTY)
        return
    usual = {cell: _usual([_detail(frame, cell) for frame in frames if _is_alike(frame, cell)]) for cell in cells}
    ratios = [{cell: _detail(frame, cell) / usual[cell] for cell in cells} for frame in frames]
    low_shares = [
        sum(_is_blurred(frame, cell, _MAX_DETAIL * usual[cell]) for cell in cells) / len(cells) for frame in frames
    ]
    is_low = [
        {
            cell: share < _MAX_DETAIL
            and _is_blurred(
                frame, cell, (_MAX_WIPED_RATIO if share < _MAX_WIPED_DETAIL else _MAX_CELL_DETAIL) * usual[cell]
            )
            for cell, share in shares.items()
        }
        for frame, shares in zip(frames, _relative_details(frames, cells), strict=True)
    ]
    times = [frame.captured_at for frame in frames]
    blurred = list(find_episodes([share > _DIRTY_SHARE for share in low_shares], times, hint=hint))
    for episode in blurred:
        if not is_explained(episode):
            values = [median(ratios[index].values()) for index in range(episode.first, episode.last + 1)]
            yield _finding(Kind.BLURRED, frames, episode, detail=median(values), light_class=light_class)
    hazy = {index for episode in blurred for index in range(episode.first, episode.last + 1)}
    for region_cells, episode in _find_dirt(is_low, times, without=hazy, hint=hint):
        if not is_explained(episode):
            values = [ratios[index][cell] for index in range(episode.first, episode.last + 1) for cell in region_cells]
            regions = (rectangle_around(region_cells),)
            yield _finding(Kind.DIRTY, frames, episode, detail=median(values), light_class=light_class, regions=regions)


def _find_dirt(
    is_low: Sequence[Mapping[int, bool]], times: Sequence[datetime], *, without: set[int], hint: bool
) -> Iterator[tuple[list[int], Episode]]:
    """The cells that are blurred for long while the rest is not, with the time of the one that was blurred longest."""
    spans: dict[int, Episode] = {}
    for cell in is_low[0]:
        flags = [index not in without and row[cell] for index, row in enumerate(is_low)]
        episodes = find_episodes(flags, times, min_frames=_MIN_DIRTY_FRAMES, hint=hint)
        if episodes:
            spans[cell] = max(episodes, key=lambda episode: episode.hits)
    for group in connected_groups(sorted(spans)):
        yield group, max((spans[cell] for cell in group), key=lambda episode: episode.hits)


def _finding(
    kind: Kind,
    frames: Sequence[MeasuredFrame],
    episode: Episode,
    *,
    detail: float,
    light_class: LightClass,
    regions: tuple[Rectangle, ...] = (),
) -> CameraFinding:
    times = [frame.captured_at for frame in frames]
    return CameraFinding(
        kind,
        since=times[episode.first],
        until=end_of(episode, times),
        strength=_MAX_DETAIL / max(detail, 0.01),
        evidence={"detail_share": round(detail, 3), "frames": episode.hits},
        image_ids=_before_and_first(frames, episode),
        light_class=light_class,
        regions=regions,
        last_seen=times[episode.last],
    )


def _cells_with_structure(frames: Sequence[MeasuredFrame]) -> list[int]:
    return [
        cell
        for cell in range(GRID_CELLS)
        if median(frame.condition.structure[cell] for frame in frames) >= _MIN_STRUCTURE
    ]


def _is_blurred(frame: MeasuredFrame, cell: int, limit: float) -> bool:
    """Whether a cell shows what it always shows, and less of its detail. A parked car is not what it always shows."""
    return _is_alike(frame, cell) and _detail(frame, cell) < limit


def _relative_details(frames: Sequence[MeasuredFrame], cells: Sequence[int]) -> Iterator[dict[int, float]]:
    """For each frame, how much of its usual fine detail each cell has, beside the other cells: 1 is as they have. What
    is parked in a cell adds structure and detail; dirt takes detail."""
    usual = {
        cell: _usual([frame.condition.detail[cell] for frame in frames if _is_alike(frame, cell)]) for cell in cells
    }
    for frame in frames:
        shares = {cell: frame.condition.detail[cell] / usual[cell] for cell in cells}
        middle = max(median(shares.values()), 1e-6)
        yield {cell: share / middle for cell, share in shares.items()}


def _is_alike(frame: MeasuredFrame, cell: int) -> bool:
    return frame.comparison is None or frame.comparison.likeness[cell] >= _MIN_LIKENESS


def _detail(frame: MeasuredFrame, cell: int) -> float:
    """Fine detail per coarse structure, which other light does not change."""
    return frame.condition.detail[cell] / (frame.condition.structure[cell] + _FLOOR)


def _usual(values: Sequence[float]) -> float:
    return max(sorted(values)[int(_USUAL_RANK * (len(values) - 1))], 1e-6) if values else 1e-6


def _overlaps(findings: Sequence[CameraFinding], times: Sequence[datetime]) -> Callable[[Episode], bool]:
    """Whether an episode has frames within one of these findings."""
    return lambda episode: any(
        found.since <= times[episode.last] and (found.until is None or times[episode.first] < found.until)
        for found in findings
    )


def _before_and_first(frames: Sequence[MeasuredFrame], episode: Episode) -> tuple[int, ...]:
    first = max(episode.first - 1, 0)
    return tuple(dict.fromkeys(frames[index].image_id for index in (first, episode.first)))
