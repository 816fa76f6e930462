"""A profile in the words of the pixels, which know no profiles: how a thumbnail is made, and how a pair is scored."""

from indexer.domain.profiles import Preparation
from indexer.pixels.describing import Recipe
from indexer.pixels.matching import Measure
from indexer.store.profiles import StoredProfile


def recipe_of(preparation: Preparation) -> Recipe | None:
    """How the thumbnails of a preparation are made; None at native size, where nothing is cached."""
    if preparation.work_width is None:
        return None
    return Recipe(preparation.digest, preparation.work_width, preparation.contrast, preparation.mask)


def measure_of(stored: StoredProfile) -> Measure:
    """How a profile scores pairs, in the words of the matcher."""
    profile = stored.profile
    return Measure(
        threshold=profile.scoring.threshold,
        dilations=profile.scoring.dilations,
        min_contour_area=profile.scoring.min_contour_area,
        native=profile.preparation.native,
        max_score=profile.max_score,
        record_limit=profile.record_limit,
    )
