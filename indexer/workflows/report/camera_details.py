"""What a report says of a camera besides its images: other limits, what is ignored, the profile, what was left out."""

from indexer.domain.images import ImageState
from indexer.domain.profiles import Preparation, Profile
from indexer.escaping import command_line
from indexer.files.output_folder import OutputFolder
from indexer.imaging.masks import mask_picture
from indexer.store import report_queries
from indexer.store.profiles import StoredProfile
from indexer.web.view_models import (
    CameraCard,
    CameraDetails,
    IgnoredAreas,
    ImageListing,
    ListedImage,
    PictureLink,
    Sweep,
    SweepPoint,
)
from indexer.workflows.compare.camera import Means
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.tuning.sweep import sweep as try_limits

SWEPT = 3_000
"""Images up to which other limits are tried without being asked for: some seconds."""
_NAMED = 200

_UNREADABLE = (ImageState.UNREADABLE, ImageState.DAMAGED, ImageState.TOO_SMALL)


def about_camera(
    means: Means,
    camera_id: int,
    *,
    out: OutputFolder,
    card: CameraCard,
    stored: StoredProfile,
    newest: PictureLink | None,
    sweep: bool,
) -> CameraDetails:
    """What the first page of a camera says below its strip."""
    return CameraDetails(
        parameters=_parameters(stored.profile),
        ignored=_ignored(out, card, stored.profile.preparation, newest),
        sweep=_sweep(means, card) if sweep else Sweep(why_not=_NOT_TRIED),
        listings=tuple(listing for listing in _listings(means, camera_id, card) if listing.total),
    )


_NOT_TRIED = "Other limits were not tried, as this takes a while on a large index; report --sweep tries them."


def _ignored(out: OutputFolder, card: CameraCard, preparation: Preparation, newest: PictureLink | None) -> IgnoredAreas:
    """What scores do not see, as a picture to lay over the newest one."""
    overlay = None
    if newest is not None and newest.href is not None:
        overlay = f"{card.folder}/ignored.png"
        out.write(overlay, mask_picture(mask_parameters(preparation), height=newest.height, width=newest.width))
    drawn = preparation.ignore_picture is not None
    return IgnoredAreas(preparation.mask, newest, overlay=overlay, rectangles=len(preparation.ignore), drawn=drawn)


def _parameters(profile: Profile) -> tuple[tuple[str, str], ...]:
    """The parameters of a profile by name, a drawing by its size."""
    said = {name: _value(value) for name, value in profile.parameters.items()}
    if profile.preparation.ignore:
        said["ignore"] = "; ".join(map(_value, profile.preparation.ignore))
    drawing = profile.preparation.ignore_picture
    if drawing is not None:
        said["ignore_picture"] = f"{drawing.width} x {drawing.height} pixels, {drawing.ignored_share:.1%} ignored"
    return tuple(said.items())


def _sweep(means: Means, card: CameraCard) -> Sweep:
    tried = [one for one in try_limits(means, camera=card.name).cameras if one.camera == card.name]
    if not tried or tried[0].problem is not None:
        return Sweep(why_not=f"Other limits cannot be tried: {tried[0].problem if tried else 'no image is there'}")
    rows = tried[0].rows
    points = (
        SweepPoint(row.max_score, row.min_contour_area, row.kept, row.duplicates, row.size_bytes, row.current)
        for row in rows
    )
    return Sweep(tuple(points))


def _listings(means: Means, camera_id: int, card: CameraCard) -> list[ImageListing]:
    missing = f"SELECT path FROM images WHERE camera_id = {camera_id} AND state = 'missing'"
    undecided = (
        f"SELECT path FROM images AS image WHERE camera_id = {camera_id} AND state = 'ready' AND "
        "NOT EXISTS (SELECT 1 FROM audit_decisions AS decided WHERE decided.image_id = image.id)"
    )
    with means.database.read() as session:
        found = (
            (
                "undecided",
                card.undecided,
                report_queries.list_undecided(session, camera_id, limit=_NAMED),
                ("--sql", undecided),
            ),
            (
                "unreadable",
                card.unreadable,
                report_queries.list_images_in_states(session, camera_id, states=_UNREADABLE, limit=_NAMED),
                ("unreadable",),
            ),
            (
                "missing",
                card.missing,
                report_queries.list_images_in_states(session, camera_id, states=(ImageState.MISSING,), limit=_NAMED),
                ("--sql", missing),
            ),
        )
    return [
        ImageListing(
            title,
            total,
            tuple(ListedImage(one.id, one.path, one.state_reason) for one in rows),
            command_line("audit", *words),
        )
        for title, total, rows, words in found
    ]


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_value, value))
    return "native" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
