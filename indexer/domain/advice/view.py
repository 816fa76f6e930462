"""Rules on where a camera looks: it moved, or it sways.

Both rest on the displacements of many frames of one light class against one reference (`MeasuredFrame.comparison`). A
level that changes and stays is a camera that moved; one that changes from frame to frame is a camera that sways.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from indexer.domain.advice.episodes import MIN_FRAMES, MIN_LENGTH
from indexer.domain.advice.findings import MIN_CLASS_FRAMES, Answer, CameraFinding, Kind, cannot_tell, too_few_frames
from indexer.domain.advice.measurements import Displacement, LightClass, MeasuredFrame

MIN_DISPLACEMENT_PX = 1.5
"""Of a frame 320 wide. Seven cameras that stood still had at most 1.0 in 246 frames."""
_LEVEL_PX = 1.0
_MIN_AT_LEVEL = 0.9  # share of the frames on each side of a move that lie within _LEVEL_PX of their level
_STEP_PX = 0.3  # from one frame to the next; cameras that stood still had steps of 0.1
_MIN_STEP_SHARE = 0.2
_HINT_FRAMES = 3
_FULL_TURN = 16.0  # px: beyond it no block answers


@dataclass(frozen=True)
class _Move:
    """The frames from `index` on lie elsewhere than those before."""

    index: int
    before: Displacement
    after: Displacement

    @property
    def distance(self) -> float:
        return _distance(self.before, self.after)


def examine_view(frames: Sequence[MeasuredFrame], light_class: LightClass, *, hint: bool = False) -> Iterator[Answer]:
    """Whether the camera moved or sways.

    Parameters
    ----------
    frames : of MeasuredFrame
        Of one light class, by time.
    light_class
    hint : bool
        Whether a few frames after a move are enough, to know where to look at more of them.
    """
    if len(frames) < MIN_CLASS_FRAMES:
        yield from too_few_frames(frames, light_class, Kind.MOVED, Kind.SWAYS)
        return
    seen = [frame for frame in frames if _displacement(frame) is not None]
    if len(seen) < MIN_CLASS_FRAMES:
        reason = f"only in {len(seen)} of {len(frames)} frames do the parts of the view agree where it lies"
        yield from cannot_tell(reason, light_class, Kind.MOVED, Kind.SWAYS)
        return
    places = [_displacement(frame) or Displacement(0, 0) for frame in seen]
    move = _find_move(seen, places, hint=hint)
    if move is not None:
        yield _moved(seen, move, light_class)
        yield from _find_sway(seen[: move.index], places[: move.index], light_class, until=seen[move.index].captured_at)
        yield from _find_sway(seen[move.index :], places[move.index :], light_class)
        return
    sway = list(_find_sway(seen, places, light_class))
    yield from sway
    last_move = None if sway else _find_last_move(seen, places)
    if last_move is not None:
        yield _moved(seen, last_move, light_class)


def _displacement(frame: MeasuredFrame) -> Displacement | None:
    return None if frame.comparison is None else frame.comparison.displacement


def _find_move(frames: Sequence[MeasuredFrame], places: Sequence[Displacement], *, hint: bool) -> _Move | None:
    """The one time from which on all lies elsewhere: the split with the smallest sum of distances to both levels."""
    least, lasting = (_HINT_FRAMES, timedelta()) if hint else (MIN_FRAMES, MIN_LENGTH)
    splits = range(least, len(places) - least + 1)
    if not splits:
        return None
    moves = (_Move(index, _level(places[:index]), _level(places[index:])) for index in splits)
    best = min(moves, key=lambda move: _cost(places, move))
    before, after = places[: best.index], places[best.index :]
    lasted = frames[-1].captured_at - frames[best.index].captured_at
    is_stable = all(
        sum(_distance(place, level) <= _LEVEL_PX for place in side) >= _MIN_AT_LEVEL * len(side)
        for side, level in ((before, best.before), (after, best.after))
    )
    return best if best.distance >= MIN_DISPLACEMENT_PX and is_stable and lasted >= lasting else None


def _find_last_move(frames: Sequence[MeasuredFrame], places: Sequence[Displacement]) -> _Move | None:
    """The last of several moves: since when all lies where it lies at the end."""
    end = _level(places[-MIN_FRAMES:])
    near = [_distance(place, end) <= _LEVEL_PX for place in places]
    starts = (number for number in range(len(near)) if near[number])
    index = next((number for number in starts if sum(near[number:]) >= _MIN_AT_LEVEL * len(near[number:])), None)
    if index is None or index < MIN_FRAMES:
        return None
    was_there_before = sum(near[:index]) > (1 - _MIN_AT_LEVEL) * index
    if was_there_before or frames[-1].captured_at - frames[index].captured_at < MIN_LENGTH:
        return None
    move = _Move(index, _level(places[index - MIN_FRAMES : index]), end)
    return move if move.distance >= MIN_DISPLACEMENT_PX else None


def _moved(frames: Sequence[MeasuredFrame], move: _Move, light_class: LightClass) -> CameraFinding:
    last, first = frames[move.index - 1], frames[move.index]
    return CameraFinding(
        Kind.MOVED,
        since=first.captured_at,
        until=None,
        strength=move.distance / MIN_DISPLACEMENT_PX,
        evidence={
            "right_px": round(move.after.right - move.before.right, 1),
            "down_px": round(move.after.down - move.before.down, 1),
            "turn_px": round(move.after.turn - move.before.turn, 1),
            "zoom_px": round(move.after.zoom - move.before.zoom, 1),
            "frames_before": move.index,
            "frames_since": len(frames) - move.index,
            "last_before": last.captured_at.isoformat(),
        },
        image_ids=(last.image_id, first.image_id),
        light_class=light_class,
    )


def _find_sway(
    frames: Sequence[MeasuredFrame],
    places: Sequence[Displacement],
    light_class: LightClass,
    *,
    until: datetime | None = None,
) -> Iterator[CameraFinding]:
    """The finding that the view sways: it lies in many places, and goes from one to the other all the time.

    `until`: when the camera was moved after these frames, else None.
    """
    if len(frames) < MIN_CLASS_FRAMES or frames[-1].captured_at - frames[0].captured_at < MIN_LENGTH:
        return
    axis, spread = max(
        ((name, _spread([getattr(place, name) for place in places])) for name in ("right", "down")),
        key=lambda item: item[1],
    )
    values = [getattr(place, axis) for place in places]
    step_share = sum(abs(other - one) >= _STEP_PX for one, other in pairwise(values)) / (len(values) - 1)
    if spread < MIN_DISPLACEMENT_PX or step_share < _MIN_STEP_SHARE:
        return
    lowest, highest = (values.index(end(values)) for end in (min, max))
    yield CameraFinding(
        Kind.SWAYS,
        since=frames[0].captured_at,
        until=until,
        strength=spread / MIN_DISPLACEMENT_PX,
        evidence={
            "spread_px": round(spread, 1),
            "direction": "across" if axis == "right" else "up and down",
            "largest_px": round(max(values) - min(values), 1),
            "step_share": round(step_share, 2),
            "frames": len(frames),
        },
        image_ids=tuple(frames[index].image_id for index in sorted((lowest, highest))),
        light_class=light_class,
    )


def _level(places: Sequence[Displacement]) -> Displacement:
    return Displacement(
        *(median(getattr(place, name) for place in places) for name in ("right", "down", "turn", "zoom"))
    )


def _distance(one: Displacement, other: Displacement) -> float:
    """How far a part of the view lies from where it was: by translation, rotation or zoom, whichever is the most."""
    shift = ((one.right - other.right) ** 2 + (one.down - other.down) ** 2) ** 0.5
    return float(max(shift, abs(one.turn - other.turn), abs(one.zoom - other.zoom)))


def _cost(places: Sequence[Displacement], move: _Move) -> float:
    before = sum(min(_distance(place, move.before), _FULL_TURN) for place in places[: move.index])
    return before + sum(min(_distance(place, move.after), _FULL_TURN) for place in places[move.index :])


def _spread(values: Sequence[float]) -> float:
    """From the 5th to the 95th percentile."""
    ordered = sorted(values)
    cut = round(0.05 * (len(ordered) - 1))
    return ordered[len(ordered) - 1 - cut] - ordered[cut]
