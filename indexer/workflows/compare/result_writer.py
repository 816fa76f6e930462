"""What a comparison of one camera gives, and how its evidence and decisions are written.

It promises that the decisions that are passed together change all at once, or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.domain.camera_images import NO_IMAGE, DecisionColumns
from indexer.domain.decisions import Placement
from indexer.domain.selection import Decision, Reason, ordered_pair
from indexer.domain.verdicts import Contradiction, Judgement
from indexer.store import decisions, scores
from indexer.store.profiles import StoredProfile
from indexer.store.scores import PairEvidence
from indexer.workflows.compare.decider import ScoredPair
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import ActiveRun

NO_DECISIONS = DecisionColumns.of({})


@dataclass(frozen=True)
class CameraResult:
    """What compare did to one camera. `problem` says why it was held back, unchanged. `contradictions` are between
    current verdicts: each verdict is followed all the same."""

    camera: str
    profile: str
    images: int
    kept: int = 0
    duplicates: int = 0
    decided: int = 0
    scored: int = 0
    recorded: int = 0
    problem: str | None = None
    contradictions: tuple[Contradiction, ...] = ()


class ResultWriter:
    """Writes evidence and decisions of one profile, and counts the evidence in `recorded`."""

    def __init__(
        self,
        context: ComparisonContext,
        run: ActiveRun,
        stored: StoredProfile,
        judgements: Mapping[tuple[int, int], Judgement],
    ) -> None:
        self._context = context
        self._run = run
        self._stored = stored
        self._judgements = judgements
        self.recorded = 0

    def write(
        self,
        evidence: Sequence[ScoredPair],
        new_decisions: Sequence[Decision] = (),
        *,
        placements: Mapping[int, Placement] | None = None,
        previous: DecisionColumns = NO_DECISIONS,
    ) -> int:
        """Writes evidence and the changed decisions in one transaction, so that nobody reads half a change; returns the
        number of changed decisions. `placements`: the places of the decided images; `previous`: the decisions that the
        index has. A duplicate that stays one of the same keeper may have another distance to it: that is noted."""
        image_ids = np.array([decision.image_id for decision in new_decisions], dtype=np.int64)
        positions = previous.find(image_ids, profile_id=self._stored.id).tolist()
        changed, reach_classes = list[Decision](), dict[int, int]()
        for decision, position in zip(new_decisions, positions, strict=True):
            if position == NO_IMAGE or previous.decision(position) != decision:
                changed.append(decision)
                continue
            reach_class = None if placements is None else placements[decision.image_id].reach_class
            if reach_class is not None and reach_class != previous.reach_classes[position]:
                reach_classes[decision.image_id] = reach_class
        judged_by = {
            decision.image_id: self._judgements[ordered_pair(decision.image_id, decision.keeper_id)].judged_by
            for decision in changed
            if decision.reason is Reason.VERDICT and decision.keeper_id is not None
        }
        if evidence or changed or reach_classes:
            pairs = [PairEvidence(*pair) for pair in evidence]
            with self._context.database.write() as session:
                scores.add_scores(session, pairs, scoring_id=self._stored.scoring_id, run_id=self._run.id)
                decisions.correct_reaches(session, reach_classes)
                if changed:
                    decisions.add_decisions(
                        session,
                        changed,
                        profile_id=self._stored.id,
                        judged_by=judged_by,
                        placements=placements,
                        at=self._context.clock(),
                        run_id=self._run.id,
                    )
        self.recorded += len(evidence)
        return len(changed)
