"""The search for the first of several images, in a given order, that is similar to a new one, with its evidence.

It promises the result of brute force: the first similar candidate in the given order, and exact evidence for every
compared pair whose score is at most the record limit. It does not know time, rank, or which image may be a keeper.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import REFERENCE_PIXELS, Evidence, ScoringParameters
from indexer.domain.similarity import distance_score, is_similar
from indexer.imaging.feature_search import load_distances, squared_distances
from indexer.imaging.features import distance_of, feature_distance, least_squared
from indexer.imaging.image_buffer import (
    Slot,
    buffer_view,
    release_pages,
    row_bytes,
    search_hints,
    view,
)
from indexer.imaging.kernel.cache import is_stored, load_search
from indexer.imaging.kernel.calls import Frame, SearchCall
from indexer.imaging.original_profile import same_size
from indexer.imaging.scoring import area_unit, changed_area

pair_count = 0
"""Number of pairs that this process compared."""
PAIRS_BEFORE_COMPILED = 600
"""Number of pairs that OpenCV scores before the kernel is loaded: they take as long. No result depends on it."""
_TIMES_COMPILING = 15
"""So many times more pairs where the machine code of the kernel is not stored, so that it must be compiled."""
_MANY_PAIRS = 2_000  # so many in one search come after hundreds that matched none: more will follow
PAIRS_PER_PART = 1_000
"""Number of pairs between two looks at this process's resident memory: so many images are 60 MB."""
_NEVER_SIMILAR = -1  # an area below every other, so that a search goes through all candidates


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
    search = None if isinstance(task.candidates, tuple) else compiled_search(len(task.candidates))
    compared, evidence = 0, list[tuple[int, Evidence]]()
    for part in _parts(task):
        found = _match_part(part, search)
        evidence += [(compared + index, of_pair) for index, of_pair in found.evidence]
        compared += found.compared
        _count_pairs(found.compared)
        if found.matched:
            return Match(compared, True, tuple(evidence))
    return Match(compared, False, tuple(evidence))


def _parts(task: MatchTask) -> Iterable[MatchTask]:
    """The task, in parts after which resident memory may be looked at."""
    count = len(task.candidates)
    if count <= PAIRS_PER_PART:
        return (task,)
    return (
        replace(task, candidates=task.candidates[begin : begin + PAIRS_PER_PART])
        for begin in range(0, count, PAIRS_PER_PART)
    )


def _match_part(task: MatchTask, search: "CompiledSearch | None") -> Match:
    if search is None:
        return first_similar(view(task.image), map(view, _slots(task)), scoring=task.scoring)
    return _search_by_features(task, search) if task.scoring.has_features else search(task)


def match_each(tasks: tuple[MatchTask, ...]) -> tuple[Match, ...]:
    """The result of each search, in order; raises as `match`."""
    return tuple(map(match, tasks))


