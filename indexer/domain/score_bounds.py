"""What recorded evidence says about other parameters: which limits to try, and what a score would be if another area
counted.

It promises bounds that always hold, equal where they can be: whoever decides from them decides as the pixels would. It
does not know how a pair is scored, nor what a limit leads to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from indexer.domain.similarity import is_similar
from indexer.errors import UsageError

LIMIT_FACTORS = (0, 1 / 2, 1, 1.5, 2, 3, 4, 8, 16)
"""The limits that are tried where none are named, as multiples of the one in force.

Few below it: no score lies between 0 and the least area that counts, so that all limits up to that decide the same.
"""


@dataclass(frozen=True)
class ScoreBounds:
    """What is known of a score: it lies within `low` and `high`, both included."""

    low: float
    high: float

    def equivalent_score(self, max_score: float) -> float | None:
        """A score that leads to the same decision as the unknown one; None if the bounds leave it open."""
        if is_similar(self.high, max_score=max_score):
            return self.high
        return None if is_similar(self.low, max_score=max_score) else self.low


def score_bounds(
    score: float, largest_contour: float, contour_count: int, *, recorded_area: float, new_area: float
) -> ScoreBounds:
    """What the score of a pair is if contours from `new_area` on count, from evidence in which those from
    `recorded_area` on did.

    The largest contour is recorded whether it counts or not, so:

    - it is below the wanted area: nothing counts, the score is 0;
    - the area is the recorded one: the score is the recorded one;
    - the area grew: contours can only cease to count. One that counted is the largest and still counts: the score is
      its area. Of several, the largest is left for certain, and together they are no more than they were;
    - the area shrank: contours can only begin to count, nobody knows how many. What counted still does, and the
      largest does in any case.

    All areas are whole multiples of half a pixel's area, multiplied by it once. So each comparison here is the very one
    that the scoring makes, and a sum of one contour is that contour's area to the last bit.
    """
    if largest_contour < new_area:
        return ScoreBounds(0.0, 0.0)
    if new_area == recorded_area or (contour_count == 1 and new_area > recorded_area):
        return ScoreBounds(score, score)
    if new_area > recorded_area:
        return ScoreBounds(largest_contour, score)
    return ScoreBounds(max(score, largest_contour), inf)


def numbers_to_try(
    requested: Sequence[float] | None, *, in_force: float, factors: Sequence[float] = (1,)
) -> list[float]:
    """The limits, or areas, to try from small to large: those named, else some times the one in force; that one is
    always among them."""
    values = [in_force * factor for factor in factors] if requested is None else requested
    return validated_numbers([*values, in_force])


def validated_numbers(values: Sequence[float]) -> list[float]:
    """The numbers, each once, from small to large; refused where one is no limit and no area."""
    for number in values:
        if not (isfinite(number) and number >= 0):
            raise UsageError(f"{number!r} is no limit and no area; give numbers from 0 up, such as 500,1000,2000")
    return sorted({float(number) + 0.0 for number in values})


def parse_numbers(text: str) -> list[float]:
    """The numbers that "500,1000,2000" says."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text!r} is not numbers with commas between them; type for example 500,1000,2000") from None
