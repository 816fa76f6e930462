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
from indexer.execution import Lost, Map, serial
from indexer.imaging.image_buffer import Shelf, room_for
from indexer.imaging.matching import MatchTask, Measure
from indexer.imaging.scoring import Evidence
from indexer.workflows.compare.prepared_images import PreparedImages, Spoiled, Thumbnails
from indexer.workflows.compare.repeated_selection import Decided, Series

Item = TypeVar("Item")
Key = TypeVar("Key")

LARGEST = 1000
LARGEST_BYTES = 2**26
"""Images of a camera that one worker is given, and what their prepared pictures take: they lie in its memory."""
TOGETHER = 256
"""Images of the small cameras that are read, sent, decided and written together: what a transaction costs, and the way
to a worker, is then a cost of the images and not of the cameras."""


@dataclass(frozen=True)
class CameraTask:
    """A camera to be decided from scratch under one measure after the other: its present images with their thumbnails,
    verdicts by pair, and the evidence recorded by either id, in which contours from `recorded_area` on count."""

    images: tuple[Image, ...]
    thumbnails: Mapping[int, bytes]
    judgements: Mapping[tuple[int, int], Judgement]
    recorded: Mapping[int, Mapping[int, Evidence]]
    recorded_area: float
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class CameraAnswer:
    """What came of the camera under each measure.

    `spoiled` are images whose thumbnails cannot be read; then there is nothing else.
    """

    decided: tuple[Decided, ...] = ()
    spoiled: tuple[int, ...] = ()


def decide_camera(task: CameraTask) -> CameraAnswer:
    """Decides a camera, one image after the other, for each measure."""
    series = Series(
        task.images,
        task.judgements,
        recorded=lambda image_id: task.recorded.get(image_id, {}),
        recorded_area=task.recorded_area,
    )
    shapes = [image.shape for image in task.images if image.shape is not None]
    with Shelf(room_for(shapes), shared=False) as shelf, serial() as spread:
        first = Selection(task.images, previous={})
        thumbnails: PreparedImages = Thumbnails(
            first.ranked,
            shelf,
            fetch=lambda ids: {image_id: task.thumbnails[image_id] for image_id in ids},
            spread=spread,
            upcoming=first.undecided,
        )
        if len(task.measures) > 1:
            thumbnails = _Kept(thumbnails)
        try:
            return CameraAnswer(
                tuple(series.decide(measure, lambda _walk: thumbnails, spread=spread) for measure in task.measures)
            )
        except Spoiled as problem:
            return CameraAnswer(spoiled=tuple(problem.image_ids))


class _Kept:
    """Prepared images that more than one walk asks for: the order of ranks is the same in each."""

    def __init__(self, prepared: PreparedImages) -> None:
        self._prepared = prepared

    def task(self, place: int, keepers: IndexArray, measure: Measure) -> MatchTask:
        """The search of an image among keepers, in this order."""
        return self._prepared.task(place, keepers, measure)

    def drop(self, place: int) -> None:
        """Keeps it: the next walk will ask again."""


def decide_cameras(tasks: tuple[CameraTask, ...]) -> tuple[CameraAnswer, ...]:
    """Decides a few cameras, one after the other."""
    return tuple(map(decide_camera, tasks))


def groups(
    items: Iterable[Item], *, images: Callable[[Item], int], alike: Callable[[Item], Hashable]
) -> Iterator[list[Item]]:
    """Cameras that are alike (of one profile, say) in groups of so many images that a group is worth its way."""
    gathered: dict[Hashable, tuple[list[Item], int]] = {}
    for item in items:
        group, number = gathered.pop(alike(item), ([], 0))
        group, number = [*group, item], number + images(item)
        if number >= TOGETHER:
            yield group
        else:
            gathered[alike(item)] = group, number
    for group, _ in gathered.values():
        yield group


def hand_out(
    spread: Map, tasks: Iterable[Sequence[tuple[Key, CameraTask]]]
) -> Iterator[list[tuple[Key, CameraTask, CameraAnswer | Lost]]]:
    """Each group of tasks, in order: every task with its key and its answer. Tasks are read as workers take them."""
    waiting: deque[Sequence[tuple[Key, CameraTask]]] = deque()

    def asked() -> Iterator[tuple[CameraTask, ...]]:
        for group in tasks:
            if group:
                waiting.append(group)
                yield tuple(task for _, task in group)

    for answers in spread(decide_cameras, asked()):
        group = waiting.popleft()
        each: Sequence[CameraAnswer | Lost] = [answers] * len(group) if isinstance(answers, Lost) else answers
        yield [(key, task, answer) for (key, task), answer in zip(group, each, strict=True)]
