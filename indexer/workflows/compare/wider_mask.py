"""What would be kept of a camera if more of its frames were ignored, tried on its newest images.

It promises what `compare` would decide of these images with the wider mask, to the image. It writes nothing and opens
no image file. It does not know why something is to be ignored.
"""

import re
from collections.abc import Mapping, Sequence

from indexer.domain.camera_images import CameraImages
from indexer.domain.images import Image
from indexer.domain.masks import Mask
from indexer.domain.selection import Decision
from indexer.imaging.features import masked_thumbnail
from indexer.imaging.thumbnails import decode, encode
from indexer.store import profiles, ranked_images, thumbnails, verdicts
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera_task import CameraTask, decide_from_scratch
from indexer.workflows.profile_parameters import trial_scoring_parameters

MAX_IMAGES_TRIED = 400
"""Images of a camera that are decided again: the newest."""
_INVALID_NAME_CHARS = re.compile(r"[^A-Za-z0-9._-]+|^[^A-Za-z0-9]+")
_MAX_NAME_LENGTH = 50


class NewestImages:
    """The newest present images of a camera, in the order of time, and which of them are kept.

    Attributes
    ----------
    newest : Image or None
        The newest of all; None if the camera has no present image.
    images : list of Image
        Those that have thumbnails, at most `MAX_IMAGES_TRIED`.
    kept : list of Image
        Those of them that are kept now.
    """

    def __init__(self, database: Database, camera: str, camera_id: int, stored: StoredProfile) -> None:
        self._database, self._camera, self._stored = database, camera, stored
        preparation_id = stored.preparation_id
        with database.read() as session:
            newest_ids = ranked_images.list_newest_ids(session, camera_id, limit=1)
            ids = (
                []
                if preparation_id is None
                else ranked_images.list_newest_ids(
                    session, camera_id, preparation_id=preparation_id, limit=MAX_IMAGES_TRIED
                )
            )
            shown_ids = sorted({*newest_ids, *ids})
            present = ranked_images.list_images(
                session, shown_ids, preparation_id=preparation_id, page_size=MAX_IMAGES_TRIED
            )
            current = ranked_images.list_decisions_of(session, ids, page_size=MAX_IMAGES_TRIED)
            self._judgements = verdicts.list_judgements(session, camera_id)
        self.newest = max(present, key=_time_key, default=None)
        self.images = sorted((image for image in present if image.shape is not None), key=_time_key)[-MAX_IMAGES_TRIED:]
        kept_ids = current.kept_ids()
        self.kept = [image for image in self.images if image.id in kept_ids]

    def decide_with(self, mask: Mask) -> tuple[Decision, ...]:
        """What compare would decide of the images with `mask`, which ignores at least what the profile does.

        Raises `ValueError` if a thumbnail is corrupt, or went meanwhile.
        """
        parameter_sets = trial_scoring_parameters(self._stored, max_scores=[self._stored.profile.max_score])
        planes, features = self._stored.profile.preparation.planes, self._stored.profile.preparation.has_features
        painted = {
            image_id: encode(masked_thumbnail(decode(data), mask=mask, planes=planes, features=features))
            for image_id, data in self.load_thumbnails(self.images).items()
        }
        min_contour_area = self._stored.profile.scoring.min_contour_area
        result = decide_from_scratch(
            CameraTask(CameraImages.of(self.images), painted, self._judgements, {}, min_contour_area, parameter_sets)
        )
        return result.selections[0].decisions

    def load_thumbnails(self, needed: Sequence[Image]) -> Mapping[int, bytes]:
        """The thumbnails of images as PNG, by image id; raises `ValueError` if one went meanwhile."""
        ids = list(dict.fromkeys(image.id for image in needed))
        with self._database.read() as session:
            loaded = thumbnails.load_thumbnails(session, ids, preparation_id=self._stored.preparation_id)
        if len(loaded) < len(ids):
            raise ValueError("a thumbnail went meanwhile")
        return loaded


def free_profile_name(database: Database, camera: str) -> str:
    """A name for a profile that ignores more of a camera's frames, which no profile has."""
    stem = f"{_INVALID_NAME_CHARS.sub('-', camera).strip('-.')[:_MAX_NAME_LENGTH] or 'camera'}-ignoring"
    with database.read() as session:
        used_names = {stored.profile.name for stored in profiles.list_profiles(session)}
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(used_names) + 2))
    return next(name for name in names if name not in used_names)


def _time_key(image: Image) -> tuple[bool, float, int]:
    """Images without a time come first."""
    return image.captured_at is not None, image.captured_us or 0, image.id
