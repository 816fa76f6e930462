"""One camera decided from scratch again and again, under one measure after the other.

It promises what the walk promises in `indexer.workflows.compare.decider` for each measure, and that what one walk
found serves the next ones. It writes nothing, and does not know where pixels, verdicts and earlier evidence come
from.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from indexer.domain.images import Image
from indexer.domain.score_bounds import score_bounds
from indexer.domain.selection import Decision, Selection
from indexer.domain.verdicts import Judgement
from indexer.execution import Map
from indexer.imaging.matching import Measure
from indexer.imaging.scoring import Evidence
from indexer.workflows.compare.decider import Decider, Knowledge, MetPair
from indexer.workflows.compare.prepared_images import PreparedImages
from indexer.workflows.compare.searcher import AtHand
from indexer.workflows.context import Advance

Lookup = Callable[[int], Mapping[int, Evidence]]
"""Gives the evidence of an image's pairs, by the other's id."""


@dataclass(frozen=True)
class Decided:
    """What came of a camera under one measure: the decisions on all images, the evidence of the pairs met that is worth
    recording, and how many were scored.

    A decision that follows from evidence of another least area bears the bound that led to it and not the score.
    """

    decisions: tuple[Decision, ...]
    evidence: tuple[MetPair, ...]
    scored: int


class Series:
    """The walks of one camera; `recorded` is evidence in which contours from `recorded_area` on count."""

    def __init__(
        self,
        images: Iterable[Image],
        judgements: Mapping[tuple[int, int], Judgement],
        *,
        recorded: Lookup,
        recorded_area: float,
    ) -> None:
        self._images = tuple(images)
        self._judgements = judgements
        self._recorded = recorded
        self._recorded_area = recorded_area
        self._found: dict[float, dict[int, dict[int, Evidence]]] = {}  # by least area, then by either image's id

    def decide(
        self,
        measure: Measure,
        prepared_for: Callable[[Selection], PreparedImages],
        *,
        spread: Map,
        advance: Advance = lambda _count: None,
    ) -> Decided:
        """Walks down the camera under a measure."""
        walk = Selection(self._images, previous={})
        knowledge = Knowledge(self._judgements, partial(self._known, measure))
        searches = AtHand(prepared_for(walk), measure=measure, spread=spread)
        decider = Decider(walk, knowledge, searches=searches, measure=measure)
        for number in decider.walk_down():
            advance(number)
        self._learn(decider.evidence, area=measure.min_contour_area)
        return Decided(tuple(walk.decisions), tuple(decider.evidence), decider.scored)

    def _known(self, measure: Measure, image_id: int) -> dict[int, float]:
        """Scores of an image's pairs, by the other's id: exact ones, and bounds that decide as the score would."""
        wanted = measure.min_contour_area
        known: dict[int, float] = {}
        for other_id, one in self._recorded(image_id).items():
            bounds = score_bounds(
                one.score,
                one.largest_contour,
                one.contour_count,
                recorded_area=self._recorded_area,
                new_area=wanted,
            )
            score = bounds.equivalent_score(measure.max_score)
            if score is not None:
                known[other_id] = score
        for other_id, one in self._found.get(wanted, {}).get(image_id, {}).items():
            known[other_id] = one.score
        return known

    def _learn(self, evidence: Sequence[MetPair], *, area: float) -> None:
        found = self._found.setdefault(area, {})
        for image_a_id, image_b_id, one in evidence:
            found.setdefault(image_a_id, {})[image_b_id] = one
            found.setdefault(image_b_id, {})[image_a_id] = one
