"""Scores: the evidence of a pair is recorded once per scoring and found from either image."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from indexer.domain.evidence import Evidence
from indexer.domain.profiles import BALANCED, derive_profile
from indexer.errors import DatabaseError
from indexer.store import profiles, scores
from indexer.store.cameras import list_cameras
from indexer.store.database import Database
from indexer.store.scores import NamedEvidence, PairEvidence
from indexer.store.tables import ScoreRow

Add = Callable[..., int]
NUMBERS = count()
REALS = st.floats(0, 1e9, allow_nan=False)
EVIDENCES = st.builds(Evidence, REALS, REALS, st.integers(0, 2**31 - 1), st.floats(0, 1))


def scoring_of(database: Database, profile: str) -> int:
    with database.read() as session:
        return profiles.get_profile(session, profile).scoring_id


def record(database: Database, *pairs: PairEvidence, profile: str = "balanced") -> None:
    scoring_id = scoring_of(database, profile)
    with database.write() as session:
        scores.add_scores(session, pairs, scoring_id=scoring_id, run_id=1)


def named(database: Database, profile: str, found: Evidence) -> NamedEvidence:
    return NamedEvidence(scoring_of(database, profile), profile, found)


def evidence(score: float) -> Evidence:
    return Evidence(score, score / 2, 3, 0.25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(EVIDENCES)
def test_evidence_comes_back(database: Database, add: Add, found: Evidence) -> None:
    """Every number of a pair's evidence comes back bit for bit, whichever way round the pair is asked for."""
    a, b = (add(f"/frames/{next(NUMBERS)}.jpg") for _ in range(2))
    record(database, PairEvidence(b, a, found))
    with database.read() as session:
        both = [scores.list_evidence(session, *pair) for pair in ((a, b), (b, a))]
    assert both == [[named(database, "balanced", found)]] * 2


def test_scores_of_an_image(database: Database, add: Add) -> None:
    """The scores of an image under a scoring come by the other image, on whichever side of it that is."""
    a, b, c, d = (add(f"/frames/{number}.jpg") for number in range(4))
    pairs = [(a, b, 1.0), (b, c, 2.0), (d, b, 3.0), (a, c, 4.0)]
    record(database, *(PairEvidence(one, other, evidence(score)) for one, other, score in pairs))
    record(database, PairEvidence(a, b, evidence(9.0)), profile="plain")
    scoring_id = scoring_of(database, "balanced")
    with database.read() as session:
        assert scores.list_scores(session, b, scoring_id=scoring_id) == {a: 1.0, c: 2.0, d: 3.0}
        assert scores.list_scores(session, 999, scoring_id=scoring_id) == {}


def test_evidence_of_a_camera(database: Database, add: Add) -> None:
    """All evidence of a camera under a scoring comes by either image, that of one image by the other."""
    a, b, c = (add(f"/frames/{number}.jpg") for number in range(3))
    d, e = (add(f"/frames/{number}.jpg", camera="lot") for number in (3, 4))
    record(database, *(PairEvidence(*pair, evidence(pair[1])) for pair in ((a, b), (c, b), (d, e))))
    record(database, PairEvidence(a, c, evidence(9.0)), profile="plain")
    scoring_id = scoring_of(database, "balanced")
    with database.read() as session:
        gate = list_cameras(session)["gate"]
        found = scores.list_camera_evidence(session, [gate], scoring_id=scoring_id)
        one = [scores.list_image_evidence(session, image_id, scoring_id=scoring_id) for image_id in (a, b, c, 999)]
    assert found == {a: {b: evidence(b)}, b: {a: evidence(b), c: evidence(b)}, c: {b: evidence(b)}}
    assert one == [found[a], found[b], found[c], {}]


def test_evidence_of_each_scoring(database: Database, add: Add) -> None:
    """A pair has evidence per scoring, named by the first profile that scores so."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    with database.write() as session:
        profiles.add_profile(session, derive_profile(BALANCED, name="mine", changes={"max_score": 5}))
    record(database, PairEvidence(a, b, evidence(1.0)), profile="mine")
    record(database, PairEvidence(a, b, evidence(2.0)), profile="plain")
    with database.read() as session:
        found = scores.list_evidence(session, a, b)
    assert found == [named(database, "balanced", evidence(1.0)), named(database, "plain", evidence(2.0))]


def test_whether_a_camera_has_scores(database: Database, add: Add) -> None:
    """A camera has scores under a scoring if a pair of it is recorded there, not another's and not elsewhere."""
    a, b, _ = add("/frames/1.jpg"), add("/frames/2.jpg"), add("/frames/3.jpg", camera="lot")
    record(database, PairEvidence(a, b, evidence(1.0)))
    with database.read() as session:
        cameras = list_cameras(session)
        asked = [("gate", "balanced"), ("gate", "plain"), ("lot", "balanced")]
        ids = {name: profiles.get_profile(session, name).scoring_id for _, name in asked}
        found = [scores.has_scores(session, cameras[name], scoring_id=ids[profile]) for name, profile in asked]
    assert found == [True, False, False]


def test_nothing_to_record(database: Database, run_id: int) -> None:
    """Recording no pairs writes nothing and fails at nothing."""
    record(database)


def test_a_pair_is_recorded_once(database: Database, add: Add) -> None:
    """The database refuses a second score of a pair under one scoring: evidence is never changed."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    record(database, PairEvidence(a, b, evidence(1.0)))
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        record(database, PairEvidence(b, a, evidence(2.0)))
    with database.read() as session:
        assert scores.list_evidence(session, a, b) == [named(database, "balanced", evidence(1.0))]


def test_pairs_have_one_order(database: Database, add: Add) -> None:
    """The database refuses a pair that is not written smaller id first, and an image paired with itself."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    row = {"scoring_id": 1, "score": 1, "largest_contour": 1, "contour_count": 1, "changed_fraction": 0, "run_id": 1}
    for pair in ({"image_a_id": b, "image_b_id": a}, {"image_a_id": a, "image_b_id": a}):
        with pytest.raises(DatabaseError, match="ck_scores_ordered"), database.write() as session:
            session.execute(insert(ScoreRow).values(**row, **pair))
