"""When two images are similar, and how close a pair is to the limit: the rules behind every decision by score.

The compiled search compares areas in pixels instead of scores; `indexer.imaging.matching` derives its limits from this
function.
"""

from indexer.domain.evidence import REFERENCE_PIXELS


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


def distance_score(changed_area: float, distance: float, *, max_distance: float, veto_distance: float) -> float:
    """The score of a pair with features: the changed area, unless the distance of the features alone decides.

    Below `max_distance` the network sees no change, and nothing counts: 0. From `veto_distance` on it sees something
    else, and the whole frame counts. In between the changed area does. So with any `max_score` up to the whole frame
    two images are similar if distance < max_distance, or if distance < veto_distance and changed_area < max_score.

    Parameters
    ----------
    changed_area : float, at least 0
        In reference pixels.
    distance, max_distance, veto_distance : float, at least 0
        The distance of the pair, and the numbers of the profile.
    """
    if distance < max_distance:
        return 0.0
    return changed_area if distance < veto_distance else float(REFERENCE_PIXELS)


def closeness(
    score: float,
    largest_contour: float,
    *,
    max_score: float,
    min_contour_area: float,
    distance: float | None = None,
    max_distance: float = 0.0,
) -> float | None:
    """How close a pair is to the limit, as a share of it: below 1 it is similar, from 1 up it is not.

    The change that matters is the score; where nothing counts (score 0) it is the largest contour. The limit is the
    smallest change that keeps the image: `max_score`, or `min_contour_area` if that is larger, as no score lies between
    0 and the minimum area. Both are areas of one unit, so the result has none. More changed pixels never lower it. None
    if `max_score` is 0: then no pair is similar.

    Where the features alone say that the images are alike, it is their distance as a share of `max_distance`.

    The audit views compute the same from recorded columns (migration 0020); tests/store/test_closeness.py compares.

    Parameters
    ----------
    score, largest_contour : float, at least 0
        The evidence of the pair; the largest contour whether it counts or not.
    max_score, min_contour_area : float, at least 0
        The numbers of the profile, in the same unit.
    distance : float or None
        Of the features of the pair, if it has any.
    max_distance : float
        The number of the profile.
    """
    if max_score <= 0:
        return None
    if distance is not None and distance < max_distance:
        return distance / max_distance
    return (score if score > 0 else largest_contour) / max(max_score, min_contour_area)
