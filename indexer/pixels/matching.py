"""Which of several images, in a given order, is the first that is similar to a new one, and what was seen on the way.

It promises that brute force gives the same: the first similar one in the order given, and exact evidence for every
pair met whose score is at most the record limit. It does not know time, rank, or who may be kept for whom.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.pixels.native import same_size
from indexer.pixels.scoring import Evidence, area_unit, changed_area
from indexer.pixels.shelf import Slot, take, whole

PAIRS_BEFORE_PROVING = 5_000
"""So many pairs are scored one by one before the prover is loaded; no result depends on it."""


@dataclass(frozen=True)
class Measure:
    """How pairs are scored and what their scores mean.

    `native` compares whole images, the larger shrunk to the smaller, in native pixels (the profile `original`).
    """

    threshold: int
    dilations: int
    min_contour_area: float
    native: bool
    max_score: float
    record_limit: float


@dataclass(frozen=True)
class Match:
    """The key of the first similar image (None: none is), and every pair met, in order.

    The evidence of a pair is None where its score is above the record limit.
    """

    found: int | None
    met: tuple[tuple[int, Evidence | None], ...]


@dataclass(frozen=True)
class MatchTask:
    """A search as it is sent to a worker: the new image and the candidates, by key, in the order to be met."""

    image: Slot
    candidates: tuple[tuple[int, Slot], ...]
    measure: Measure


def match(task: MatchTask) -> Match:
    """The first similar candidate of a task, from the shelf that its slots lie on."""
    slots = [slot for _, slot in task.candidates]
    differ = _prover(len(slots)) if slots and not task.measure.native else None
    if differ is None:
        candidates = ((key, take(slot)) for key, slot in task.candidates)
        return first_similar(take(task.image), candidates, measure=task.measure)
    met: list[tuple[int, Evidence | None]] = []
    while len(met) < len(slots):
        proved = differ.count(task.image, slots[len(met) :], measure=task.measure)
        met += [(key, None) for key, _ in task.candidates[len(met) : len(met) + proved]]
        undecided = ((key, take(slot)) for key, slot in task.candidates[len(met) : len(met) + 1])
        answer = first_similar(take(task.image), undecided, measure=task.measure)
        met += answer.met
        if answer.found is not None:
            return Match(answer.found, tuple(met))
    return Match(None, tuple(met))


class Prover:
    """Proves pairs to score above the record limit (`indexer.pixels.kernel`); remembers where the last one differed."""

    def __init__(self) -> None:
        from indexer.pixels.kernel import first_undecided

        self._first_undecided = first_undecided
        self._hot = 0

    def count(self, image: Slot, candidates: Sequence[Slot], *, measure: Measure) -> int:
        """The number of candidates, from the first on, that are proved before one is not."""
        if not candidates:
            return 0
        unit = area_unit(image.height, image.width)
        offsets = np.array([slot.offset for slot in candidates], dtype=np.int64)
        proved, self._hot = self._first_undecided(
            whole(image, *candidates),
            image.offset,
            offsets,
            0,
            image.height,
            image.width,
            np.uint8(measure.threshold),
            measure.dilations,
            measure.min_contour_area / unit,
            measure.record_limit / unit,
            self._hot if self._hot < image.height else 0,
        )
        return int(proved)


class _Pairs:
    """How many pairs this process has met, and the prover once they have earned it."""

    met = 0
    prover: Prover | None = None
    can_prove = True


def _prover(pairs: int) -> Prover | None:
    """The prover, once this process has met enough pairs to earn the second that loading it takes."""
    _Pairs.met += pairs
    if _Pairs.prover is None and _Pairs.can_prove and _Pairs.met > PAIRS_BEFORE_PROVING:
        try:
            _Pairs.prover = Prover()
        except (ImportError, RuntimeError):  # no numba for this Python yet, or nowhere to keep what it compiles
            _Pairs.can_prove = False
    return _Pairs.prover


def first_similar(
    image: NDArray[np.uint8], candidates: Iterable[tuple[int, NDArray[np.uint8]]], *, measure: Measure
) -> Match:
    """The first candidate whose score with the image is below `max_score`, with the evidence met up to it.

    Parameters
    ----------
    image : (H, W), uint8
        A prepared image.
    candidates : of (key, (H, W) uint8)
        Prepared images of the same shape (of any shape if the measure is native), in the order to be met. Read lazily.
    measure : Measure
    """
    met: list[tuple[int, Evidence | None]] = []
    for key, candidate in candidates:
        evidence = evidence_of_pair(image, candidate, measure=measure)
        met.append((key, evidence if evidence.score <= measure.record_limit else None))
        if evidence.score < measure.max_score:
            return Match(key, tuple(met))
    return Match(None, tuple(met))


def evidence_of_pair(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, measure: Measure) -> Evidence:
    """The exact evidence of two prepared images, in either order.

    Raises
    ------
    ValueError
        If the shapes differ and the measure is not native.
    """
    shapes: Sequence[NDArray[np.uint8]] = same_size(image_a, image_b) if measure.native else (image_a, image_b)
    return changed_area(
        shapes[0],
        shapes[1],
        threshold=measure.threshold,
        dilations=measure.dilations,
        min_contour_area=measure.min_contour_area,
        unit=1.0 if measure.native else area_unit(*image_a.shape),
    )
