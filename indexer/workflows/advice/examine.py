"""Examines one camera: compares its measured frames with references, and applies the rules of `indexer.domain.advice`.

It promises that the same frames give the same findings, and that nothing is written. It opens no file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.capture import examine_clock, examine_frozen, examine_interval, examine_silence
from indexer.domain.advice.findings import Answer, CameraFinding, Examination, Kind
from indexer.domain.advice.lens import examine_cover, examine_lens
from indexer.domain.advice.light import examine_darkness, examine_flicker, examine_glare, examine_light_changes
from indexer.domain.advice.measurements import (
    Capture,
    LightClass,
    MeasuredFrame,
    MeasuredPair,
    assign_light_classes,
)
from indexer.domain.advice.view import examine_view
from indexer.imaging.displacement import compare_with_reference, make_reference
from indexer.imaging.light_changes import change_kinds, measure_change

_MAX_REFERENCE_FRAMES = 30
_MIN_REFERENCE_FRAMES = 10
_MIN_CHANGED = 0.01  # of the frame


@dataclass(frozen=True)
class GreyFrame:
    """A measured frame and its grey picture, (H, W), uint8. `position`: its number among the camera's present images,
    so that neighbours in time have numbers that follow each other."""

    frame: MeasuredFrame
    grey: NDArray[np.uint8]
    position: int


@dataclass(frozen=True)
class CameraRecord:
    """What the index has of a camera: its images by time, and how many were decided and are duplicates."""

    images: Sequence[Capture]
    decided: int
    duplicates: int


def examine_camera(frames: Sequence[GreyFrame], record: CameraRecord, *, now: datetime, days: int) -> Examination:
    """What is wrong with a camera, and what cannot be told.

    Parameters
    ----------
    frames : of GreyFrame
        The frames that were looked at, by time.
    record : CameraRecord
    now : datetime
    days : int
        How long ago the last image may be for the camera to be in use.
    """
    usual = _of_usual_shape(frames)
    answers: list[Answer] = []
    classes = assign_light_classes([item.frame.condition for item in usual])
    for light_class in (LightClass.COLOUR, LightClass.MONO):
        of_class = [item for item, assigned in zip(usual, classes, strict=True) if assigned is light_class]
        if of_class:
            answers += _examine_class(of_class, light_class)
    plain = [item.frame for item in frames]
    answers += examine_cover(plain)
    answers += examine_darkness(plain)
    pairs = measure_pairs(usual)
    assigned_by_id = {item.frame.image_id: assigned for item, assigned in zip(usual, classes, strict=True)}
    answers += examine_flicker(
        [pair for pair in pairs if assigned_by_id[pair.earlier.image_id] is assigned_by_id[pair.later.image_id]]
    )
    answers += examine_light_changes(find_changes(usual), frames=len(usual))
    answers += examine_frozen(record.images)
    answers += examine_silence(record.images, now=now, days=days)
    answers += examine_clock(record.images)
    answers += examine_interval(record.images, duplicates=record.duplicates, decided=record.decided)
    return Examination.of(answers)


def measure_pairs(frames: Sequence[GreyFrame]) -> list[MeasuredPair]:
    """What changed between neighbours in time that were both looked at."""
    return [
        MeasuredPair(one.frame, other.frame, measure_change(change_kinds(one.grey, other.grey)))
        for one, other in neighbours(frames)
    ]


def find_changes(frames: Sequence[GreyFrame]) -> list[MeasuredPair]:
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
        change = measure_change(change_kinds(one.grey, other.grey))
        if change.total >= _MIN_CHANGED:
            changes.append(MeasuredPair(one.frame, other.frame, change))
            one = other
    return changes


def neighbours(frames: Sequence[GreyFrame]) -> Iterator[tuple[GreyFrame, GreyFrame]]:
    """The frames that follow each other in time without another image between them, and have one shape."""
    for one, other in pairwise(frames):
        if other.position == one.position + 1 and one.grey.shape == other.grey.shape:
            yield one, other


def _examine_class(frames: Sequence[GreyFrame], light_class: LightClass) -> Iterator[Answer]:
    """The answers on frames of one light class. After a move, what is before the lens is compared with the new view."""
    compared = _with_comparisons(frames)
    answers = list(examine_view(compared, light_class))
    yield from answers
    move = next((answer for answer in answers if isinstance(answer, CameraFinding) and answer.kind is Kind.MOVED), None)
    if move is None:
        yield from examine_lens(compared, light_class)
    else:
        before = [frame for frame in compared if frame.captured_at < move.since]
        yield from examine_lens(before, light_class)
        after = [item for item in frames if item.frame.captured_at >= move.since]
        yield from examine_lens(_with_comparisons(after), light_class)
    yield from examine_glare(compared, light_class)


def _with_comparisons(frames: Sequence[GreyFrame]) -> list[MeasuredFrame]:
    """The frames, compared with a reference of the first of them; as they are if they are too few for one."""
    if len(frames) < _MIN_REFERENCE_FRAMES:
        return [item.frame for item in frames]
    number = min(max(len(frames) // 3, _MIN_REFERENCE_FRAMES), _MAX_REFERENCE_FRAMES)
    reference = make_reference([item.grey for item in frames[:number]])
    return [replace(item.frame, comparison=compare_with_reference(item.grey, reference)) for item in frames]


def _of_usual_shape(frames: Sequence[GreyFrame]) -> list[GreyFrame]:
    """The frames of the shape that most have; another shape is another view."""
    shapes = [item.grey.shape for item in frames]
    usual = max(shapes, key=shapes.count, default=None)
    return [item for item in frames if item.grey.shape == usual]
