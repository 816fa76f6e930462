"""Compares the cameras that got images, in a batch of a long run."""

from collections.abc import Iterator, Sequence

from indexer.store import cameras, profiles
from indexer.store.unchanged_cameras import list_unchanged_cameras
from indexer.workflows.compare.camera import CameraResult, compare_camera
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import ActiveRun


def decide_cameras(
    context: ComparisonContext, names: Sequence[str], *, run: ActiveRun, cache: ThumbnailCache
) -> Iterator[CameraResult]:
    """Decides these cameras, in this order, by the profiles in force. In one without images nothing is to be decided.

    `cache`: the decoded thumbnails that this process keeps from one comparison to the next.
    """
    with context.database.read() as session:
        ids, in_force = cameras.list_cameras(session), profiles.list_in_force(session, names)
    for name in names:
        if name in ids:
            yield compare_camera(context, name, ids[name], in_force[name], run=run, cache=cache)
        else:  # another command forgot it, or gave its images to another camera
            yield CameraResult(name, in_force[name].profile.name, images=0)


def list_undecided_cameras(context: ComparisonContext, folders: Sequence[str]) -> list[str]:
    """The cameras with images below these folders in which something is to be decided."""
    with context.database.read() as session:
        unchanged = list_unchanged_cameras(session)
        below = {name: number for folder in folders for name, number in cameras.list_below(session, folder).items()}
    return sorted(name for name, camera_id in below.items() if camera_id not in unchanged)
