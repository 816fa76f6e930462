"""When two images are similar: the one comparison that every decision by score rests on.

The compiled search compares areas in pixels in place of scores; `indexer.imaging.matching` derives its limits from
this function.
"""


def is_similar(score: float, *, max_score: float) -> bool:
    """Whether a pair with this score shows the same: `score < max_score`, so that nothing is similar at a limit of 0.

    Parameters
    ----------
    score : float, at least 0
        The changed area of a pair, in reference pixels; in native pixels where the profile prepares nothing.
    max_score : float, at least 0
        The limit of the profile in force, in the same unit.
    """
    return score < max_score
