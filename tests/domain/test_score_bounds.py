"""What recorded evidence says about other areas and limits: always true, and exact where it can be."""

import math
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.evidence import Evidence
from indexer.domain.profiles import BALANCED, LEARNED, decides_alike, derive_profile
from indexer.domain.score_bounds import (
    ScoreBounds,
    known_bounds,
    numbers_to_try,
    parse_numbers,
    score_bounds,
    usual_trials,
)
from indexer.domain.similarity import distance_score
from indexer.errors import UsageError

LARGER = [1000.0, 1500.0, 2000.0, 3000.0, 4000.0, 8000.0, 16000.0]

UNITS = (1.0, 307_200 / (320 * 180), 307_200 / (320 * 240), 307_200 / (320 * 213))
halves = st.lists(st.integers(0, 12), max_size=6)
"""The contours of a pair, in halves of a pixel."""
areas = st.integers(0, 13)


def evidence(contours: list[int], *, area: float, unit: float) -> tuple[float, float, int]:
    """Score, largest contour and number that count, as `indexer.imaging.scoring` makes them."""
    sizes = [half / 2 for half in contours]
    counting = [size for size in sizes if size * unit >= area]
    return sum(counting) * unit, max(sizes, default=0.0) * unit, len(counting)


@given(contours=halves, recorded=areas, wanted=areas, unit=st.sampled_from(UNITS))
def test_bounds_hold(contours: list[int], recorded: int, wanted: int, unit: float) -> None:
    """Whatever a pair is made of, its score under another area lies within the bounds."""
    recorded_area, wanted_area = recorded / 2 * unit, wanted / 2 * unit
    truth, _, _ = evidence(contours, area=wanted_area, unit=unit)
    known = evidence(contours, area=recorded_area, unit=unit)
    bounds = score_bounds(*known, recorded_area=recorded_area, new_area=wanted_area)
    assert bounds.low <= truth <= bounds.high


@given(contours=halves, recorded=areas, wanted=areas, limit=areas, unit=st.sampled_from(UNITS))
def test_what_decides_decides_as_the_score(
    contours: list[int], recorded: int, wanted: int, limit: int, unit: float
) -> None:
    """A limit, also one that a score hits exactly, is decided from bounds as from the pixels, or not at all."""
    recorded_area, wanted_area, max_score = recorded / 2 * unit, wanted / 2 * unit, limit / 2 * unit
    truth, _, _ = evidence(contours, area=wanted_area, unit=unit)
    known = evidence(contours, area=recorded_area, unit=unit)
    score = score_bounds(*known, recorded_area=recorded_area, new_area=wanted_area).equivalent_score(max_score)
    assert score is None or (score < max_score) == (truth < max_score)


@given(
    contours=halves,
    recorded=areas,
    wanted=areas,
    limit=areas,
    distance=st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.6, 1.2]),
    recorded_max=st.sampled_from([0.0, 0.35, 0.5]),
    wanted_max=st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.7]),
)
def test_evidence_with_features_decides_for_other_distances(
    contours: list[int], recorded: int, wanted: int, limit: int, distance: float, recorded_max: float, wanted_max: float
) -> None:
    """A recorded pair is decided for other areas and distances as from the pixels, or not at all."""
    scoring = replace(
        LEARNED.scoring_parameters, min_contour_area=wanted / 2, max_score=limit / 2, max_distance=wanted_max
    )

    def scored(area: float, max_distance: float) -> Evidence:
        changed_area, largest, count = evidence(contours, area=area, unit=1.0)
        score = distance_score(changed_area, distance, max_distance=max_distance, veto_distance=0.6)
        return Evidence(score, largest, count, 0.1, distance, changed_area)

    truth = scored(wanted / 2, wanted_max).score
    bounds = known_bounds(scored(recorded / 2, recorded_max), scoring, recorded_area=recorded / 2)
    assert bounds.low <= truth <= bounds.high
    found = bounds.equivalent_score(limit / 2)
    assert found is None or (found < limit / 2) == (truth < limit / 2)


