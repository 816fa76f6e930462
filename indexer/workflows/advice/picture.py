"""advise picture: draws where things come and go in front of a camera, over its newest frame.

It promises that no file is overwritten, and that nothing is written into the index.
"""

from dataclasses import dataclass

from indexer.domain.advice.sampling import choose_sample
from indexer.domain.descriptions import Limits
from indexer.domain.plurals import counted
from indexer.errors import PictureError
from indexer.imaging.activity_map import count_activity, draw_activity
from indexer.store import cameras, findings
from indexer.store.captured_images import CapturedFile
from indexer.workflows.advice.advise import DAYS, FRAMES, list_captured, measure_frames
from indexer.workflows.advice.examine import neighbours
from indexer.workflows.context import ComparisonContext
from indexer.workflows.image_files import PreviewTask, load_preview
from indexer.workflows.new_picture import require_new_picture, write_new_picture

_PREVIEW_WIDTH = 960


@dataclass(frozen=True)
class CameraPicture:
    """The picture of a camera in the file `picture`.

    `pairs`: number of pairs of neighbours in time that it rests on. `never_share`: share of the frame in which nothing
    ever came or went, 0 to 1. `regions`: number of regions of open findings that are outlined.
    """

    camera: str
    picture: str
    pairs: int
    never_share: float
    regions: int


def draw_camera(context: ComparisonContext, camera: str, *, out: str) -> CameraPicture:
    """Draws the map of one camera into a new file.

    Raises
    ------
    UsageError
        If `out` is no name for a PNG.
    PictureError
        If there is nothing to draw, or `out` exists, lies inside an ingested folder or cannot be written.
    CameraError
        If there is no such camera.
    """
    require_new_picture(context.database, out, typed="advise picture CAMERA NAME.png")
    with context.database.read() as session:
        camera_id = cameras.get_camera(session, camera)
        regions = [
            region for stored in findings.list_findings(session, camera=camera) for region in stored.finding.regions
        ]
    present = [file for file in list_captured(context.database, camera_id, days=DAYS) if file.is_present]
    chosen = choose_sample([file.image.captured_at for file in present], most=FRAMES)
    frames = list(measure_frames(context, present, chosen))
    pairs = [(one.grey, other.grey) for one, other in neighbours(frames)]
    if not pairs:
        raise PictureError(f"of camera {camera!r} no two frames that follow each other can be read: nothing to draw")
    activity = count_activity(pairs)
    frame = load_preview(_newest(present, limits=context.limits)).preview
    if frame is None:
        raise PictureError(f"the newest image of camera {camera!r} cannot be read; run ingest again")
    drawn = CameraPicture(camera, out, activity.pairs, activity.never_share, len(regions))
    lines = (
        f"{camera}: orange where things come and go, in {counted(activity.pairs, 'pair')} of neighbours in time",
        f"in {activity.never_share:.0%} of the frame nothing ever came or went; "
        f"blue: {counted(len(regions), 'area')} of findings",
    )
    write_new_picture(out, draw_activity(frame, activity, regions=regions, lines=lines))
    return drawn


def _newest(present: list[CapturedFile], *, limits: Limits) -> PreviewTask:
    newest = present[-1]
    return PreviewTask(newest.path, newest.image.content_hash, limits, width=_PREVIEW_WIDTH)
