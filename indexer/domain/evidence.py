"""What a comparison of two images measures, and the parameters that it is made with."""

from dataclasses import dataclass

from indexer.domain.feature_layout import frame_rows

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
    distance : float or None
        Largest distance of the features of a cell, from 0 (equal) to about 2; None if the scoring has no features.
    changed_area : float or None
        With features: the sum of the areas, whatever the distance. The score is this area, unless the distance alone
        says that the images are alike (0) or not (the whole frame); see `indexer.domain.similarity.distance_score`.
    """

    score: float
    largest_contour: float
    contour_count: int
    changed_fraction: float
    distance: float | None = None
    changed_area: float | None = None


RECORD_NOTHING = -1.0
"""A record limit below every score: no evidence is recorded."""


@dataclass(frozen=True)
class ScoringParameters:
    """How pairs are scored, and up to which score they are similar or recorded.

    `native` compares images at native size, the larger resized to the smaller, with areas in native pixels (the profile
    `original`). A prepared image has `planes` planes, one above the other. A pixel of the frame has changed if it has
    changed in any plane.

    With a `veto_distance` above 0 prepared images have features, too (`indexer.domain.feature_layout`), and the score
    is that of `indexer.domain.similarity.distance_score`.
    """

    threshold: int
    dilations: int
    min_contour_area: float
    native: bool
    max_score: float
    record_limit: float
    planes: int = 1
    max_distance: float = 0.0
    veto_distance: float = 0.0

    @property
    def has_features(self) -> bool:
        """Whether prepared images have features."""
        return self.veto_distance > 0

    def frame_height(self, height: int, width: int) -> int:
        """Rows of the frame in a prepared image of this size, which has all its planes and features."""
        return frame_rows(height, width, features=self.has_features) // self.planes

    @property
    def ignores_all_pairs(self) -> bool:
        """Whether no pair can be similar or recorded, so that none needs to be compared."""
        return self.max_score <= 0 and self.record_limit <= RECORD_NOTHING
