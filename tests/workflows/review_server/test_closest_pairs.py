"""The pairs closest to the limit: those of the rule, in its order, whatever profiles decide."""

import itertools
from typing import Any

import pytest

from indexer.store.borderline import list_borderline
from indexer.workflows.admin.profile import use_profile
from tests.support.index import BIKE, BIRD, CAR, SECOND_BIRD, Index, name, picture, prepared

MARKS = [(), (BIRD,), (BIRD, SECOND_BIRD), (CAR,), (BIKE,), (BIKE, BIRD)]


@prepared
def place(index: Index) -> None:
    """Two cameras with the same six pictures, of which one is decided by a profile with another limit."""
    for camera in ("gate", "yard"):
        for minute, marks in enumerate(MARKS):
            index.put(name(minute, camera), picture(*marks, stamp=minute))
    index.ingest()
    index.make_profile("wide", max_score=5000.0)
    use_profile(index.database, "wide", camera="yard", active=False, clock=index.clock)
    index.compare()


def brute_force(index: Index, *, kept: bool, camera: str | None) -> list[tuple[float, tuple[int, int]]]:
    """Every pair of the side with its closeness, by the definition."""
    rows: list[Any] = index.rows(
        "SELECT d.image_id, d.verdict, d.reason, d.keeper_id, d.profile_id, c.name FROM decisions d"
        " JOIN images i ON i.id = d.image_id JOIN cameras c ON c.id = i.camera_id WHERE d.superseded_at IS NULL"
    )
    limits = {
        row[0]: row[1:]
        for row in index.rows(
            "SELECT p.id, p.scoring_id, p.max_score, s.min_contour_area FROM profiles p"
            " JOIN scorings s ON s.id = p.scoring_id"
        )
    }
    scores = {
        (scoring, a, b): (score, largest)
        for scoring, a, b, score, largest in index.rows(
            "SELECT scoring_id, image_a_id, image_b_id, score, largest_contour FROM scores"
        )
    }
    judged = set(index.rows("SELECT image_a_id, image_b_id FROM verdicts WHERE withdrawn_at IS NULL"))
    found = []
    for first, second in itertools.combinations(sorted(rows), 2):
        a, b = first[0], second[0]
        duplicates = [row for row, keeper in ((first, b), (second, a)) if row[2:4] == ("similar", keeper)]
        if not (kept or duplicates) or (kept and not first[1] == second[1] == "keep"):
            continue
        profile = first[4] if kept else duplicates[0][4]
        scoring, max_score, min_area = limits[profile]
        if camera not in {None, first[5]} or (a, b) in judged or (scoring, a, b) not in scores:
            continue
        score, largest = scores[scoring, a, b]
        if not kept or (score >= max_score and second[4] == profile):
            found.append(((score if score > 0 else largest) / max(max_score, min_area), (a, b)))
    return sorted(found, key=lambda item: (item[0] if kept else -item[0], item[1]))


@pytest.mark.parametrize("again", [False, True], ids=["one profile", "removed by another"])
@pytest.mark.parametrize("camera", [None, "gate", "yard"])
def test_the_closest_are_those_of_the_rule(place: Index, camera: str | None, again: bool) -> None:
    """Both sides have all pairs of the definition that nobody judged, the closest first, and any limit cuts the end:
    also if the removed images were decided by a profile that is not in force any more."""
    place.judge(name(0), name(1), "same")
    if again:
        place.prune()
        place.make_profile("narrow", max_score=900.0)
        place.compare(profile="narrow")
    with place.database.read() as session:
        cameras = dict(place.rows("SELECT name, id FROM cameras"))
        camera_id = None if camera is None else cameras[camera]
        sides = [brute_force(place, kept=kept, camera=camera) for kept in (False, True)]
        assert list_borderline(session, limit=100, camera_id=camera_id) == [pair for side in sides for _, pair in side]
        for limit in (1, 2, 3):
            cut = list_borderline(session, limit=limit, camera_id=camera_id)
            closeness = {pair: close for side in sides for close, pair in side}
            expected = [close for side in sides for close, _ in side[:limit]]
            assert [closeness[pair] for pair in cut] == expected
    assert all(sides) or camera is not None
