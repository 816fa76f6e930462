"""The search for the first of several images, in a given order, that is similar to a new one, with its evidence.

It promises the result of brute force: the first similar candidate in the given order, and exact evidence for every
compared pair whose score is at most the record limit. It does not know time, rank, or which image may be a keeper.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.similarity import is_similar
from indexer.imaging.image_buffer import (
    ImageBuffer,
    Slot,
    buffer_view,
    release_pages,
    required_bytes,
    search_hints,
    view,
)
from indexer.imaging.kernel.cache import load_search
from indexer.imaging.original_profile import same_size
from indexer.imaging.scoring import area_unit, changed_area

PAIRS_BEFORE_COMPILED = 5_000
"""Number of pairs that OpenCV scores before the kernel is loaded; no result depends on it."""
_PAIRS_BETWEEN_SIZE_CHECKS = 20_000  # of this process's resident memory
_pair_count = 0  # of the pairs that this process was given to compare


@dataclass(frozen=True)
class Match:
    """The result of a search.

    Attributes
    ----------
    compared : int
        Number of candidates that were compared.
    matched : bool
        Whether the last of them is similar.
    evidence : tuple of (int, Evidence)
        The pairs whose score is within the record limit, each with the index of its candidate.
    """

    compared: int
    matched: bool
    evidence: tuple[tuple[int, Evidence], ...]


@dataclass(frozen=True)
class MatchTask:
    """A search as it is sent to a worker: the new image, and the candidates in the order of comparison.

    Attributes
    ----------
    image : Slot
    candidates : tuple of Slot, or (M,) int64
        Integers are offsets in the image's buffer, of images of the same shape.
    scoring : ScoringParameters
        If it is native, the candidates must be slots.
    """

    image: Slot
    candidates: tuple[Slot, ...] | NDArray[np.int64]
    scoring: ScoringParameters


def match(task: MatchTask) -> Match:
    """The result of one search: up to the first similar candidate.

    Raises
    ------
    EngineError, OSError
        If the buffer of a slot is gone, as `indexer.imaging.image_buffer.view`.
    ValueError
        As `evidence_of_pair`.
    """
    search = None if isinstance(task.candidates, tuple) else _compiled_search(len(task.candidates))
    if search is None:
        return first_similar(view(task.image), map(view, _slots(task)), scoring=task.scoring)
    return search(task)


def match_each(tasks: tuple[MatchTask, ...]) -> tuple[Match, ...]:
    """The result of each search, in order; raises as `match`."""
    return tuple(map(match, tasks))


class CompiledSearch:
    """The search in machine code (`indexer.imaging.kernel.search`)."""

    def __init__(self, search: Callable[..., Any]) -> None:
        self._search = search

    def __call__(self, task: MatchTask) -> Match:
        """The result of a search whose candidates are offsets; raises `EngineError` or `OSError` as `match`."""
        slot, scoring = task.image, task.scoring
        evidence = np.empty((len(task.candidates), 4), dtype=np.int64)
        height = slot.height // scoring.planes
        compared, matched = self._search(
            buffer_view(slot),
            slot.offset,
            task.candidates,
            scoring.planes,
            height,
            slot.width,
            slot.stride,
            np.uint8(scoring.threshold),
            scoring.dilations,
            *area_limits(scoring, height, slot.width),
            search_hints(slot),
            evidence,
        )
        return Match(compared, matched, tuple(_recordable(evidence[:compared], scoring, slot)))


def _recordable(counts: NDArray[np.int64], scoring: ScoringParameters, slot: Slot) -> Iterable[tuple[int, Evidence]]:
    """The evidence of the pairs within the record limit, converted from the kernel's `counts` to units of the score."""
    height = slot.height // scoring.planes
    unit, pixels = area_unit(height, slot.width), height * slot.width
    for index, doubled_area in enumerate(counts[:, 0].tolist()):
        if doubled_area >= 0 and (score := doubled_area / 2 * unit) <= scoring.record_limit:
            _, largest, contour_count, changed = counts[index].tolist()
            yield index, Evidence(score, largest / 2 * unit, contour_count, changed / pixels)