class CompiledSearch:
    """The search in machine code (`indexer.imaging.kernel.search`)."""

    def __init__(self, search: SearchCall) -> None:
        self._search = search

    def __call__(self, task: MatchTask) -> Match:
        """The result of a search whose candidates are offsets; raises `EngineError` or `OSError` as `match`."""
        slot, scoring = task.image, task.scoring
        frame = _frame(scoring, slot.height, slot.width)
        compared, matched, counts = self._run(task, frame)
        return Match(compared, matched, tuple(_recordable(counts[:compared], scoring, height=frame[1], width=frame[2])))

    def evidence_of(self, pair: MatchTask) -> Evidence:
        """The evidence of the image and its only candidate by their frames alone, whatever the limits."""
        frame = _frame(pair.scoring, pair.image.height, pair.image.width)
        height, width, least = frame[1], frame[2], frame[6]
        (counts,) = self._run(pair, (*frame[:6], least, _NEVER_SIMILAR, 2 * height * width))[2].tolist()
        return _evidence(*counts, height=height, width=width)

    def exceeds(self, task: MatchTask, *, of_shape: tuple[int, int], pixels_per_area: int) -> NDArray[np.bool_]:
        """Which candidates differ so much, without dilation, that they exceed the record limit: (M,), bool.

        The limits are those of images of the (height, width) `of_shape`, of which an area of one in the task's images
        counts for at least `pixels_per_area`.
        """
        slot, scoring = task.image, task.scoring
        least, _, recorded = area_limits(scoring, of_shape[0] // scoring.planes, of_shape[1])
        limits = -(-least // pixels_per_area), _NEVER_SIMILAR, recorded // pixels_per_area
        sizes = scoring.planes, scoring.frame_height(slot.height, slot.width), slot.width, slot.stride
        _, _, counts = self._run(task, (*sizes, scoring.threshold, 0, *limits))
        exceeding: NDArray[np.bool_] = counts[:, 0] < 0
        return exceeding

    def _run(self, task: MatchTask, frame: Frame) -> tuple[int, bool, NDArray[np.int64]]:
        """What `indexer.imaging.kernel.search` returns and writes."""
        slot = task.image
        counts = np.empty((len(task.candidates), 4), dtype=np.int64)
        candidates = np.ascontiguousarray(task.candidates, dtype=np.int64)
        compared, matched = self._search(buffer_view(slot), slot.offset, candidates, frame, search_hints(slot), counts)
        return compared, matched, counts


@lru_cache(maxsize=64)
def _frame(scoring: ScoringParameters, height: int, width: int) -> Frame:
    """How images of this size are compared. Made once: a search among few candidates takes as long."""
    frame_height = scoring.frame_height(height, width)
    sizes = scoring.planes, frame_height, width, row_bytes(width)
    return (*sizes, scoring.threshold, scoring.dilations, *area_limits(scoring, frame_height, width))


def _recordable(
    counts: NDArray[np.int64], scoring: ScoringParameters, *, height: int, width: int
) -> Iterable[tuple[int, Evidence]]:
    """The evidence of the pairs within the record limit, converted from the kernel's `counts` to units of the score."""
    unit = area_unit(height, width)
    for index, doubled_area in enumerate(counts[:, 0].tolist()):
        if doubled_area >= 0 and doubled_area / 2 * unit <= scoring.record_limit:
            yield index, _evidence(*counts[index].tolist(), height=height, width=width)


def _evidence(
    doubled_area: int, doubled_largest: int, contour_count: int, changed_px: int, *, height: int, width: int
) -> Evidence:
    """The evidence of a pair of (height, width) frames from the numbers of the kernel."""
    unit = area_unit(height, width)
    return Evidence(doubled_area / 2 * unit, doubled_largest / 2 * unit, contour_count, changed_px / (height * width))


@lru_cache(maxsize=64)
def area_limits(scoring: ScoringParameters, height: int, width: int) -> tuple[int, int, int]:
    """The limits of `scoring` as doubled areas in pixels, exactly.

    The first is the smallest area of a contour that counts. The second is the largest area that is similar. The third
    is the largest area whose evidence is recorded; it is not below the second.
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


def compiled_search(pairs: int) -> CompiledSearch | None:
    """The compiled search, for a search among so many candidates; None while this process has compared too few pairs:
    loading takes as long as comparing hundreds, and compiling as long as thousands."""
    count = pair_count + pairs
    if load_kernel.cache_info().currsize or pairs >= _MANY_PAIRS or count > _TIMES_COMPILING * PAIRS_BEFORE_COMPILED:
        return load_kernel()
    return load_kernel() if count > PAIRS_BEFORE_COMPILED and is_kernel_stored() else None


def _count_pairs(pairs: int) -> None:
    """Counts pairs that this process compared, and looks at its resident memory now and then."""
    global pair_count
    before, pair_count = pair_count, pair_count + pairs
    if before // PAIRS_PER_PART < pair_count // PAIRS_PER_PART:
        release_pages()


@cache
def is_kernel_stored() -> bool:
    """Whether the machine code that `load_kernel` loads is stored. The answer is that of the first call."""
    return is_stored("search") and is_stored("distances")


@cache
def load_kernel() -> CompiledSearch | None:
    """The compiled search; None if it cannot be loaded. Loading is tried only once in a process.

    The distances of features are loaded with it.
    """
    search = load_search()
    load_distances()
    return None if search is None else CompiledSearch(search)


def lacks_kernel() -> bool:
    """Whether this process needed the kernel and could not load it, so that OpenCV scores all pairs."""
    return load_kernel.cache_info().currsize > 0 and load_kernel() is None


def _search_by_features(task: MatchTask, search: CompiledSearch) -> Match:
    """The result of a search whose images have features: their distances first, and frames only where they count.

    A pair at the veto distance is not compared further, unless the whole frame is a score that is similar or recorded.
    """
    scoring, offsets = task.scoring, task.candidates
    assert not isinstance(offsets, tuple)
    alike, different = least_squared(scoring.max_distance), least_squared(scoring.veto_distance)
    limit = np.iinfo(np.int64).max if _counts(float(REFERENCE_PIXELS), scoring) else max(alike, different)
    ends_search = is_similar(0.0, max_score=scoring.max_score)
    squared = squared_distances(task.image, offsets, alike=alike if ends_search else 0, limit=limit)
    squared[squared < 0] = limit
    by_frame = (squared >= alike) & (squared < different)
    by_distance = ~by_frame & np.where(squared < alike, _counts(0.0, scoring), squared < limit)
    evidence_by_index: dict[int, Evidence] = {}
    compared, matched = len(squared), False
    for index in np.flatnonzero(by_distance).tolist():
        of_frames = search.evidence_of(MatchTask(task.image, offsets[index : index + 1], scoring))
        evidence_by_index[index] = with_distance(of_frames, distance_of(int(squared[index])), scoring)
        if is_similar(evidence_by_index[index].score, max_score=scoring.max_score):
            compared, matched = index + 1, True
            break
    positions = np.flatnonzero(by_frame[:compared])
    nothing = Match(0, False, ())
    frames = search(MatchTask(task.image, offsets[positions], scoring)) if positions.size else nothing
    if frames.matched:
        compared, matched = int(positions[frames.compared - 1]) + 1, True
    for number, of_frames in frames.evidence:
        index = int(positions[number])
        evidence_by_index[index] = with_distance(of_frames, distance_of(int(squared[index])), scoring)
    recordable = (
        (index, evidence)
        for index, evidence in sorted(evidence_by_index.items())
        if index < compared and evidence.score <= scoring.record_limit
    )
    return Match(compared, matched, tuple(recordable))


def _counts(score: float, scoring: ScoringParameters) -> bool:
    """Whether a pair with this score is similar or recorded."""
    return is_similar(score, max_score=scoring.max_score) or score <= scoring.record_limit


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
    frame_a, frame_b, unit = aligned(image_a, image_b, scoring=scoring)
    evidence = changed_area(
        frame_a,
        frame_b,
        threshold=scoring.threshold,
        dilations=scoring.dilations,
        min_contour_area=scoring.min_contour_area,
        unit=unit,
        planes=scoring.planes,
    )
    return with_distance(evidence, feature_distance(image_a, image_b), scoring) if scoring.has_features else evidence


def with_distance(evidence: Evidence, distance: float, scoring: ScoringParameters) -> Evidence:
    """The evidence of two frames, with the distance of their features, and the score that follows from both."""
    score = distance_score(
        evidence.score, distance, max_distance=scoring.max_distance, veto_distance=scoring.veto_distance
    )
    return replace(evidence, score=score, distance=distance, changed_area=evidence.score)


def aligned(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """The frames of both images as they are compared, without features, and the area of one of their pixels in the unit
    of the score.

    If `scoring` is native, the larger image is resized to the size of the smaller. Raises `ValueError` if the shapes
    differ otherwise.
    """
    if scoring.native:
        return *same_size(image_a, image_b), 1.0
    if image_a.shape != image_b.shape:
        raise ValueError(f"shapes differ: {image_a.shape} and {image_b.shape}")
    height, width = image_a.shape
    frame_height = scoring.frame_height(height, width)
    rows = frame_height * scoring.planes if scoring.has_features else height
    return image_a[:rows], image_b[:rows], area_unit(frame_height, width)
