"""Whole cameras as one worker's work: where cameras are small and many, each is decided by one process alone.

It promises what the walk promises in `indexer.workflows.compare.decider`. A task holds all that is needed as plain
values, as workers never open the database; so it is for cameras that are decided from scratch, whose thumbnails are
all needed.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.domain.selection import Selection
from indexer.domain.verdicts import Judgement
from indexer.execution import ParallelMap, WorkerFailure, serial
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import MatchTask, ScoringParameters
from indexer.imaging.scoring import Evidence
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, PreparedImages, ThumbnailSource
from indexer.workflows.compare.repeated_selection import RepeatedSelection, SelectionResult

Item = TypeVar("Item")
Key = TypeVar("Key")

MAX_IMAGES = 1000
MAX_BUFFER_BYTES = 2**26
"""Images of a camera that one worker is given, and what their prepared pictures take: they lie in its memory."""
MIN_GROUP_IMAGES = 256
"""Images of the small cameras that are read, sent, decided and written together: what a transaction costs, and the way
to a worker, is then a cost of the images and not of the cameras."""


@dataclass(frozen=True)
class CameraTask:
    """A camera to be decided from scratch under one measure after the other: its present images with their thumbnails,
    verdicts by pair, and the evidence recorded by either id, in which contours from `recorded_area` on count."""

    images: tuple[Image, ...]
    thumbnails: Mapping[int, bytes]
    judgements: Mapping[tuple[int, int], Judgement]
    recorded_evidence: Mapping[int, Mapping[int, Evidence]]
    recorded_area: float
    parameter_sets: tuple[ScoringParameters, ...]


@dataclass(frozen=True)
class CameraTaskResult:
    """What came of the camera under each measure.

    `spoiled` are images whose thumbnails cannot be read; then there is nothing else.
    """

    selections: tuple[SelectionResult, ...] = ()
    corrupt_image_ids: tuple[int, ...] = ()


def decide_camera(task: CameraTask) -> CameraTaskResult:
    """Decides a camera, one image after the other, for each measure."""
    repeated = RepeatedSelection(
        task.images,
        task.judgements,
        lookup_recorded=lambda image_id: task.recorded_evidence.get(image_id, {}),
        recorded_area=task.recorded_area,
    )
    shapes = [image.shape for image in task.images if image.shape is not None]
    with ImageBuffer(required_bytes(shapes), shared=False) as buffer, serial() as executor:
        selection = Selection(task.images, previous={})
        prepared: PreparedImages = ThumbnailSource(
            selection.ranked,
            buffer,
            fetch=lambda ids: {image_id: task.thumbnails[image_id] for image_id in ids},
            executor=executor,
            upcoming=selection.undecided,
        )
        if len(task.parameter_sets) > 1:
            prepared = _ReusedImages(prepared)
        try:
            return CameraTaskResult(
                tuple(
                    repeated.decide(scoring, lambda _selection: prepared, executor=executor)
                    for scoring in task.parameter_sets
                )
            )
        except CorruptThumbnailsError as problem:
            return CameraTaskResult(corrupt_image_ids=tuple(problem.image_ids))


class _ReusedImages:
    """Prepared images that more than one walk asks for: the order of ranks is the same in each."""

    def __init__(self, prepared: PreparedImages) -> None:
        self._prepared = prepared

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among keepers, in this order."""
        return self._prepared.task(index, keepers, scoring)

    def drop(self, index: int) -> None:
        """Keeps it: the next walk will ask again."""


def decide_cameras(tasks: tuple[CameraTask, ...]) -> tuple[CameraTaskResult, ...]:
    """Decides a few cameras, one after the other."""
    return tuple(map(decide_camera, tasks))


def camera_groups(
    items: Iterable[Item], *, count_images: Callable[[Item], int], group_key: Callable[[Item], Hashable]
) -> Iterator[list[Item]]:
    """Cameras that are alike (of one profile, say) in groups of so many images that a group is worth its way."""
    open_groups: dict[Hashable, tuple[list[Item], int]] = {}
    for item in items:
        group, image_count = open_groups.pop(group_key(item), ([], 0))
        group, image_count = [*group, item], image_count + count_images(item)
        if image_count >= MIN_GROUP_IMAGES:
            yield group
        else:
            open_groups[group_key(item)] = group, image_count
    for group, _ in open_groups.values():
        yield group


def map_cameras(
    executor: ParallelMap, tasks: Iterable[Sequence[tuple[Key, CameraTask]]]
) -> Iterator[list[tuple[Key, CameraTask, CameraTaskResult | WorkerFailure]]]:
    """Each group of tasks, in order: every task with its key and its answer. Tasks are read as workers take them."""
    sent_groups: deque[Sequence[tuple[Key, CameraTask]]] = deque()

    def iter_batches() -> Iterator[tuple[CameraTask, ...]]:
        for group in tasks:
            if group:
                sent_groups.append(group)
                yield tuple(task for _, task in group)

    for batch_results in executor(decide_cameras, iter_batches()):
        group = sent_groups.popleft()
        group_results: Sequence[CameraTaskResult | WorkerFailure] = (
            [batch_results] * len(group) if isinstance(batch_results, WorkerFailure) else batch_results
        )
        yield [(key, task, result) for (key, task), result in zip(group, group_results, strict=True)]
