"""What a comparison of two images measures, and the parameters that it is made with."""

from dataclasses import dataclass

REFERENCE_PIXELS = 640 * 480
"""Area of a whole frame in reference pixels: so an area is the same share of the picture at every resolution."""


@dataclass(frozen=True)
class Evidence:
    """The evidence of one pair.

    Attributes
    ----------
    score : float
        Sum of the areas of the contours that count, in reference pixels (native pixels in the profile `original`).
    largest_contour : float
        Area of the largest contour, counting or not, in the same unit.
    contour_count : int
        Number of contours that count.
    changed_fraction : float
        Share of the pixels that differ by more than the threshold, before dilation, 0 to 1.
    """

    score: float
    largest_contour: float
    contour_count: int
    changed_fraction: float


RECORD_NOTHING = -1.0
"""A record limit below every score: no evidence is recorded."""


@dataclass(frozen=True)
class ScoringParameters:
    """How pairs are scored, and up to which score they are similar or recorded.

    `native` compares images at native size, the larger resized to the smaller, with areas in native pixels (the profile
    `original`). A prepared image has `planes` planes, one above the other. A pixel of the frame has changed if it has
    changed in any plane.
    """

    threshold: int
    dilations: int
    min_contour_area: float
    native: bool
    max_score: float
    record_limit: float
    planes: int = 1

    @property
    def ignores_all_pairs(self) -> bool:
        """Whether no pair can be similar or recorded, so that none needs to be compared."""
        return self.max_score <= 0 and self.record_limit <= RECORD_NOTHING
