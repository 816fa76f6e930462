"""A whole camera as the task of one worker: where cameras are small and many, one process decides each alone.

It promises what `indexer.workflows.compare.decider` promises. A task holds its whole input as plain values, as workers
never open the database. So it suits cameras that are decided from scratch, which need all their thumbnails.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from indexer.domain.camera_images import CameraImages
from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.domain.selection import Selection
from indexer.domain.verdicts import Judgement
from indexer.execution import ParallelMap, WorkerFailure, serial
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import MatchTask
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, PreparedImages, ThumbnailSource
from indexer.workflows.compare.repeated_selection import RepeatedSelection, SelectionResult
from indexer.workflows.compare.shared_progress import ProgressSlot, reporting

Item = TypeVar("Item")
Key = TypeVar("Key")

MAX_IMAGES = 1000
"""A camera with more images is not decided by one worker alone."""
MAX_BUFFER_BYTES = 2**26
"""A camera whose decoded thumbnails are larger is not decided by one worker alone: they must fit into its memory."""
MIN_GROUP_IMAGES = 256
"""Small cameras are read, sent, decided and written in groups of at least so many images. The cost of a transaction,
and of sending a task, then grows with the images and not with the cameras."""


@dataclass(frozen=True)
class CameraTask:
    """A camera to be decided from scratch under each of `parameter_sets` in turn.

    Attributes
    ----------
    images : CameraImages
        The present images.
    thumbnails : PNG by image id
    judgements : verdict by pair of ids, the smaller first
    recorded_evidence : evidence by either id of a pair, then by the other
    recorded_min_contour_area : float
        The `min_contour_area` that the evidence was recorded with.
    parameter_sets : tuple of ScoringParameters
    progress : ProgressSlot or None
        Where the worker writes how many images it has decided.
    """

    images: CameraImages
    thumbnails: Mapping[int, bytes]
    judgements: Mapping[tuple[int, int], Judgement]
    recorded_evidence: Mapping[int, Mapping[int, Evidence]]
    recorded_min_contour_area: float
    parameter_sets: tuple[ScoringParameters, ...]
    progress: ProgressSlot | None = None


@dataclass(frozen=True)
class CameraTaskResult:
    """The result of a camera for each of its parameter sets, in order.

    `corrupt_image_ids` are images whose thumbnails cannot be read; if there are any, there are no selections.
    """

    selections: tuple[SelectionResult, ...] = ()
    corrupt_image_ids: tuple[int, ...] = ()


def decide_from_scratch(task: CameraTask) -> CameraTaskResult:
    """Decides a camera, one image after the other, for each of its parameter sets."""
    repeated = RepeatedSelection(
        task.images,
        task.judgements,
        lookup_recorded=lambda image_id: task.recorded_evidence.get(image_id, {}),
        recorded_area=task.recorded_min_contour_area,
    )
    required = sum(count * required_bytes([shape]) for shape, count in task.images.count_thumbnail_shapes().items())
    with (
        ImageBuffer(required, shared=False) as buffer,
        serial() as executor,
        reporting(task.progress) as advance,
    ):
        prepared: PreparedImages | None = None

        def prepare_images(selection: Selection) -> PreparedImages:
            nonlocal prepared
            if prepared is None:
                prepared = ThumbnailSource(
                    selection.ranked,
                    buffer,
                    fetch=lambda ids: {image_id: task.thumbnails[image_id] for image_id in ids},
                    executor=executor,
                    upcoming=selection.iter_open,
                )
                if len(task.parameter_sets) > 1:
                    prepared = _ReusedImages(prepared)
            return prepared

        try:
            return CameraTaskResult(
                tuple(
                    repeated.decide(scoring, prepare_images, executor=executor, advance=advance)
                    for scoring in task.parameter_sets
                )
            )
        except CorruptThumbnailsError as problem:
            return CameraTaskResult(corrupt_image_ids=tuple(problem.image_ids))


class _ReusedImages:
    """Prepared images that several selections use in turn: all of them rank the images in the same order."""

    def __init__(self, prepared: PreparedImages) -> None:
        self._prepared = prepared

    def task(self, index: int, keepers: IndexArray, scoring: ScoringParameters) -> MatchTask:
        """The search of an image among `keepers`, in this order."""
        return self._prepared.task(index, keepers, scoring)

    def drop(self, index: int) -> None:
        """Frees nothing: the next selection needs the image again."""


def decide_cameras(tasks: tuple[CameraTask, ...]) -> tuple[CameraTaskResult, ...]:
    """The results of some cameras, decided one after the other."""
    return tuple(map(decide_from_scratch, tasks))


def camera_groups(
    items: Iterable[Item], *, count_images: Callable[[Item], int], group_key: Callable[[Item], Hashable]
) -> Iterator[list[Item]]:
    """Cameras with equal `group_key` (of one profile, say) in groups of at least `MIN_GROUP_IMAGES` images; the last
    group of each key may have fewer."""
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
    """Each group of tasks that is not empty, in order: every task with its key and its result. Groups are drawn from
    `tasks` only as the executor takes them. A worker failure is the result of every task of its group."""
    sent_groups: deque[Sequence[tuple[Key, CameraTask]]] = deque()

    def iter_groups() -> Iterator[tuple[CameraTask, ...]]:
        for group in tasks:
            if group:
                sent_groups.append(group)
                yield tuple(task for _, task in group)

    for results_of_group in executor(decide_cameras, iter_groups()):
        group = sent_groups.popleft()
        group_results: Sequence[CameraTaskResult | WorkerFailure] = (
            [results_of_group] * len(group) if isinstance(results_of_group, WorkerFailure) else results_of_group
        )
        yield [(key, task, result) for (key, task), result in zip(group, group_results, strict=True)]
