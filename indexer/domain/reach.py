"""The classes by which a database finds the duplicates that a new keeper concerns.

A new keeper concerns a duplicate if two things hold: the duplicate ranks below it, and the new keeper is at least as
near in time as the keeper that the duplicate has. Rank and distance are stored as coarse classes. The class of a rank
leaves out time, content and path. The class of a distance is its number of bits. A query by classes and times finds
every duplicate that is concerned, and some that are not. The decision rule (`indexer.domain.selection`) then looks at
each of them exactly.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from indexer.domain.camera_images import NO_IMAGE, NO_TIME, CameraImages, IndexArray
from indexer.domain.decisions import Decision, Placement
from indexer.domain.keeper_index import INFINITE_DISTANCE, pairwise_distances_us

UNLIMITED_REACH = 64
"""The reach class of a duplicate whose distance to its keeper is infinite: any new keeper above it may concern it."""
_MAX_FOLDERS = 255
_EXPONENT_OFFSET = 2048  # so that the exponent of any float is at least 0


class OpeningKeeper(NamedTuple):
    """A new keeper, or one that is pinned now: what the duplicates that it concerns are looked up by.

    `rank_class` is None for a pinned keeper, which ranks above every duplicate; `captured_us` is None for an unknown
    time.
    """

    rank_class: int | None
    captured_us: int | None


TimeRange = tuple[int, int]
"""The first and the last of some capture times, both included, in microseconds since 1970."""


def rank_classes(images: CameraImages) -> IndexArray:
    """The rank of images by pixels, sharpness step and system folders alone: (N,), int64, more for a higher rank."""
    _, exponents = np.frexp(images.sharpness)
    folders = _MAX_FOLDERS - np.minimum(images.system_folders, _MAX_FOLDERS)
    steps = exponents.astype(np.int64) + _EXPONENT_OFFSET
    classes: IndexArray = (images.widths * images.heights) << 20 | steps << 8 | folders
    return classes


def placements(images: CameraImages, decisions: Sequence[Decision], *, camera_id: int) -> dict[int, Placement]:
    """The place of each decided image, by image id. The images and their keepers are among `images`."""
    index_of = {image_id: index for index, image_id in enumerate(images.ids.tolist())}
    duplicates = [decision for decision in decisions if not decision.keeps]
    indices = np.array([index_of[decision.image_id] for decision in duplicates], dtype=np.int64)
    keepers = np.full(len(images), NO_IMAGE, dtype=np.int64)
    keepers[indices] = [index_of[decision.keeper_id or 0] for decision in duplicates]
    reaches = reach_classes(pairwise_distances_us(images.times_us, keepers)[indices])
    found = {decision.image_id: Placement(camera_id) for decision in decisions if decision.keeps}
    for decision, rank_class, reach_class, time_us in zip(
        duplicates,
        rank_classes(images)[indices].tolist(),
        reaches.tolist(),
        images.times_us[indices].tolist(),
        strict=True,
    ):
        captured_us = None if time_us == NO_TIME else time_us
        found[decision.image_id] = Placement(camera_id, rank_class, reach_class, captured_us)
    return found


def reach_classes(distances_us: IndexArray) -> IndexArray:
    """How many bits each distance in microseconds has: (M,), int64; `UNLIMITED_REACH` for an infinite distance."""
    bits = np.array([distance.bit_length() for distance in distances_us.tolist()], dtype=np.int64)
    return np.where(distances_us == INFINITE_DISTANCE, UNLIMITED_REACH, bits)


def concerned_times(keepers: Iterable[OpeningKeeper], *, rank_class: int, reach_class: int) -> list[TimeRange] | None:
    """The capture times of the duplicates of these classes that one of the keepers may concern, without overlaps; None
    if it may concern all of them, also those without a time."""
    above = [keeper for keeper in keepers if keeper.rank_class is None or keeper.rank_class >= rank_class]
    if above and reach_class == UNLIMITED_REACH:
        return None
    reach_us = (1 << reach_class) - 1
    merged: list[TimeRange] = []
    for begin_us, end_us in sorted(
        (_first_time_us(keeper, rank_class=rank_class, reach_us=reach_us), keeper.captured_us + reach_us)
        for keeper in above
        if keeper.captured_us is not None
    ):
        if merged and begin_us <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end_us)
        else:
            merged.append((begin_us, end_us))
    return merged


def _first_time_us(keeper: OpeningKeeper, *, rank_class: int, reach_us: int) -> int:
    """The earliest time of a duplicate that the keeper may concern. In its own class the earlier image ranks higher,
    where the class has the exact number of folders."""
    assert keeper.captured_us is not None
    is_earlier_above = rank_class == keeper.rank_class and rank_class & _MAX_FOLDERS
    return keeper.captured_us if is_earlier_above else keeper.captured_us - reach_us
