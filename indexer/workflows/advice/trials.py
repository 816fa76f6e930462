"""What the advice on a finding would change, tried on the index.

It promises the numbers that `compare` would give, and that nothing is written. A trial that is impossible adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from indexer.domain.advice.findings import CameraFinding, Kind, Number
from indexer.domain.masks import Rectangle
from indexer.errors import IndexerError
from indexer.store.findings import region_text
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.wider_mask import NewestImages, free_profile_name
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.tuning.sweep import sweep

MAX_SWEPT_IMAGES = 3_000
"""Images of a camera up to which another limit is tried: that takes some seconds."""
_HIGHER = 2.0  # times the limit in force


def with_trial(
    finding: CameraFinding,
    context: ComparisonContext,
    *,
    camera: str,
    camera_id: int,
    stored: StoredProfile,
    decided: int,
) -> CameraFinding:
    """The finding with what its advice would change in its evidence: `images` of the camera, `kept` and `kept_with`.

    Parameters
    ----------
    finding : CameraFinding
    context
    camera, camera_id
    stored : StoredProfile
        The profile of the camera.
    decided : int
        How many images of it are decided; without any, there is nothing to try.
    """
    if not decided or finding.until is not None:
        return finding
    evidence: Mapping[str, Number] = {}
    if finding.kind is Kind.SWAYS and decided <= MAX_SWEPT_IMAGES:
        evidence = _try_higher_limit(context, camera, max_score=_HIGHER * stored.profile.max_score)
    if finding.kind is Kind.GLARE:
        evidence = _try_ignoring(context, camera, camera_id, stored, finding.regions)
    return replace(finding, evidence={**finding.evidence, **evidence})


def _try_higher_limit(context: ComparisonContext, camera: str, *, max_score: float) -> Mapping[str, Number]:
    try:
        (tried,) = [one for one in sweep(context, max_scores=[max_score], camera=camera).cameras if one.rows]
    except (IndexerError, ValueError):  # no image of it is there, or no pixels
        return {}
    kept = {row.max_score: row.kept for row in tried.rows}
    if max_score not in kept or tried.max_score not in kept:
        return {}
    return {"limit": max_score, "images": tried.images, "kept": kept[tried.max_score], "kept_with": kept[max_score]}


def _try_ignoring(
    context: ComparisonContext, camera: str, camera_id: int, stored: StoredProfile, regions: Sequence[Rectangle]
) -> Mapping[str, Number]:
    preparation = stored.profile.preparation
    if preparation.native or not regions:
        return {}
    mask = mask_parameters(preparation)
    try:
        newest = NewestImages(context.database, camera, camera_id, stored)
        decided = newest.decide_with(replace(mask, rectangles=(*mask.rectangles, *regions)))
    except (IndexerError, ValueError):  # a thumbnail is corrupt, or the whole frame would be ignored
        return {}
    return {
        "images": len(newest.images),
        "kept": len(newest.kept),
        "kept_with": sum(decision.keeps for decision in decided),
        "base": stored.profile.name,
        "name": free_profile_name(context.database, camera),
        "ignored_already": region_text(preparation.ignore),
    }
