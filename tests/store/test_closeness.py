"""Closeness in the views: what the rule of the domain says of the recorded evidence, in SQL, on both databases."""

from collections.abc import Callable

import pytest

from indexer.domain.evidence import Evidence
from indexer.domain.profiles import BALANCED, LEARNED, Profile, derive_profile
from indexer.domain.removal import RemovalCandidate
from indexer.domain.selection import Decision
from indexer.domain.similarity import closeness
from indexer.store import profiles, scores
from indexer.store.database import Database
from indexer.store.scores import PairEvidence
from tests.support.databases import rows

LIMITS = {
    "both alike": {},
    "limit above area": {"max_score": 4000.0},
    "area above limit": {"max_score": 250.0},
    "no area": {"min_contour_area": 0.0},
    "nothing is similar": {"max_score": 0.0},
}
EVIDENCE = [
    Evidence(0.0, 0.0, 0, 0.0),
    Evidence(0.0, 886.5, 0, 0.003),
    Evidence(1000.0, 1000.0, 1, 0.004),
    Evidence(2500.0, 1250.0, 2, 0.008),
    Evidence(0.0, 2500.0, 2, 0.008, 0.21, 5000.0),
    Evidence(0.0, 0.0, 0, 0.0, 0.35, 0.0),
    Evidence(800.0, 800.0, 1, 0.003, 0.5, 800.0),
]


def profile_of(limits: dict[str, float], evidence: Evidence) -> Profile:
    return derive_profile(BALANCED if evidence.distance is None else LEARNED, name="tried", changes=limits)


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize("keeper_first", [True, False])
def test_views_tell_the_closeness_of_the_domain(
    database: Database,
    add: Callable[..., int],
    decide: Callable[..., None],
    limits: dict[str, float],
    evidence: Evidence,
    keeper_first: bool,
) -> None:
    """Whichever of the two came first, the view has their evidence, and the closeness that it gives."""
    profile = profile_of(limits, evidence)
    one, two = add("/frames/1.jpg"), add("/frames/2.jpg")
    keeper, image = (one, two) if keeper_first else (two, one)
    with database.write() as session:
        stored = profiles.add_profile(session, profile)
        scores.add_scores(session, [PairEvidence(image, keeper, evidence)], scoring_id=stored.scoring_id, run_id=1)
    decide(Decision(keeper, "new"), Decision(image, "similar", keeper, evidence.score), profile="tried")
    expected = closeness(
        evidence.score,
        evidence.largest_contour,
        max_score=profile.max_score,
        min_contour_area=profile.scoring.min_contour_area,
        distance=evidence.distance,
        max_distance=profile.scoring.max_distance,
    )
    columns = "verdict, decision, largest_contour, changed_fraction, closeness"
    assert rows(database, f"SELECT {columns} FROM audit_decisions ORDER BY decision") == [
        ("duplicate", "duplicate", evidence.largest_contour, evidence.changed_fraction, expected),
        ("keep", "keep", None, None, None),
    ]


@pytest.mark.parametrize(("reason", "expected"), [("identical", (0.0, 0.0, 0.0)), ("verdict", (None, None, None))])
def test_equal_bytes_are_as_far_from_the_limit_as_can_be(
    database: Database,
    add: Callable[..., int],
    decide: Callable[..., None],
    reason: str,
    expected: tuple[float | None, ...],
) -> None:
    """Equal bytes have closeness 0 without a score; where a person decided there is none."""
    keeper, image = add("/frames/1.jpg"), add("/frames/2.jpg")
    decide(Decision(keeper, "new"), Decision(image, reason, keeper, 0.0 if reason == "identical" else None))
    query = "SELECT largest_contour, changed_fraction, closeness FROM audit_decisions WHERE decision = 'duplicate'"
    assert rows(database, query) == [expected]


def test_removals_tell_it_too(
    database: Database, flagged: Callable[..., RemovalCandidate], remove: Callable[..., int]
) -> None:
    """A removed file has the evidence of its decision and the closeness, whatever is decided later."""
    item = flagged()
    pair = PairEvidence(item.victim.image_id, item.keeper.image_id, Evidence(900.0, 900.0, 1, 0.002))
    with database.write() as session:
        scores.add_scores(session, [pair], scoring_id=profiles.get_active_profile(session).scoring_id, run_id=1)
    remove(item)
    query = "SELECT score, largest_contour, changed_fraction, closeness FROM audit_removals"
    assert rows(database, query) == [(900.0, 900.0, 0.002, 0.9)]
