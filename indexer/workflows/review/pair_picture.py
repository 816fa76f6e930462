"""explain --picture: draws a pair of images side by side into a new file.

It promises that no file is ever overwritten, and that it outlines what the profile counts that decided the pair. If an
image was removed under another profile, this is the profile of that time. If no decision rests on the pair, the profile
in force is used. It writes nothing into the index. It does not know the captions: the caller makes them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from indexer.domain.descriptions import Limits, Preview
from indexer.domain.removal import RemovalState
from indexer.errors import PictureError
from indexer.escaping import command_line
from indexer.imaging.change_regions import Changes, changes
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.previews import preview_of_thumbnail
from indexer.imaging.side_by_side import PANEL_WIDTH, Captions, side_by_side
from indexer.store import cameras, previews, profiles, thumbnails
from indexer.store.database import Database, Session
from indexer.store.image_details import ImageDetails, get_image_details
from indexer.store.profiles import StoredProfile
from indexer.workflows.image_files import PreviewTask, load_preview, read_native
from indexer.workflows.new_picture import require_new_picture, write_new_picture
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.review.explain import OF_TWO_CAMERAS, PairDetails, explain_image, explain_pair, load_pair


class PictureSource(StrEnum):
    """What an image is shown from, best first."""

    FILE = "file"
    QUARANTINE = "quarantine"
    STORED = "stored"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True)
class ShownImage:
    """One image of a picture, and the source it is shown from."""

    image_id: int
    path: str
    captured_at: datetime | None
    source: PictureSource


@dataclass(frozen=True)
class Illustration:
    """A picture of two images in the file `picture`, and the `details` that it illustrates.

    `score` is the score under `profile`; None if the two images cannot be compared, for the reason `why_not`.
    `distance` is that of the features, if the profile has any, and `distances` are its two limits. `by_decision`:
    whether that profile decided on one of the two for the other's sake; else it is the one in force.
    """

    details: ImageDetails | PairDetails
    picture: str
    left: ShownImage
    right: ShownImage
    score: float | None
    distance: float | None
    distances: tuple[float, float]
    max_score: float
    native: bool
    why_not: str | None
    profile: str
    by_decision: bool


def illustrate(
    database: Database,
    name: str,
    other: str | None,
    *,
    out: str,
    limits: Limits,
    make_captions: Callable[[Illustration], Captions],
) -> Illustration:
    """Draws an image beside `other`; if that is None, beside its keeper, else beside the most similar recorded image.

    Raises
    ------
    UsageError
        If `out` is no name for a PNG.
    PictureError
        If there is nothing to draw, or `out` exists, lies inside an ingested folder or cannot be written.
    ImageError
        If an image is not in the index.
    DatabaseError
        If a stored picture or a thumbnail is corrupt.
    """
    require_new_picture(database, out, typed="--picture NAME.png")
    details = explain_image(database, name) if other is None else explain_pair(database, name, other)
    with database.read() as session:
        pair = _get_pair(session, details)
        decided_by = _find_deciding_profile(pair, alone=not isinstance(details, PairDetails))
        stored = _get_profile(session, decided_by, camera=pair[0].camera)
        try:
            (left, left_source), (right, right_source) = (
                _load_picture(session, image, limits=limits) for image in pair
            )
            pair_changes, why_not = _compute_changes(session, *pair, stored=stored, limits=limits)
            illustration = Illustration(
                details=details,
                picture=out,
                left=_shown_image(pair[0], left_source),
                right=_shown_image(pair[1], right_source),
                score=None if pair_changes is None else pair_changes.score,
                distance=None if pair_changes is None else pair_changes.distance,
                distances=stored.profile.distances,
                max_score=stored.profile.max_score,
                native=stored.profile.preparation.native,
                why_not=why_not,
                profile=stored.profile.name,
                by_decision=decided_by is not None,
            )
            data = side_by_side(left, right, changes=pair_changes, captions=make_captions(illustration))
        except ValueError as problem:
            corrupt_item = f"picture or thumbnail of image {pair[0].id} or {pair[1].id}: {problem}"
            raise database.corruption_error(corrupt_item) from problem
    write_new_picture(out, data)
    return illustration


def _shown_image(image: ImageDetails, source: PictureSource) -> ShownImage:
    return ShownImage(image.id, image.path, image.captured_at, source)


def _find_deciding_profile(pair: tuple[ImageDetails, ImageDetails], *, alone: bool) -> str | None:
    """The name of the profile whose decision the pair shows; None: no decision rests on it.

    `alone`: only the first image was named, and its own decision is asked for, also if it is kept.
    """
    image, other = pair
    if alone and image.decision is not None:
        return image.decision.profile
    for one, keeper in ((image, other), (other, image)):
        if one.decision is not None and one.decision.keeper_id == keeper.id:
            return one.decision.profile
    return None


def _get_pair(session: Session, details: ImageDetails | PairDetails) -> tuple[ImageDetails, ImageDetails]:
    """The two images to draw."""
    if isinstance(details, PairDetails):
        return details.image_a, details.image_b
    return details, _get_companion(session, details)


def _get_profile(session: Session, name: str | None, *, camera: str) -> StoredProfile:
    """The profile of that name; None: the one in force for the camera."""
    if name is None:
        return profiles.get_camera_profile(session, cameras.get_camera(session, camera))
    return profiles.get_profile(session, name)


def _get_companion(session: Session, details: ImageDetails) -> ImageDetails:
    """The image to show beside another: its keeper, else the most similar recorded one; raises `PictureError` if there
    is none."""
    decision = details.decision
    if decision is not None and decision.keeper_id is not None:
        return get_image_details(session, decision.keeper_id)
    if details.neighbour is not None:
        return get_image_details(session, details.neighbour.image_id)
    raise PictureError(
        f"image {details.id} has no keeper, and no similar image is known; name another image to compare it with: "
        f"{command_line('explain', str(details.id), 'B', '--picture', 'OUT.png')}"
    )


def _load_picture(session: Session, image: ImageDetails, *, limits: Limits) -> tuple[Preview, PictureSource]:
    """The picture of an image from its best source; raises `PictureError` if there is none."""
    for path, source in _iter_paths(image):
        task = PreviewTask(path, image.content_hash, limits, width=PANEL_WIDTH)
        if (picture := load_preview(task).preview) is not None:
            return picture, source
    if (stored_picture := previews.load_pictures(session, [image.id]).get(image.id)) is not None:
        return stored_picture, PictureSource.STORED
    for stored in profiles.list_profiles(session):
        loaded = thumbnails.load_thumbnails(session, [image.id], preparation_id=stored.preparation_id)
        if image.id in loaded:
            preparation = stored.profile.preparation
            shown = preview_of_thumbnail(loaded[image.id], planes=preparation.planes, features=preparation.has_features)
            return shown, PictureSource.THUMBNAIL
    raise PictureError(
        f"image {image.id} has no picture: its file is gone or has changed, and the index has no copy; put the file "
        "back, or ingest its folder again"
    )


def _iter_paths(image: ImageDetails) -> Iterator[tuple[str, PictureSource]]:
    """The paths where the file of an image may be; only its bytes tell whether it is."""
    yield image.path, PictureSource.FILE
    for removal in image.removals:
        if removal.state is RemovalState.QUARANTINED and removal.quarantine_path is not None:
            yield removal.quarantine_path, PictureSource.QUARANTINE


def _compute_changes(
    session: Session, left: ImageDetails, right: ImageDetails, *, stored: StoredProfile, limits: Limits
) -> tuple[Changes | None, str | None]:
    """What differs between two images under a profile, or the reason why they cannot be compared."""
    scoring = stored.profile.scoring_parameters
    if left.camera != right.camera:
        return None, OF_TWO_CAMERAS
    if not scoring.native:
        pair, why_not = load_pair(session, stored, left.id, right.id)
        return (None, why_not) if pair is None else (changes(*pair, scoring=scoring), None)
    try:
        pixels = [
            read_native(
                image.path,
                content_hash=image.content_hash,
                mask=mask_parameters(stored.profile.preparation),
                limits=limits,
                levels=stored.profile.preparation.levels,
            )
            for image in (left, right)
        ]
    except (OSError, ImageRefusedError):
        return None, f"the profile {stored.profile.name} compares whole files, and not both are there"
    return changes(pixels[0], pixels[1], scoring=scoring), None
