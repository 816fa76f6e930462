"""When two images are similar, and how close a pair is to the limit: the rules behind every decision by score.

The compiled search compares areas in pixels instead of scores; `indexer.imaging.matching` derives its limits from this
function.
"""


def is_similar(score: float, *, max_score: float) -> bool:
    """Whether a pair with this score is similar: `score < max_score`, so that nothing is similar at a limit of 0.

    Parameters
    ----------
    score : float, at least 0
        The changed area of a pair, in reference pixels; in native pixels in a profile without preprocessing.
    max_score : float, at least 0
        The limit of the profile in force, in the same unit.
    """
    return score < max_score


def closeness(score: float, largest_contour: float, *, max_score: float, min_contour_area: float) -> float | None:
    """How close a pair is to the limit, as a share of it: below 1 it is similar, from 1 up it is not.

    The change that matters is the score; where nothing counts (score 0) it is the largest contour. The limit is the
    smallest change that keeps the image: `max_score`, or `min_contour_area` if that is larger, as no score lies between
    0 and the minimum area. Both are areas of one unit, so the result has none. More changed pixels never lower it. None
    if `max_score` is 0: then no pair is similar.

    The audit views compute the same from recorded columns (migration 0012); tests/store/test_closeness.py compares.

    Parameters
    ----------
    score, largest_contour : float, at least 0
        The evidence of the pair; the largest contour whether it counts or not.
    max_score, min_contour_area : float, at least 0
        The numbers of the profile, in the same unit.
    """
    if max_score <= 0:
        return None
    return (score if score > 0 else largest_contour) / max(max_score, min_contour_area)
