"""explain: why an image was kept or is a duplicate, and what the evidence of a pair is. It writes nothing.

The image libraries are loaded only if a pair must be scored now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.domain.decisions import ordered_pair
from indexer.domain.evidence import Evidence
from indexer.domain.images import ImageState
from indexer.store import cameras, image_details, image_lookup, images, profiles, scores, thumbnails, verdicts
from indexer.store.database import Database, Session
from indexer.store.image_details import ImageDetails
from indexer.store.profiles import StoredProfile
from indexer.store.scores import NamedEvidence
from indexer.store.verdicts import JudgedPair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OF_TWO_CAMERAS = "they are of different cameras, and only images of one camera are compared"


@dataclass(frozen=True)
class PairDetails:
    """The evidence of a pair: what is recorded, and that of the profile in force, computed now if it is not recorded.

    `computed` is None if that evidence is recorded, or if the pair cannot be scored; `why_not` then gives the reason.
    """

    image_a: ImageDetails
    image_b: ImageDetails
    recorded: tuple[NamedEvidence, ...]
    profile: str
    max_score: float
    computed: Evidence | None
    why_not: str | None
    judged: JudgedPair | None
    """The current verdict on the pair, if there is one."""


def explain_image(database: Database, name: str) -> ImageDetails:
    """What the index knows of an image named by path or number; raises `ImageError` if it is not in the index."""
    with database.read() as session:
        return image_details.get_image_details(session, image_lookup.get_image_id(session, name))


def explain_pair(database: Database, name_a: str, name_b: str) -> PairDetails:
    """The evidence of two images, each named by path or number.

    Raises
    ------
    ImageError
        If an image is not in the index.
    DatabaseError
        If a thumbnail is corrupt.
    """
    with database.read() as session:
        image_a, image_b = (
            image_details.get_image_details(session, image_lookup.get_image_id(session, name))
            for name in (name_a, name_b)
        )
        stored = profiles.get_camera_profile(session, cameras.get_camera(session, image_a.camera))
        judged = verdicts.find_verdict(session, ordered_pair(image_a.id, image_b.id))
        recorded = tuple(scores.list_evidence(session, image_a.id, image_b.id))
        computed: Evidence | None = None
        why_not = _why_not(image_a, image_b)
        if why_not is None and not any(known.scoring_id == stored.scoring_id for known in recorded):
            try:
                computed, why_not = _compute(session, stored, image_a.id, image_b.id)
            except ValueError as problem:
                raise database.corruption_error(
                    f"thumbnail of image {image_a.id} or {image_b.id}: {problem}"
                ) from problem
    profile = stored.profile
    return PairDetails(image_a, image_b, recorded, profile.name, profile.max_score, computed, why_not, judged)


def _why_not(image_a: ImageDetails, image_b: ImageDetails) -> str | None:
    if image_a.id == image_b.id:
        return "it is one and the same image"
    if image_a.camera != image_b.camera:
        return OF_TWO_CAMERAS
    if image_a.content_hash == image_b.content_hash:
        return "their bytes are equal: identical, score 0"
    return None


def _compute(
    session: Session, stored: StoredProfile, image_a_id: int, image_b_id: int
) -> tuple[Evidence | None, str | None]:
    """The evidence from cached thumbnails, or the reason why there is none."""
    from indexer.imaging.matching import evidence_of_pair

    pair, why_not = load_pair(session, stored, image_a_id, image_b_id)
    if pair is None:
        return None, why_not
    return evidence_of_pair(*pair, scoring=stored.profile.scoring_parameters), None


def _describe_lack(session: Session, stored: StoredProfile, lacking: Sequence[int]) -> str:
    """Why there is no picture of two images, some of which lack a thumbnail, and what gives them one."""
    for image_id, (_, state) in images.list_paths(session, lacking).items():
        if state is ImageState.REMOVED:
            return f"the removed image {image_id} has no thumbnail any more; restore it, and run compare"
    return f"not both have a thumbnail of the profile {stored.profile.name}; run compare"


def load_pair(
    session: Session, stored: StoredProfile, image_a_id: int, image_b_id: int
) -> "tuple[tuple[NDArray[np.uint8], NDArray[np.uint8]] | None, str | None]":
    """The cached thumbnails of two images under a profile, each (H, W), uint8; or why they cannot be compared.

    Raises `ValueError` if one is corrupt.
    """
    from indexer.imaging.thumbnails import decode

    if stored.profile.preparation.native:
        return None, f"the profile {stored.profile.name} caches nothing"
    pair = (image_a_id, image_b_id)
    loaded = thumbnails.load_thumbnails(session, pair, preparation_id=stored.preparation_id)
    if not loaded.keys() >= set(pair):
        return None, _describe_lack(session, stored, [image_id for image_id in pair if image_id not in loaded])
    thumbnail_a, thumbnail_b = (decode(loaded[image_id]) for image_id in pair)
    if thumbnail_a.shape != thumbnail_b.shape:
        return None, "their shapes differ: another aspect is another view, never a duplicate"
    flat = thumbnails.list_flat(session, pair, preparation_id=stored.preparation_id)
    if flat:
        return (
            None,
            f"there is nothing to see on image {flat[0]}, one grey level alone: only equal bytes make it like others",
        )
    return (thumbnail_a, thumbnail_b), None
