"""The work on some frames of a camera in a worker: compare them with the reference of their camera.

Tasks and results are frozen dataclasses of plain values. The module does not know cameras, times, or what is a fault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import Comparison
from indexer.execution import ParallelMap, WorkerFailure
from indexer.imaging.displacement import Reference, compare_with_reference

_AT_ONCE = 10  # frames of a task: sending the reference costs as much as sending eight of them

GreyPicture = NDArray[np.uint8]
Compare = Callable[[Sequence[GreyPicture], Reference], list[Comparison]]
"""Compares grey frames, (H, W), uint8, with a reference, in their order."""


@dataclass(frozen=True)
class ComparisonTask:
    """Frames of one camera in one light, and the reference that they are compared with."""

    reference: Reference
    frames: tuple[GreyPicture, ...]


def compare_frames(task: ComparisonTask) -> tuple[Comparison, ...]:
    """The comparison of each frame, in their order."""
    return tuple(compare_with_reference(frame, task.reference) for frame in task.frames)


def compare_here(frames: Sequence[GreyPicture], reference: Reference) -> list[Comparison]:
    """The comparison of each frame, in their order, made by this process."""
    return [compare_with_reference(frame, reference) for frame in frames]


def compare_by(executor: ParallelMap) -> Compare:
    """A function that lets workers compare frames; what a lost worker did not do is done by this process."""

    def compare(frames: Sequence[GreyPicture], reference: Reference) -> list[Comparison]:
        tasks = [
            ComparisonTask(reference, tuple(frames[begin : begin + _AT_ONCE]))
            for begin in range(0, len(frames), _AT_ONCE)
        ]
        comparisons: list[Comparison] = []
        for task, result in zip(tasks, executor(compare_frames, tasks), strict=True):
            comparisons += compare_frames(task) if isinstance(result, WorkerFailure) else result
        return comparisons

    return compare