@pytest.mark.parametrize(
    ("known", "wanted_area", "expected"),
    [
        ((0.0, 800.0, 0), 900.0, ScoreBounds(0.0, 0.0)),
        ((5000.0, 3000.0, 2), 3001.0, ScoreBounds(0.0, 0.0)),
        ((5000.0, 3000.0, 2), 1000.0, ScoreBounds(5000.0, 5000.0)),
        ((3000.0, 3000.0, 1), 2000.0, ScoreBounds(3000.0, 3000.0)),
        ((5000.0, 3000.0, 2), 3000.0, ScoreBounds(3000.0, 5000.0)),
        ((5000.0, 3000.0, 2), 500.0, ScoreBounds(5000.0, math.inf)),
        ((0.0, 800.0, 0), 500.0, ScoreBounds(800.0, math.inf)),
        ((0.0, 0.0, 0), 0.0, ScoreBounds(0.0, math.inf)),
    ],
)
def test_bounds(known: tuple[float, float, int], wanted_area: float, expected: ScoreBounds) -> None:
    """Each rule, with contours from 1000 on recorded."""
    assert score_bounds(*known, recorded_area=1000.0, new_area=wanted_area) == expected


@pytest.mark.parametrize(
    ("max_score", "expected"), [(999.0, 1000.0), (1000.0, 1000.0), (1001.0, None), (2000.0, None), (2000.5, 2000.0)]
)
def test_deciding(max_score: float, expected: float | None) -> None:
    """A limit between the bounds, or equal to the higher one, is left open."""
    assert ScoreBounds(1000.0, 2000.0).equivalent_score(max_score) == expected


def test_numbers_to_try() -> None:
    """The number in force is always tried, each number once, from small to large."""
    assert numbers_to_try(None, in_force=1000.0) == [1000.0]
    assert numbers_to_try([3000, 10, 10.0], in_force=1000.0) == [10.0, 1000.0, 3000.0]


@pytest.mark.parametrize(
    ("max_score", "area", "expected"),
    [
        (1000.0, 1000.0, [(250, 250), (500, 500), (1000, 0), *((1000, limit) for limit in LARGER)]),
        (250.0, 1000.0, [(250, 250), (500, 500), (1000, 0), (1000, 250), *((1000, limit) for limit in LARGER[1:])]),
        (0.0, 1000.0, [(250, 250), (500, 500), (1000, 0), *((1000, limit) for limit in LARGER)]),
        (1000.0, 400.0, [(250, 250), (400, 0), (400, 500), *((400, limit) for limit in LARGER)]),
        (0.0, 0.0, [(0, 0)]),
    ],
)
def test_usual_trials(max_score: float, area: float, expected: list[tuple[float, float]]) -> None:
    """Areas and limits to try around those in force: these are among them, and no two of them decide alike."""
    trials = usual_trials(max_score=max_score, min_contour_area=area)
    assert trials == expected
    assert (area, max_score) in trials
    profiles = [
        derive_profile(BALANCED, name="tried", changes={"min_contour_area": area, "max_score": limit})
        for area, limit in trials
    ]
    assert not any(decides_alike(one, other) for one, other in combinations(profiles, 2))


@pytest.mark.parametrize("number", [-1.0, math.nan, math.inf])
def test_numbers_that_make_no_sense(number: float) -> None:
    """What cannot be a limit is refused, with the number."""
    with pytest.raises(UsageError, match=str(number)):
        numbers_to_try([500.0, number], in_force=1000.0)


def test_parse_numbers() -> None:
    """Numbers with commas between them are read; anything else is refused, with what to type."""
    assert parse_numbers("500, 1e3,0") == [500.0, 1000.0, 0.0]
    for text in ("", "500,", "5oo", "500;1000"):
        with pytest.raises(UsageError, match="type for example 500,1000,2000"):
            parse_numbers(text)
