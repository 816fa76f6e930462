"""A whole camera as one worker's work: where cameras are small and many, each is decided by one process alone.

It promises what the walk promises in `indexer.workflows.deciding`. A task holds all that is needed as plain values, as
workers never open the database; so it is for cameras of which nothing is decided yet, whose thumbnails are all needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Walk
from indexer.domain.verdicts import Judgement
from indexer.engines import serial
from indexer.pixels.matching import Measure
from indexer.pixels.shelf import Shelf, room_for
from indexer.workflows.deciding import Decider, Knowledge, MetPair
from indexer.workflows.prepared import Spoiled, Thumbnails

LARGEST = 1000
LARGEST_BYTES = 2**26
"""Images of a camera that one worker is given, and what their prepared pictures take: they lie in its memory."""


@dataclass(frozen=True)
class CameraTask:
    """An undecided camera: its present images with their thumbnails, verdicts by pair, recorded scores by either id."""

    images: tuple[Image, ...]
    thumbnails: Mapping[int, bytes]
    judgements: Mapping[tuple[int, int], Judgement]
    recorded: Mapping[int, Mapping[int, float]]
    measure: Measure


@dataclass(frozen=True)
class CameraAnswer:
    """The decisions on all images, the evidence of the pairs met that is worth recording, and how many were met.

    `spoiled` are images whose thumbnails cannot be read; then there is nothing else.
    """

    decisions: tuple[Decision, ...] = ()
    evidence: tuple[MetPair, ...] = ()
    scored: int = 0
    spoiled: tuple[int, ...] = ()


def decide_camera(task: CameraTask) -> CameraAnswer:
    """Decides a camera, one image after the other."""
    walk = Walk(task.images, before={})
    shapes = [image.shape for image in task.images if image.shape is not None]
    with Shelf(room_for(shapes), shared=False) as shelf, serial() as spread:
        thumbnails = Thumbnails(
            walk.ranked,
            shelf,
            fetch=lambda ids: {image_id: task.thumbnails[image_id] for image_id in ids},
            spread=spread,
            upcoming=walk.undecided,
        )
        knowledge = Knowledge(task.judgements, lambda image_id: task.recorded.get(image_id, {}))
        decider = Decider(walk, knowledge, prepared=thumbnails, measure=task.measure, spread=spread)
        try:
            for block in walk.blocks(size=decider.block_size):
                decider.decide(block)
        except Spoiled as problem:
            return CameraAnswer(spoiled=tuple(problem.image_ids))
    return CameraAnswer(tuple(walk.decisions), tuple(decider.evidence), decider.scored)
