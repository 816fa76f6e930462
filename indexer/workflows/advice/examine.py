"""Examines one camera: compares its measured frames with references, and applies the rules of `indexer.domain.advice`.

It promises that the same frames give the same findings, and that nothing is written. It opens no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.capture import examine_frozen, examine_silence, examine_still
from indexer.domain.advice.clock import can_tell_by_exif, examine_clock, examine_exif
from indexer.domain.advice.findings import Answer, CameraFinding, Examination, Kind
from indexer.domain.advice.flicker import examine_flicker
from indexer.domain.advice.interval import examine_interval, examine_sparseness
from indexer.domain.advice.lens import examine_cover, examine_lens
from indexer.domain.advice.light import examine_darkness, examine_glare, examine_light_changes, is_glare
from indexer.domain.advice.measurements import (
    Capture,
    Change,
    Comparison,
    LightClass,
    MeasuredFrame,
    MeasuredPair,
    Rise,
    assign_light_classes,
)
from indexer.domain.advice.view import examine_view
from indexer.imaging.activity_map import MAP_COLUMNS, MAP_ROWS, ActivityMap, active_cells
from indexer.imaging.displacement import Reference, make_reference
from indexer.imaging.light_changes import change_kinds, equal_share, measure_change, measure_rise
from indexer.workflows.advice.comparison import Compare, compare_here

_MAX_REFERENCE_FRAMES = 30
_MIN_REFERENCE_FRAMES = 10
_MIN_CHANGED = 0.01  # of the frame
_MIN_EQUAL_SHARE = 0.97  # of the pixels; the rest may be a clock that the camera writes into the picture


@dataclass(frozen=True)
class GreyFrame:
    """A measured frame and its grey picture, (H, W), uint8. `position`: its number among the camera's present images,
    so that neighbours in time have numbers that follow each other."""

    frame: MeasuredFrame
    grey: NDArray[np.uint8]
    position: int


@dataclass(frozen=True)
class CameraRecord:
    """What the index has of a camera.

    Attributes
    ----------
    images : of Capture
        By time, removed ones included.
    keepers : of int by int
        The keeper of each image that compare decided, by image id; of a kept image, itself.
    looked_at : of (from, to)
        Times in which frames of videos or of a live camera were looked at and not stored.
    """

    images: Sequence[Capture]
    keepers: Mapping[int, int] = field(default_factory=dict)
    looked_at: Sequence[tuple[datetime, datetime]] = ()


def examine_camera(frames: Sequence[GreyFrame], record: CameraRecord, *, now: datetime, days: int) -> Examination:
    """What is wrong with a camera, and what cannot be told: all frames are examined once.

    Parameters
    ----------
    frames : of GreyFrame
        The frames that were looked at, by time.
    record : CameraRecord
    now : datetime
    days : int
        How long ago the last image may be for the camera to be in use.
    """
    return CameraExaminer(record, now=now, days=days).examine(frames)


class CameraExaminer:
    """Examines a camera several times, with more frames each time. What was compared once is not compared again.

    References are made of frames of the first examination, so that they stay the same, and so that those in which a
    fault is looked for do not become what is usual. The arguments are as in `examine_camera`; `compare` compares frames
    with a reference.
    """

    def __init__(self, record: CameraRecord, *, now: datetime, days: int, compare: Compare = compare_here) -> None:
        self._record, self._now, self._days, self._compare = record, now, days, compare
        self._first_ids: set[int] = set()
        self._references: dict[tuple[int, ...], Reference] = {}
        self._comparisons: dict[tuple[tuple[int, ...], int], Comparison] = {}
        self._changes: dict[tuple[int, int], Change] = {}
        self._active: dict[tuple[int, int], NDArray[np.bool_]] = {}
        self._rises: dict[tuple[int, int], Rise] = {}

    def examine(self, frames: Sequence[GreyFrame]) -> Examination:
        """What is wrong with the camera, and what cannot be told."""
        record = self._record
        by_exif = can_tell_by_exif([item.frame for item in frames])
        return Examination.of(
            [
                *self._examine_frames(frames, hint=False),
                *examine_frozen(record.images),
                *examine_silence(record.images, looked_at=record.looked_at, now=self._now, days=self._days),
                *(one for one in examine_clock(record.images) if isinstance(one, CameraFinding) or not by_exif),
                *examine_interval(record.images, keepers=record.keepers),
            ]
        )

    def find_hints(self, frames: Sequence[GreyFrame]) -> tuple[CameraFinding, ...]:
        """What a few of these frames hint at: where it is worth while to look at more of them."""
        return Examination.of([*self._examine_frames(frames, hint=True)]).findings

    def map_activity(self, frames: Sequence[GreyFrame]) -> ActivityMap:
        """Where things come and go between neighbours in time."""
        pairs = list(neighbours(_of_usual_shape(frames)))
        counts = np.zeros((MAP_ROWS, MAP_COLUMNS), dtype=np.int64)
        for one, other in pairs:
            self._change(one, other)
            counts += self._active[one.frame.image_id, other.frame.image_id]
        return ActivityMap(counts, len(pairs))

    def _examine_frames(self, frames: Sequence[GreyFrame], *, hint: bool) -> Iterator[Answer]:
        """The answers that rest on the pictures."""
        usual = _of_usual_shape(frames)
        self._first_ids = self._first_ids or {item.frame.image_id for item in frames}
        classes = assign_light_classes([item.frame.condition for item in usual])
        compared: dict[int, MeasuredFrame] = {}
        for light_class in (LightClass.COLOUR, LightClass.MONO):
            of_class = [item for item, assigned in zip(usual, classes, strict=True) if assigned is light_class]
            if of_class:
                with_comparisons = self._with_comparisons(of_class)
                compared |= {frame.image_id: frame for frame in with_comparisons}
                yield from self._examine_class(of_class, with_comparisons, light_class, hint=hint)
        plain = [item.frame for item in frames]
        yield from examine_cover(plain, hint=hint)
        yield from examine_exif(plain, hint=hint)
        assigned_by_id = {item.frame.image_id: assigned for item, assigned in zip(usual, classes, strict=True)}
        yield from examine_flicker(
            [
                pair
                for pair in self._pairs(usual)
                if assigned_by_id[pair.earlier.image_id] is assigned_by_id[pair.later.image_id]
            ],
            hint=hint,
        )
        yield from examine_still(_still_frames(usual), [item.frame for item in usual], hint=hint)
        if not hint:
            yield from examine_darkness(plain)
            yield from examine_light_changes(self._find_changes(usual), frames=len(usual))
            # Of a video or a live camera only what is new is stored.
            keepers = {} if self._record.looked_at else self._record.keepers
            yield from examine_sparseness(
                [
                    (compared[one.frame.image_id], compared[other.frame.image_id])
                    for one, other in neighbours(usual)
                    if {one.frame.image_id, other.frame.image_id} <= compared.keys()
                ],
                self._record.images,
                keepers=keepers,
            )

    def _examine_class(
        self, frames: Sequence[GreyFrame], compared: Sequence[MeasuredFrame], light_class: LightClass, *, hint: bool
    ) -> Iterator[Answer]:
        """The answers on frames of one light class. After a move, what is before the lens is compared with the new
        view."""
        answers = list(examine_view(compared, light_class, hint=hint))
        yield from answers
        findings = [answer for answer in answers if isinstance(answer, CameraFinding)]
        move = next((finding for finding in findings if finding.kind is Kind.MOVED), None)
        if move is None:
            lens = list(examine_lens(compared, light_class, hint=hint))
        else:
            before = [frame for frame in compared if frame.captured_at < move.since]
            after = self._with_comparisons([item for item in frames if item.frame.captured_at >= move.since])
            lens = [answer for part in (before, after) for answer in examine_lens(part, light_class, hint=hint)]
        glare = [
            answer for answer in examine_glare(compared, light_class, hint=True) if isinstance(answer, CameraFinding)
        ]
        yield from (answer for answer in lens if not _is_sun(answer, compared, glare))
        yield from examine_glare(compared, light_class, hint=hint)

    def _with_comparisons(self, frames: Sequence[GreyFrame]) -> list[MeasuredFrame]:
        """The frames, compared with a reference of the first of them; as they are if they are too few for one."""
        if len(frames) < _MIN_REFERENCE_FRAMES:
            return [item.frame for item in frames]
        first = [item for item in frames if item.frame.image_id in self._first_ids]
        pool = first if len(first) >= _MIN_REFERENCE_FRAMES else frames
        number = min(max(len(pool) // 3, _MIN_REFERENCE_FRAMES), _MAX_REFERENCE_FRAMES)
        ids = tuple(item.frame.image_id for item in pool[:number])
        if ids not in self._references:
            self._references[ids] = make_reference([item.grey for item in pool[:number]])
        new = [item for item in frames if (ids, item.frame.image_id) not in self._comparisons]
        compared = self._compare([item.grey for item in new], self._references[ids])
        self._comparisons |= {(ids, item.frame.image_id): one for item, one in zip(new, compared, strict=True)}
        return [replace(item.frame, comparison=self._comparisons[ids, item.frame.image_id]) for item in frames]

    def _pairs(self, frames: Sequence[GreyFrame]) -> list[MeasuredPair]:
        """What changed between neighbours in time that were both looked at."""
        return [
            MeasuredPair(one.frame, other.frame, self._change(one, other), self._rise(one, other))
            for one, other in neighbours(frames)
        ]

    def _find_changes(self, frames: Sequence[GreyFrame]) -> list[MeasuredPair]:
        """Each frame and the next one that differs from it.

        Light changes slowly: neighbours may hardly differ, and frames some minutes apart do.
        """
        changes: list[MeasuredPair] = []
        if not frames:
            return changes
        one = frames[0]
        for before, other in pairwise(frames):
            if other.position != before.position + 1:
                one = other  # after a gap in the sample nobody knows what lay between
                continue
            change = self._change(one, other)
            if change.total >= _MIN_CHANGED:
                changes.append(MeasuredPair(one.frame, other.frame, change))
                one = other
        return changes

    def _change(self, one: GreyFrame, other: GreyFrame) -> Change:
        key = one.frame.image_id, other.frame.image_id
        if key not in self._changes:
            kinds = change_kinds(one.grey, other.grey)
            self._changes[key], self._active[key] = measure_change(kinds), active_cells(kinds)
        return self._changes[key]

    def _rise(self, one: GreyFrame, other: GreyFrame) -> Rise:
        key = one.frame.image_id, other.frame.image_id
        if key not in self._rises:
            self._rises[key] = measure_rise(one.grey, other.grey)
        return self._rises[key]


def neighbours(frames: Sequence[GreyFrame]) -> Iterator[tuple[GreyFrame, GreyFrame]]:
    """The frames that follow each other in time without another image between them, and have one shape."""
    for one, other in pairwise(frames):
        if other.position == one.position + 1 and one.grey.shape == other.grey.shape:
            yield one, other


def _is_sun(answer: Answer, frames: Sequence[MeasuredFrame], glare: Sequence[CameraFinding]) -> bool:
    """Whether an answer says that the view is blocked, and it is the sun that hides it."""
    return isinstance(answer, CameraFinding) and answer.kind is Kind.BLOCKED and is_glare(answer, frames, glare)


def _still_frames(frames: Sequence[GreyFrame]) -> list[int]:
    """For each frame, the index of the first one of those before it, without another between, that show the same to
    the very noise; its own index if it shows something else than the frame before."""
    first: list[int] = []
    for index, item in enumerate(frames):
        begin = first[-1] if first else index
        is_same = index > 0 and equal_share(frames[begin].grey, item.grey) >= _MIN_EQUAL_SHARE
        first.append(begin if is_same else index)
    return first


def _of_usual_shape(frames: Sequence[GreyFrame]) -> list[GreyFrame]:
    """The frames of the shape that most have; another shape is another view."""
    shapes = [item.grey.shape for item in frames]
    usual = max(shapes, key=shapes.count, default=None)
    return [item for item in frames if item.grey.shape == usual]
