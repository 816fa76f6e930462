"""A profile as parameters for `indexer.imaging`, which knows no profiles: what is ignored, how a thumbnail is made, and
how a pair is scored."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from indexer.domain.descriptions import FeatureRecipe, ThumbnailRecipe
from indexer.domain.evidence import RECORD_NOTHING, ScoringParameters
from indexer.domain.masks import Mask
from indexer.domain.profiles import EncodedMaskImage, Preparation
from indexer.errors import ProfileError
from indexer.escaping import command_line
from indexer.files.given_files import read_user_file
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.mask_images import LIMITS, MaskImage, decode_mask_image, ignored_pixels, joined_mask_images
from indexer.imaging.network.execution import own_recipe

if TYPE_CHECKING:  # workers import this module, and need no database
    from indexer.store.profiles import StoredProfile

_UNPROVED = ""  # no machine's features have this digest


def proved_recipe(recipe: ThumbnailRecipe) -> ThumbnailRecipe:
    """The recipe, with the digest of the features that this process makes of the probe pictures, so that workers can
    compare theirs. Without features it is the recipe itself, and nothing is loaded.

    Raises `MissingLibraryError` and `EngineError` if this process cannot make the features.
    """
    if recipe.features is None:
        return recipe
    return replace(recipe, features=own_recipe(recipe.features.measure))


def thumbnail_recipe(preparation: Preparation) -> ThumbnailRecipe | None:
    """How the thumbnails of `preparation` are made; None at native size, where nothing is cached.

    A recipe with features must be proved before anything is made by it (`proved_recipe`).
    """
    if preparation.work_width is None:
        return None
    return ThumbnailRecipe(
        preparation.digest,
        preparation.work_width,
        preparation.contrast,
        mask_parameters(preparation),
        preparation.levels,
        preparation.chroma,
        FeatureRecipe(preparation.features, _UNPROVED) if preparation.features else None,
    )


def mask_parameters(preparation: Preparation) -> Mask:
    """What is ignored, as `indexer.imaging.masks` paints it black.

    Raises
    ------
    ProfileError
        If the mask image in the index is corrupt.
    """
    mask_image = preparation.ignore_picture
    return Mask(preparation.mask, preparation.ignore, None if mask_image is None else _decode_png(mask_image))


def load_mask_image(path: str) -> EncodedMaskImage:
    """The mask image in a PNG file, as a profile stores it.

    Raises
    ------
    ProfileError
        If the file cannot be read or used.
    """
    try:
        mask_image = decode_mask_image(read_user_file(path, max_bytes=LIMITS.max_bytes))
    except (OSError, ImageRefusedError) as problem:
        reason = problem.reason if isinstance(problem, ImageRefusedError) else problem.strerror
        raise ProfileError(
            f"the picture {path!r} cannot be read: {reason}; give a PNG, dark where nothing counts and white elsewhere"
        ) from problem
    return _encoded(mask_image)


def add_to_mask_image(existing: EncodedMaskImage | None, drawing: bytes) -> EncodedMaskImage:
    """A mask image that ignores what `existing` ignores and what is dark in the PNG `drawing`, as a profile stores it.

    It has the size of `existing`, if there is one.

    Raises
    ------
    ProfileError
        If the drawing cannot be used, or if the mask image in the index is corrupt.
    """
    try:
        drawn = decode_mask_image(drawing)
    except ImageRefusedError as problem:
        raise ProfileError(f"the drawing cannot be read: {problem.reason}") from problem
    return _encoded(drawn if existing is None else joined_mask_images(_decode_png(existing), drawn.png))


def _encoded(mask_image: MaskImage) -> EncodedMaskImage:
    return EncodedMaskImage(
        mask_image.width, mask_image.height, mask_image.ignored_px, base64.b64encode(mask_image.png).decode()
    )


def _decode_png(mask_image: EncodedMaskImage) -> bytes:
    """The mask image as PNG. It is checked once here: else a worker would report each image as the fault.

    Raises
    ------
    ProfileError
        If it is corrupt.
    """
    try:
        png = base64.b64decode(mask_image.png, validate=True)
        ignored_pixels(png)
    except (ValueError, ImageRefusedError) as problem:
        raise ProfileError(
            f"the picture of what is to be ignored is spoiled in the index ({problem}); look closer with: "
            f"{command_line('db', 'check')}"
        ) from problem
    return png


def trial_scoring_parameters(
    stored: "StoredProfile", *, max_scores: Sequence[float], min_contour_areas: Sequence[float] | None = None
) -> tuple[ScoringParameters, ...]:
    """The scoring parameters of a profile with each area and each limit: area by area, the largest limit first.

    This order helps: the evidence computed for one limit serves the smaller ones. A score above the limit that is tried
    need not be exact: the pair stays different under all smaller limits, and the matcher stops sooner. So the record
    limit is the limit that is tried. Without `min_contour_areas` the area is the profile's own.
    """
    areas = [stored.profile.scoring.min_contour_area] if min_contour_areas is None else min_contour_areas
    return tried_scoring_parameters(stored, product(areas, max_scores))


def tried_scoring_parameters(
    stored: "StoredProfile", pairs: Iterable[tuple[float, float]]
) -> tuple[ScoringParameters, ...]:
    """The same for pairs of an area and a limit."""
    base = stored.profile.scoring_parameters
    return tuple(
        replace(base, min_contour_area=area, max_score=limit, record_limit=limit or RECORD_NOTHING)
        for area, limit in sorted(pairs, key=lambda pair: (pair[0], -pair[1]))
    )
