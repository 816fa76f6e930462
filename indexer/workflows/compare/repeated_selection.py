"""Decides one camera from scratch repeatedly, under one set of scoring parameters after the other.

It promises for each set what `indexer.workflows.compare.decider` promises, and that the evidence of one selection
serves the next ones. It writes nothing, and does not know where pixels, verdicts and earlier evidence come from.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from indexer.domain.camera_images import CameraImages
from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.images import Image
from indexer.domain.score_bounds import known_bounds
from indexer.domain.selection import Decision, Selection
from indexer.domain.verdicts import Judgement
from indexer.execution import ParallelMap
from indexer.workflows.compare.decider import Decider, KnownPairs, ScoredPair
from indexer.workflows.compare.prepared_images import PreparedImages
from indexer.workflows.compare.searcher import LocalSearcher
from indexer.workflows.context import Advance

Lookup = Callable[[int], Mapping[int, Evidence]]
"""Returns the evidence of an image's pairs, by the id of the other image."""


@dataclass(frozen=True)
class SelectionResult:
    """The result of a camera under one set of scoring parameters: the decisions on all images, the evidence worth
    recording, and how many pairs were scored.

    Where a decision follows from evidence that was recorded with another `min_contour_area`, its score is not known:
    the bound that was enough for the decision stands in its place.
    """

    decisions: tuple[Decision, ...]
    evidence: tuple[ScoredPair, ...]
    scored: int


class RepeatedSelection:
    """Decides one camera. `lookup_recorded` gives evidence in which contours from `recorded_min_contour_area` on
    count."""

    def __init__(
        self,
        images: Iterable[Image],
        judgements: Mapping[tuple[int, int], Judgement],
        *,
        lookup_recorded: Lookup,
        recorded_area: float,
    ) -> None:
        self._images = CameraImages.of(images)
        self._judgements = judgements
        self._lookup_recorded = lookup_recorded
        self._recorded_area = recorded_area
        # By the parameters of the score that may differ, then by either image's id.
        self._computed: dict[tuple[float, float, float], dict[int, dict[int, Evidence]]] = {}

    def decide(
        self,
        scoring: ScoringParameters,
        prepare_images: Callable[[Selection], PreparedImages],
        *,
        executor: ParallelMap,
        advance: Advance = lambda _count: None,
    ) -> SelectionResult:
        """Decides the camera under `scoring`."""
        selection = Selection(self._images, previous={})
        known_pairs = KnownPairs(self._judgements, partial(self._known_scores, scoring))
        searcher = LocalSearcher(prepare_images(selection), scoring=scoring, executor=executor)
        decider = Decider(selection, known_pairs, searcher=searcher, scoring=scoring)
        for number in decider.decide_all():
            advance(number)
        self._remember(decider.evidence, scoring)
        return SelectionResult(tuple(selection.decisions), tuple(decider.evidence), decider.scored)

    def _known_scores(self, scoring: ScoringParameters, image_id: int) -> dict[int, float]:
        """Scores of an image's pairs, by the other's id: exact ones, or bounds that lead to the same decision."""
        known: dict[int, float] = {}
        for other_id, evidence in self._lookup_recorded(image_id).items():
            bounds = known_bounds(evidence, scoring, recorded_area=self._recorded_area)
            score = bounds.equivalent_score(scoring.max_score)
            if score is not None:
                known[other_id] = score
        for other_id, evidence in self._computed.get(_score_key(scoring), {}).get(image_id, {}).items():
            known[other_id] = evidence.score
        return known

    def _remember(self, evidence: Sequence[ScoredPair], scoring: ScoringParameters) -> None:
        by_image = self._computed.setdefault(_score_key(scoring), {})
        for image_a_id, image_b_id, pair_evidence in evidence:
            by_image.setdefault(image_a_id, {})[image_b_id] = pair_evidence
            by_image.setdefault(image_b_id, {})[image_a_id] = pair_evidence


def _score_key(scoring: ScoringParameters) -> tuple[float, float, float]:
    """What scores depend on among the parameters that are tried for one camera."""
    return scoring.min_contour_area, scoring.max_distance, scoring.veto_distance
