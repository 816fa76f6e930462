"""What a report shows of a camera besides its images: the profile, what is ignored, other limits, and lists of images
that are undecided, unreadable or missing."""

import hashlib
import json
from dataclasses import astuple

from indexer import __version__
from indexer.domain.images import ImageState
from indexer.domain.profiles import Preparation, Profile
from indexer.escaping import command_line
from indexer.files.output_folder import OutputFolder
from indexer.imaging.masks import mask_overlay
from indexer.store import cameras, ranked_images, report_queries, spans, verdicts, videos
from indexer.store.profiles import StoredProfile
from indexer.web.view_models import (
    CameraCard,
    CameraDetails,
    FindingView,
    IgnoredAreas,
    ImageListing,
    ListedImage,
    PictureLink,
    Sweep,
    SweepPoint,
    VideoNumbers,
)
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.report.activity import find_activity
from indexer.workflows.tuning.sweep import sweep as try_limits

MAX_SWEPT_IMAGES = 3_000
"""Images up to which other limits are tried without `--sweep`: that takes some seconds."""
_MAX_LISTED = 200

_UNREADABLE = (ImageState.UNREADABLE, ImageState.DAMAGED, ImageState.TOO_SMALL)


def camera_details(
    context: ComparisonContext,
    camera_id: int,
    *,
    out: OutputFolder,
    card: CameraCard,
    stored: StoredProfile,
    newest: PictureLink | None,
    findings: tuple[FindingView, ...],
    sweep: bool,
) -> CameraDetails:
    """The section below the film strip on the first page of a camera; also writes the overlay of ignored areas into
    `out`."""
    return CameraDetails(
        parameters=_parameters(stored.profile),
        ignored=_ignored_areas(out, card, stored.profile.preparation, newest),
        sweep=_find_sweep(context, camera_id, out=out, card=card, stored=stored)
        if sweep
        else Sweep(why_not=_NOT_TRIED),
        listings=tuple(listing for listing in _listings(context, camera_id, card) if listing.total),
        videos=_video_numbers(context, card.name),
        findings=findings,
        dismiss=command_line("advise", "dismiss", "ID"),
        activity=find_activity(context, camera_id, out=out, card=card, stored=stored, newest=newest),
    )


def _video_numbers(context: ComparisonContext, camera: str) -> VideoNumbers | None:
    """What became of the videos of a camera; None if it never had one."""
    with context.database.read() as session:
        counts, unstored = videos.count_videos(session, camera=camera), spans.count_spans(session, camera=camera)
    present = counts.read + counts.partial + counts.unreadable
    if not present + counts.missing:
        return None
    return VideoNumbers(
        videos=present,
        broken=counts.partial + counts.unreadable,
        missing=counts.missing,
        frames_read=counts.frames_read,
        frames_stored=counts.frames_stored,
        spans=unstored.spans,
        gaps=unstored.gaps,
        command=command_line("audit", "videos"),
    )


_NOT_TRIED = "Other limits were not tried, as this takes a while on a large index; report --sweep tries them."


def _ignored_areas(
    out: OutputFolder, card: CameraCard, preparation: Preparation, newest: PictureLink | None
) -> IgnoredAreas:
    """What scores ignore, as an overlay for the newest picture; no overlay if there is no such picture."""
    overlay = None
    if newest is not None and newest.href is not None:
        overlay = f"{card.folder}/ignored.png"
        out.write(overlay, mask_overlay(mask_parameters(preparation), height=newest.height, width=newest.width))
    has_mask_image = preparation.ignore_picture is not None
    return IgnoredAreas(
        preparation.mask, newest, overlay=overlay, rectangles=len(preparation.ignore), drawn=has_mask_image
    )


def _parameters(profile: Profile) -> tuple[tuple[str, str], ...]:
    """The parameters of a profile, by name, as text; a mask image as its size."""
    texts = {name: _format_value(value) for name, value in profile.parameters.items()}
    if profile.preparation.ignore:
        texts["ignore"] = "; ".join(map(_format_value, profile.preparation.ignore))
    mask_image = profile.preparation.ignore_picture
    if mask_image is not None:
        texts["ignore_picture"] = (
            f"{mask_image.width} x {mask_image.height} pixels, {mask_image.ignored_share:.1%} ignored"
        )
    return tuple(texts.items())


def _find_sweep(
    context: ComparisonContext, camera_id: int, *, out: OutputFolder, card: CameraCard, stored: StoredProfile
) -> Sweep:
    """What other limits would keep: from the folder, if nothing that this depends on changed since it was tried."""
    name = f"{card.folder}/sweep-{_sweep_key(context, camera_id, stored)}.json"
    try:
        rows = json.loads(out.find(name) or b"")
        return Sweep(tuple(SweepPoint(*row) for row in rows))
    except (ValueError, TypeError):
        sweep = _sweep(context, card)
    if sweep.why_not is None:
        out.write(name, json.dumps([astuple(point) for point in sweep.points]).encode())
    return sweep


def _sweep_key(context: ComparisonContext, camera_id: int, stored: StoredProfile) -> str:
    """A hash of all that a sweep depends on: the present images and their sizes, the verdicts, the profile."""
    with context.database.read() as session:
        present = ranked_images.list_present(session, camera_id, preparation_id=stored.preparation_id)
        judgements = verdicts.list_judgements(session, camera_id)
        sizes = cameras.list_file_sizes(session, camera_id)
    text = repr((__version__, stored.profile.digest, [*present], sorted(judgements.items()), sorted(sizes.items())))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def _sweep(context: ComparisonContext, card: CameraCard) -> Sweep:
    camera_sweeps = [
        camera_sweep
        for camera_sweep in try_limits(context, camera=card.name).cameras
        if camera_sweep.camera == card.name
    ]
    if not camera_sweeps or camera_sweeps[0].problem is not None:
        problem = camera_sweeps[0].problem if camera_sweeps else "no image is there"
        return Sweep(why_not=f"Other limits cannot be tried: {problem}")
    rows = camera_sweeps[0].rows
    points = (
        SweepPoint(row.max_score, row.min_contour_area, row.kept, row.duplicates, row.size_bytes, row.current)
        for row in rows
    )
    return Sweep(tuple(points))


def _listings(context: ComparisonContext, camera_id: int, card: CameraCard) -> list[ImageListing]:
    missing_sql = f"SELECT path FROM images WHERE camera_id = {camera_id} AND state = 'missing'"
    undecided_sql = (
        f"SELECT path FROM images AS image WHERE camera_id = {camera_id} AND state = 'ready' AND "
        "NOT EXISTS (SELECT 1 FROM audit_decisions AS decided WHERE decided.image_id = image.id)"
    )
    with context.database.read() as session:
        sections = (
            (
                "undecided",
                card.undecided,
                report_queries.list_undecided(session, camera_id, limit=_MAX_LISTED),
                ("--sql", undecided_sql),
            ),
            (
                "unreadable",
                card.unreadable,
                report_queries.list_images_in_states(session, camera_id, states=_UNREADABLE, limit=_MAX_LISTED),
                ("unreadable",),
            ),
            (
                "missing",
                card.missing,
                report_queries.list_images_in_states(
                    session, camera_id, states=(ImageState.MISSING,), limit=_MAX_LISTED
                ),
                ("--sql", missing_sql),
            ),
        )
    return [
        ImageListing(
            title,
            total,
            tuple(ListedImage(image.id, image.path, image.state_reason) for image in rows),
            command_line("audit", *arguments),
        )
        for title, total, rows, arguments in sections
    ]


def _format_value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_format_value, value))
    return "native" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
