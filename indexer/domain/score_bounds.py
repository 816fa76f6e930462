"""What recorded evidence says about other parameters: which limits to try, and the score with another minimum area.

It promises bounds that always hold. Where the exact score is known, both bounds are equal to it. So a decision from the
bounds is the decision from the pixels. It does not know how a pair is scored, nor what a limit leads to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.similarity import distance_score, is_similar
from indexer.errors import UsageError

LIMIT_FACTORS = (0, 1 / 4, 1 / 2, 1, 1.5, 2, 3, 4, 8, 16)
"""The limits to try when none are named, as multiples of the least change that keeps an image (`usual_trials`)."""


@dataclass(frozen=True)
class ScoreBounds:
    """Bounds of an unknown score: it lies between `low` and `high`, both included."""

    low: float
    high: float

    def equivalent_score(self, max_score: float) -> float | None:
        """A score that leads to the same decision as the unknown score; None if the bounds do not decide it."""
        if is_similar(self.high, max_score=max_score):
            return self.high
        return None if is_similar(self.low, max_score=max_score) else self.low


def score_bounds(
    score: float, largest_contour: float, contour_count: int, *, recorded_area: float, new_area: float
) -> ScoreBounds:
    """The bounds of a pair's score with the minimum area `new_area`, from evidence with the minimum area
    `recorded_area`.

    All areas are in the unit of the score. The largest contour is recorded whether it counts or not, so there are four
    cases:

    - The largest contour is smaller than `new_area`. No contour counts, and the score is 0.
    - `new_area` is `recorded_area`. The score is the recorded score.
    - `new_area` is larger. Contours can only stop counting. If one contour counted, it is the largest and still counts:
      the score is its area. If several counted, the largest still counts, and the sum is at most the recorded score.
    - `new_area` is smaller. Contours can only start to count, and how many do is unknown. Those that counted still
      count, and so does the largest.

    Each area is a whole number of half pixels, multiplied by the area of half a pixel once. So every comparison here is
    exactly the comparison of the scoring, and the sum over one contour is that contour's area to the last bit.
    """
    if largest_contour < new_area:
        return ScoreBounds(0.0, 0.0)
    if new_area == recorded_area or (contour_count == 1 and new_area > recorded_area):
        return ScoreBounds(score, score)
    if new_area > recorded_area:
        return ScoreBounds(largest_contour, score)
    return ScoreBounds(max(score, largest_contour), inf)


def known_bounds(evidence: Evidence, scoring: ScoringParameters, *, recorded_area: float) -> ScoreBounds:
    """The bounds of a pair's score under other parameters, from evidence with the minimum area `recorded_area`.

    Only the minimum area and the distances may be others. With features, the recorded distance is exact.
    """
    area = evidence.score if evidence.changed_area is None else evidence.changed_area
    bounds = score_bounds(
        area,
        evidence.largest_contour,
        evidence.contour_count,
        recorded_area=recorded_area,
        new_area=scoring.min_contour_area,
    )
    if evidence.distance is None:
        return bounds
    low, high = (
        distance_score(each, evidence.distance, max_distance=scoring.max_distance, veto_distance=scoring.veto_distance)
        for each in (bounds.low, bounds.high)
    )
    return ScoreBounds(low, high)


def usual_trials(*, max_score: float, min_contour_area: float) -> list[tuple[float, float]]:
    """The areas and limits to try when none are named, as pairs (minimum area, limit); those in force are among them.

    No two of them decide alike. No score lies between 0 and the minimum area, so all limits up to that area are one: a
    smaller limit is tried with an area as small.
    """
    least_change = max(max_score, min_contour_area)
    pairs = {(min_contour_area, max_score)}
    for factor in LIMIT_FACTORS:
        limit = least_change * factor
        if limit != least_change or max_score <= 0:
            pairs.add((min(min_contour_area, limit) if limit else min_contour_area, limit))
    return sorted(pairs)


def numbers_to_try(requested: Sequence[float] | None, *, in_force: float) -> list[float]:
    """The limits or areas to try, each once, from small to large. The value in force is always one of them.

    `requested` are the values that a person named; None: only the value in force. Raises `UsageError` as
    `validated_numbers`.
    """
    return validated_numbers([*(requested or ()), in_force])


def validated_numbers(values: Sequence[float]) -> list[float]:
    """The numbers, each once, from small to large; raises `UsageError` if one is negative, infinite or NaN."""
    for number in values:
        if not (isfinite(number) and number >= 0):
            raise UsageError(f"{number!r} is not a limit; give numbers from 0 up, such as 500,1000,2000")
    return sorted({float(number) + 0.0 for number in values})


def parse_numbers(text: str) -> list[float]:
    """The numbers in a text such as "500,1000,2000"; raises `UsageError` for any other text."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text!r} is not a list of numbers with commas; type for example 500,1000,2000") from None
