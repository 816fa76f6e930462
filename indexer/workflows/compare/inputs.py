"""What is read of one camera that is to be decided: all of it for one worker, or piece by piece as a walk needs it.

It promises that the shelf of a camera has room for its pictures. It writes nothing, and knows no decisions.
"""

from collections.abc import Callable, Mapping, Sequence

from indexer.domain.images import Image
from indexer.domain.selection import Selection
from indexer.execution import Afar, Map, serial
from indexer.imaging.headers import Limits
from indexer.imaging.image_buffer import Shelf, room_for
from indexer.imaging.matching import Measure
from indexer.store import decisions, images, scores, thumbnails
from indexer.store.database import Database, Session
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera_task import LARGEST_BYTES, CameraTask
from indexer.workflows.compare.prepared_images import Fetch, PreparedImages, Thumbnails, WholePictures
from indexer.workflows.compare.remote_searcher import SentSearches, cached_pictures, pictures_there
from indexer.workflows.compare.searcher import AtHand, Searches
from indexer.workflows.profile_parameters import mask_parameters, scoring_parameters


def read_tasks(
    session: Session, camera_ids: Sequence[int], stored: StoredProfile, measures: Sequence[Measure]
) -> dict[int, CameraTask]:
    """All that deciding each of a few cameras takes, by id, with as few questions as for one; without those whose
    thumbnails are missing, or are too large together."""
    found = images.list_present_by_camera(session, camera_ids, preparation_id=stored.preparation_id)
    present = {camera_id: listed for camera_id, listed in found.items() if _is_task(stored, listed)}
    ids = [image.id for listed in present.values() for image in listed]
    loaded = thumbnails.load_thumbnails(session, ids, preparation_id=stored.preparation_id)
    judgements = decisions.list_judgements_by_camera(session, list(present))
    recorded = scores.list_camera_evidence(session, list(present), scoring_id=stored.scoring_id)
    return {
        camera_id: CameraTask(
            tuple(listed),
            {image.id: loaded[image.id] for image in listed},
            judgements.get(camera_id, {}),
            {image.id: recorded[image.id] for image in listed if image.id in recorded},
            stored.profile.scoring.min_contour_area,
            tuple(measures),
        )
        for camera_id, listed in present.items()
    }


def _is_task(stored: StoredProfile, present: Sequence[Image]) -> bool:
    """Whether a camera's images can be sent whole."""
    return all(image.shape is not None for image in present) and room_of(stored, present) <= LARGEST_BYTES


def room_of(stored: StoredProfile, present: Sequence[Image]) -> int:
    """Bytes of a shelf for the prepared images of a camera."""
    if stored.profile.preparation.native:
        # A decoder may turn a picture otherwise than its header says.
        return sum(room_for([(one.height, one.width), (one.width, one.height)]) for one in present)
    return room_for([image.shape for image in present if image.shape is not None])


def thumbnails_of(database: Database, stored: StoredProfile) -> Fetch:
    """Gives the thumbnails that a profile has cached."""

    def fetch(image_ids: Sequence[int]) -> Mapping[int, bytes]:
        with database.read() as session:
            return thumbnails.load_thumbnails(session, image_ids, preparation_id=stored.preparation_id)

    return fetch


def prepared_images(
    stored: StoredProfile, walk: Selection, shelf: Shelf, *, fetch: Fetch, limits: Limits, spread: Map
) -> PreparedImages:
    """The prepared images of a camera, as its profile prepares them."""
    preparation = stored.profile.preparation
    if preparation.native:
        return WholePictures(
            walk.ranked, shelf, mask=mask_parameters(preparation), levels=preparation.levels, limits=limits
        )
    return Thumbnails(walk.ranked, shelf, fetch=fetch, spread=spread, upcoming=walk.undecided)


def searches_of(
    stored: StoredProfile,
    walk: Selection,
    shelf: Shelf,
    *,
    fetch: Fetch,
    limits: Limits,
    spread: Map,
) -> Searches:
    """The searches of a camera's walk, by workers that see the shelf or are sent what lies there."""
    measure, preparation = scoring_parameters(stored), stored.profile.preparation
    if not isinstance(spread, Afar):
        prepared = prepared_images(stored, walk, shelf, fetch=fetch, limits=limits, spread=spread)
        return AtHand(prepared, measure=measure, spread=spread)
    with serial() as here:
        prepared = prepared_images(stored, walk, shelf, fetch=fetch, limits=limits, spread=here)
        near = AtHand(prepared, measure=measure, spread=here)
    pictures = cached_pictures(fetch)
    if preparation.native:
        mask, levels = mask_parameters(preparation), preparation.levels
        pictures = pictures_there(mask, levels=levels, limits=limits, there=spread.there)
    room = room_of(stored, walk.ranked)
    return SentSearches(walk.ranked, near, measure=measure, spread=spread, pictures=pictures, room=room)


def recorded_scores(database: Database, stored: StoredProfile) -> Callable[[int], Mapping[int, float]]:
    """Gives the recorded scores of an image."""

    def recorded(image_id: int) -> Mapping[int, float]:
        with database.read() as session:
            return scores.list_scores(session, image_id, scoring_id=stored.scoring_id)

    return recorded
