"""Which of several images, in a given order, is the first that is similar to a new one, and what was seen on the way.

It promises that brute force gives the same: the first similar one in the order given, and exact evidence for every
pair met whose score is at most the record limit. It does not know time, rank, or who may be kept for whom.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.imaging.image_buffer import Shelf, Slot, hints, room_for, stay_small, take, whole
from indexer.imaging.kernel.cache import load_search
from indexer.imaging.original_profile import same_size
from indexer.imaging.scoring import Evidence, area_unit, changed_area

NOTHING = -1.0
"""As a record limit: no score is that small."""
PAIRS_BEFORE_COMPILED = 5_000
"""So many pairs are scored by OpenCV before the kernel is loaded; no result depends on it."""
_PAIRS_BETWEEN_LOOKS = 20_000  # at how large this process has grown


@dataclass(frozen=True)
class Measure:
    """How pairs are scored and what their scores mean.

    `native` compares whole images, the larger shrunk to the smaller, in native pixels (the profile `original`).
    Prepared images have so many `planes`, one above the other; a pixel of the frame has changed if it has in any.
    """

    threshold: int
    dilations: int
    min_contour_area: float
    native: bool
    max_score: float
    record_limit: float
    planes: int = 1

    @property
    def is_blind(self) -> bool:
        """Whether no pair can be similar or worth recording, so that there is no need to look at any."""
        return self.max_score <= 0 and self.record_limit <= NOTHING


@dataclass(frozen=True)
class Match:
    """How many candidates were met, whether the last of them is similar, and the evidence of those whose score is
    within the record limit, by place among the candidates."""

    met: int
    found: bool
    evidence: tuple[tuple[int, Evidence], ...]


@dataclass(frozen=True)
class MatchTask:
    """A search as it is sent to a worker: the new image, and the candidates in the order to be met.

    Attributes
    ----------
    image : Slot
    candidates : tuple of Slot, or (M,) int64
        The latter are offsets on the image's shelf, of images of its shape.
    measure : Measure
        A native one needs slots.
    """

    image: Slot
    candidates: tuple[Slot, ...] | NDArray[np.int64]
    measure: Measure


def match(task: MatchTask) -> Match:
    """The first similar candidate of a task."""
    search = None if isinstance(task.candidates, tuple) else _compiled_search(len(task.candidates))
    if search is None:
        return first_similar(take(task.image), map(take, _slots(task)), measure=task.measure)
    return search(task)


def match_each(tasks: tuple[MatchTask, ...]) -> tuple[Match, ...]:
    """The first similar candidate of each task."""
    return tuple(map(match, tasks))


class CompiledSearch:
    """The search in machine code (`indexer.imaging.kernel.search`)."""

    def __init__(self, search: Callable[..., Any]) -> None:
        self._search = search

    def __call__(self, task: MatchTask) -> Match:
        """The first similar candidate of a task whose candidates are offsets."""
        slot, measure = task.image, task.measure
        evidence = np.empty((len(task.candidates), 4), dtype=np.int64)
        height = slot.height // measure.planes
        met, found = self._search(
            whole(slot),
            slot.offset,
            task.candidates,
            measure.planes,
            height,
            slot.width,
            slot.stride,
            np.uint8(measure.threshold),
            measure.dilations,
            *_limits(measure, height, slot.width),
            hints(slot),
            evidence,
        )
        return Match(met, found, tuple(_worth_recording(evidence[:met], measure, slot)))


def _worth_recording(found: NDArray[np.int64], measure: Measure, slot: Slot) -> Iterable[tuple[int, Evidence]]:
    """The evidence of the pairs within the record limit, as the kernel wrote it, in the words of `scoring`."""
    height = slot.height // measure.planes
    unit, pixels = area_unit(height, slot.width), height * slot.width
    for place, counted in enumerate(found[:, 0].tolist()):
        if counted >= 0 and (score := counted / 2 * unit) <= measure.record_limit:
            _, largest, number, changed = found[place].tolist()
            yield place, Evidence(score, largest / 2 * unit, number, changed / pixels)


@lru_cache(maxsize=64)
def _limits(measure: Measure, height: int, width: int) -> tuple[int, int, int]:
    """The limits of a measure in doubled areas of pixels, exactly: the least that counts, the largest that is similar,
    the largest of which the evidence is wanted."""
    unit, most = area_unit(height, width), 2 * height * width
    least = _first(lambda area: area >= measure.min_contour_area, near=measure.min_contour_area, unit=unit, most=most)
    similar = _first(lambda area: area >= measure.max_score, near=measure.max_score, unit=unit, most=most) - 1
    recorded = _first(lambda area: area > measure.record_limit, near=measure.record_limit, unit=unit, most=most) - 1
    return least, similar, max(similar, recorded)


def _first(passes: Callable[[float], bool], *, near: float, unit: float, most: int) -> int:
    """The first doubled area in pixels that passes in the unit of scores, which is near a number; one more than there
    can be if none does."""
    start = int(min(max(0.0, 2 * near / unit - 3), most))
    return next((area for area in range(start, most + 1) if passes(area / 2 * unit)), most + 1)


class _Pairs:
    """How many pairs this process was asked about, and the compiled search once they have earned it."""

    offered = 0
    looked = 0
    search: CompiledSearch | None = None
    can_load = True


def _compiled_search(pairs: int) -> CompiledSearch | None:
    """The compiled search, once this process was asked about enough pairs to earn the second that loading it takes."""
    _Pairs.offered += pairs
    if _Pairs.offered - _Pairs.looked > _PAIRS_BETWEEN_LOOKS:
        _Pairs.looked = _Pairs.offered
        stay_small()
    if _Pairs.search is None and _Pairs.offered > PAIRS_BEFORE_COMPILED:
        load_kernel()
    return _Pairs.search


def load_kernel() -> None:
    """Loads the kernel now, whatever this process was asked; tried once."""
    if _Pairs.can_load and _Pairs.search is None:
        search = load_search(_warm_up)
        _Pairs.search = None if search is None else CompiledSearch(search)
        _Pairs.can_load = search is not None


def _warm_up(search: Callable[..., Any]) -> None:
    """A search among nothing, so that the machine code is there, compiled if it must be."""
    measure = Measure(0, 0, 0.0, native=False, max_score=0.0, record_limit=0.0)
    with Shelf(room_for([(1, 1)]), shared=False) as shelf:
        CompiledSearch(search)(MatchTask(shelf.reserve(1, 1), np.empty(0, dtype=np.int64), measure))


def _slots(task: MatchTask) -> Iterable[Slot]:
    """The slots of the candidates."""
    if isinstance(task.candidates, tuple):
        return task.candidates
    return (replace(task.image, offset=offset) for offset in task.candidates.tolist())


def first_similar(image: NDArray[np.uint8], candidates: Iterable[NDArray[np.uint8]], *, measure: Measure) -> Match:
    """The first candidate whose score with the image is below `max_score`, each pair scored by OpenCV.

    Parameters
    ----------
    image : (H, W), uint8
        A prepared image.
    candidates : of (H, W), uint8
        Prepared images of the same shape (of any shape if the measure is native), in the order to be met. Read lazily.
    measure : Measure
    """
    met = 0
    within: list[tuple[int, Evidence]] = []
    for place, candidate in enumerate(candidates):
        met = place + 1
        evidence = evidence_of_pair(image, candidate, measure=measure)
        if evidence.score <= measure.record_limit:
            within.append((place, evidence))
        if evidence.score < measure.max_score:
            return Match(met, True, tuple(within))
    return Match(met, False, tuple(within))


def evidence_of_pair(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, measure: Measure) -> Evidence:
    """The exact evidence of two prepared images, in either order.

    Raises
    ------
    ValueError
        If the shapes differ and the measure is not native, or if they are not of its planes.
    """
    image_a, image_b, unit = one_frame(image_a, image_b, measure=measure)
    return changed_area(
        image_a,
        image_b,
        threshold=measure.threshold,
        dilations=measure.dilations,
        min_contour_area=measure.min_contour_area,
        unit=unit,
        planes=measure.planes,
    )


def one_frame(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, measure: Measure
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """Both images as the measure compares them, brought to one size if it is native, and the area of one pixel."""
    if measure.native:
        return *same_size(image_a, image_b), 1.0
    height, width = image_a.shape
    return image_a, image_b, area_unit(height // measure.planes, width)