@lru_cache(maxsize=64)
def area_limits(scoring: ScoringParameters, height: int, width: int) -> tuple[int, int, int]:
    """The limits of `scoring` as doubled areas in pixels, exactly.

    They are the smallest area of a contour that counts, the largest area that is similar, and the largest area whose
    evidence is recorded (not below the second).
    """
    unit, max_area = area_unit(height, width), 2 * height * width
    min_contour = _first_passing_area(
        lambda area: area >= scoring.min_contour_area, near=scoring.min_contour_area, unit=unit, max_area=max_area
    )
    similar = (
        _first_passing_area(
            lambda area: not is_similar(area, max_score=scoring.max_score),
            near=scoring.max_score,
            unit=unit,
            max_area=max_area,
        )
        - 1
    )
    recorded = (
        _first_passing_area(
            lambda area: area > scoring.record_limit, near=scoring.record_limit, unit=unit, max_area=max_area
        )
        - 1
    )
    return min_contour, similar, max(similar, recorded)


def _first_passing_area(passes: Callable[[float], bool], *, near: float, unit: float, max_area: int) -> int:
    """The smallest doubled area in pixels that passes, or `max_area` + 1 if none does.

    `passes` takes an area in units of the score. The search starts just below `near`, also in units of the score.
    """
    start = int(min(max(0.0, 2 * near / unit - 3), max_area))
    return next((area for area in range(start, max_area + 1) if passes(area / 2 * unit)), max_area + 1)


def _compiled_search(pairs: int) -> CompiledSearch | None:
    """The compiled search, or None while this process has had too few pairs: loading takes a second."""
    global _pair_count
    before, _pair_count = _pair_count, _pair_count + pairs
    if before // _PAIRS_BETWEEN_SIZE_CHECKS < _pair_count // _PAIRS_BETWEEN_SIZE_CHECKS:
        release_pages()
    if _pair_count > PAIRS_BEFORE_COMPILED or load_kernel.cache_info().currsize:
        return load_kernel()
    return None


@cache
def load_kernel() -> CompiledSearch | None:
    """The compiled search; None if it cannot be loaded. Loading is tried only once in a process."""
    search = load_search(_warm_up)
    return None if search is None else CompiledSearch(search)


def _warm_up(search: Callable[..., Any]) -> None:
    """Runs a search without candidates, so that the machine code is loaded, or compiled if necessary."""
    scoring = ScoringParameters(0, 0, 0.0, native=False, max_score=0.0, record_limit=0.0)
    with ImageBuffer(required_bytes([(1, 1)]), shared=False) as buffer:
        CompiledSearch(search)(MatchTask(buffer.reserve(1, 1), np.empty(0, dtype=np.int64), scoring))


def _slots(task: MatchTask) -> Iterable[Slot]:
    """The slots of the candidates."""
    if isinstance(task.candidates, tuple):
        return task.candidates
    return (replace(task.image, offset=offset) for offset in task.candidates.tolist())


def first_similar(
    image: NDArray[np.uint8], candidates: Iterable[NDArray[np.uint8]], *, scoring: ScoringParameters
) -> Match:
    """The search up to the first candidate that is similar by `scoring.max_score`, with each pair scored by OpenCV.

    Parameters
    ----------
    image : (H, W), uint8
        A prepared image.
    candidates : of (H, W), uint8
        Prepared images of the same shape (of any shape if `scoring` is native), in the order of comparison. Only those
        that are compared are read.
    scoring : ScoringParameters

    Raises
    ------
    ValueError
        As `evidence_of_pair`.
    """
    compared = 0
    recordable: list[tuple[int, Evidence]] = []
    for index, candidate in enumerate(candidates):
        compared = index + 1
        evidence = evidence_of_pair(image, candidate, scoring=scoring)
        if evidence.score <= scoring.record_limit:
            recordable.append((index, evidence))
        if is_similar(evidence.score, max_score=scoring.max_score):
            return Match(compared, True, tuple(recordable))
    return Match(compared, False, tuple(recordable))


def evidence_of_pair(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters) -> Evidence:
    """The exact evidence of two prepared images, in either order.

    Raises
    ------
    ValueError
        If the shapes differ and `scoring` is not native, or if the height is not a multiple of `scoring.planes`.
    """
    image_a, image_b, unit = aligned(image_a, image_b, scoring=scoring)
    return changed_area(
        image_a,
        image_b,
        threshold=scoring.threshold,
        dilations=scoring.dilations,
        min_contour_area=scoring.min_contour_area,
        unit=unit,
        planes=scoring.planes,
    )


def aligned(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """Both images as they are compared, and the area of one of their pixels in the unit of the score.

    If `scoring` is native, the larger image is resized to the size of the smaller.
    """
    if scoring.native:
        return *same_size(image_a, image_b), 1.0
    height, width = image_a.shape
    return image_a, image_b, area_unit(height // scoring.planes, width)
