"""The limit, and the closeness to it: one number on both sides, without a unit, that more change never lowers."""

from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.domain.similarity import closeness, distance_score, is_similar

AREAS = st.lists(st.integers(0, 4000).map(lambda doubled: doubled / 2), max_size=6)
LIMITS = st.integers(0, 4000).map(float)


def measured(areas: list[float], min_contour_area: float) -> tuple[float, float]:
    """Score and largest contour of a pair with contours of these areas."""
    return sum(area for area in areas if area >= min_contour_area), max(areas, default=0.0)


@given(AREAS, LIMITS, LIMITS)
def test_closeness_is_below_one_exactly_where_a_pair_is_similar(
    areas: list[float], max_score: float, min_contour_area: float
) -> None:
    """Whatever counts, and whichever limit is the larger: below 1 a pair is similar, from 1 up it is not."""
    score, largest = measured(areas, min_contour_area)
    number = closeness(score, largest, max_score=max_score, min_contour_area=min_contour_area)
    if max_score == 0:
        assert number is None
    else:
        assert number is not None
        assert (number < 1) == is_similar(score, max_score=max_score)


@given(
    AREAS,
    st.integers(1, 4000).map(float),
    LIMITS,
    st.floats(0, 2),
    st.sampled_from([(0.0, 0.6), (0.35, 0.6), (0.5, 0.5), (0.7, 0.6)]),
)
def test_score_with_features_is_the_rule(
    areas: list[float], max_score: float, min_contour_area: float, distance: float, limits: tuple[float, float]
) -> None:
    """Similar below the first distance, not from the second on, and by the area in between; closeness says the same."""
    area, largest = measured(areas, min_contour_area)
    score = distance_score(area, distance, max_distance=limits[0], veto_distance=limits[1])
    similar = distance < limits[0] or (distance < limits[1] and area < max_score)
    assert is_similar(score, max_score=max_score) == similar
    number = closeness(
        score,
        largest,
        max_score=max_score,
        min_contour_area=min_contour_area,
        distance=distance,
        max_distance=limits[0],
    )
    assert number is not None
    assert (number < 1) == similar


@given(AREAS, AREAS, st.integers(1, 4000).map(float), LIMITS)
def test_more_change_never_lowers_closeness(
    areas: list[float], more: list[float], max_score: float, min_contour_area: float
) -> None:
    """Contours that grow and contours that come: the closeness is as large or larger."""
    grown = [area + extra for area, extra in zip(areas, more, strict=False)] + areas[len(more) :] + more[len(areas) :]
    before, after = (
        closeness(*measured(some, min_contour_area), max_score=max_score, min_contour_area=min_contour_area)
        for some in (areas, grown)
    )
    assert before is not None
    assert after is not None
    assert before <= after


@given(AREAS, st.integers(1, 4000).map(float), LIMITS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_closeness_has_no_unit(areas: list[float], max_score: float, min_contour_area: float, unit: float) -> None:
    """Areas and limits in another unit give the same number."""
    assume(areas)
    score, largest = measured(areas, min_contour_area)
    one = closeness(score, largest, max_score=max_score, min_contour_area=min_contour_area)
    other = closeness(
        score * unit, largest * unit, max_score=max_score * unit, min_contour_area=min_contour_area * unit
    )
    assert one == other
