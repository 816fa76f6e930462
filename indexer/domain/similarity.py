"""When two images are similar: the one comparison behind every decision by score.

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
