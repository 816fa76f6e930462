"""The inputs of deciding cameras: all at once for one worker's task, or piece by piece as a selection needs them.

It promises that the image buffer of a camera has capacity for all its images. It writes nothing, and makes no
decisions.
"""

from collections.abc import Callable, Mapping, Sequence

from indexer.domain.camera_images import CameraImages
from indexer.domain.descriptions import Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.selection import Selection
from indexer.execution import ParallelMap, RemoteExecutor, serial
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.store import ranked_images, scores, signatures, thumbnails, verdicts
from indexer.store.database import Database, Session
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera_task import MAX_BUFFER_BYTES, CameraTask
from indexer.workflows.compare.prepared_images import Fetch, NativeImageSource, PreparedImages, ThumbnailSource
from indexer.workflows.compare.remote_searcher import RemoteSearcher, cached_thumbnails, remote_image_files
from indexer.workflows.compare.searcher import LocalSearcher, Searcher
from indexer.workflows.profile_parameters import mask_parameters

SCORES_AT_ONCE = 500
"""Of so many images the recorded scores are loaded together: one by one, a query each takes most of the time."""
MAX_KEPT_SCORES = 20_000
"""Of so many images they are kept in memory, at most; a camera records some tens of pairs of each."""


def read_camera_tasks(
    session: Session,
    camera_ids: Sequence[int],
    stored: StoredProfile,
    parameter_sets: Sequence[ScoringParameters],
    *,
    with_removed: bool = False,
) -> dict[int, CameraTask]:
    """The tasks of some cameras, by camera id, with as few queries as for one camera. A camera is left out if one of
    its thumbnails is missing, or if they exceed `MAX_BUFFER_BYTES` together. `with_removed`: as
    `indexer.store.ranked_images.list_present` says."""
    by_camera = ranked_images.list_present_by_camera(
        session, camera_ids, preparation_id=stored.preparation_id, with_removed=with_removed
    )
    present = {
        camera_id: camera_images
        for camera_id, camera_images in by_camera.items()
        if _fits_one_task(stored, camera_images)
    }
    ids = [image_id for camera_images in present.values() for image_id in camera_images.ids.tolist()]
    loaded = thumbnails.load_thumbnails(session, ids, preparation_id=stored.preparation_id)
    judgements = verdicts.list_judgements_by_camera(session, list(present))
    recorded = scores.list_camera_evidence(session, list(present), scoring_id=stored.scoring_id)
    return {
        camera_id: CameraTask(
            camera_images,
            {image_id: loaded[image_id] for image_id in camera_images.ids.tolist()},
            judgements.get(camera_id, {}),
            {image_id: recorded[image_id] for image_id in camera_images.ids.tolist() if image_id in recorded},
            stored.profile.scoring.min_contour_area,
            tuple(parameter_sets),
        )
        for camera_id, camera_images in present.items()
    }


def _fits_one_task(stored: StoredProfile, present: CameraImages) -> bool:
    """Whether all images of a camera can be sent in one task."""
    return not present.without_thumbnail() and buffer_capacity_bytes(stored, present) <= MAX_BUFFER_BYTES


def buffer_capacity_bytes(stored: StoredProfile, present: CameraImages) -> int:
    """Bytes of an image buffer for all prepared images of a camera."""
    if stored.profile.preparation.native:
        # A decoder may rotate an image, or not, against its header: both orientations must fit.
        sizes = present.count_sizes().items()
        return sum(count * required_bytes([(height, width), (width, height)]) for (height, width), count in sizes)
    return sum(count * required_bytes([shape]) for shape, count in present.count_thumbnail_shapes().items())


def thumbnail_loader(database: Database, stored: StoredProfile) -> Fetch:
    """A function that loads the thumbnails cached for a profile, one transaction per call."""

    def fetch(image_ids: Sequence[int]) -> Mapping[int, bytes]:
        with database.read() as session:
            return thumbnails.load_thumbnails(session, image_ids, preparation_id=stored.preparation_id)

    return fetch


def signature_loader(database: Database, stored: StoredProfile) -> Fetch:
    """A function that loads the stored signatures of a profile's thumbnails, one transaction per call."""

    def fetch(image_ids: Sequence[int]) -> Mapping[int, bytes]:
        with database.read() as session:
            return signatures.load_signatures(session, image_ids, preparation_id=stored.preparation_id)

    return fetch


def prepared_images(
    stored: StoredProfile,
    selection: Selection,
    buffer: ImageBuffer,
    *,
    fetch: Fetch,
    limits: Limits,
    executor: ParallelMap,
) -> PreparedImages:
    """The prepared images of a camera, as its profile prepares them, in `buffer`."""
    preparation = stored.profile.preparation
    if preparation.native:
        return NativeImageSource(
            selection.ranked, buffer, mask=mask_parameters(preparation), levels=preparation.levels, limits=limits
        )
    return ThumbnailSource(selection.ranked, buffer, fetch=fetch, executor=executor, upcoming=selection.iter_open)


def make_searcher(
    stored: StoredProfile,
    selection: Selection,
    buffer: ImageBuffer,
    *,
    fetch: Fetch,
    limits: Limits,
    executor: ParallelMap,
) -> Searcher:
    """The searcher of a camera's selection: its workers map `buffer`. Remote workers are sent the images; then `buffer`
    is for the searches of this process."""
    scoring, preparation = stored.profile.scoring_parameters, stored.profile.preparation
    if not isinstance(executor, RemoteExecutor):
        prepared = prepared_images(stored, selection, buffer, fetch=fetch, limits=limits, executor=executor)
        return LocalSearcher(prepared, scoring=scoring, executor=executor)
    with serial() as serial_executor:
        prepared = prepared_images(stored, selection, buffer, fetch=fetch, limits=limits, executor=serial_executor)
        local_searcher = LocalSearcher(prepared, scoring=scoring, executor=serial_executor)
    image_source = cached_thumbnails(fetch)
    if preparation.native:
        mask, levels = mask_parameters(preparation), preparation.levels
        image_source = remote_image_files(mask, levels=levels, limits=limits, map_path=executor.map_path)
    capacity_bytes = buffer_capacity_bytes(stored, selection.ranked)
    return RemoteSearcher(
        selection.ranked,
        local_searcher,
        scoring=scoring,
        executor=executor,
        image_source=image_source,
        capacity_bytes=capacity_bytes,
    )


def score_loader(
    database: Database, stored: StoredProfile, *, in_advance: Sequence[int] = ()
) -> Callable[[int], Mapping[int, float]]:
    """A function that loads the recorded scores of an image, by the other's id.

    Those of the images `in_advance` are loaded with those of their neighbours in this order, and kept.
    """
    expected = in_advance[:MAX_KEPT_SCORES]
    numbers = {image_id: number for number, image_id in enumerate(expected)}
    loaded = dict[int, Mapping[int, float]]()

    def load_scores(image_id: int) -> Mapping[int, float]:
        if image_id in loaded:
            return loaded[image_id]
        with database.read() as session:
            if image_id not in numbers:
                return scores.list_scores(session, image_id, scoring_id=stored.scoring_id)
            start = numbers[image_id] // SCORES_AT_ONCE * SCORES_AT_ONCE
            page = expected[start : start + SCORES_AT_ONCE]
            loaded.update(scores.list_scores_of(session, page, scoring_id=stored.scoring_id))
        return loaded[image_id]

    return load_scores
