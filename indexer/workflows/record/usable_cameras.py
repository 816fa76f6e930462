"""Whether cameras can be recorded at all. It writes nothing."""

from collections.abc import Collection

from indexer.errors import CameraError, ProfileError
from indexer.store import profiles, runs
from indexer.store.database import Database
from indexer.store.locks.run_lock import list_running
from indexer.workflows.profile_parameters import thumbnail_recipe


def require_thumbnails(database: Database, cameras: Collection[str]) -> None:
    """Raises `ProfileError` if the profile of a camera has no thumbnails, or features, which its frames do not get."""
    with database.read() as session:
        in_force = profiles.list_in_force(session, set(cameras))
    for camera, stored in in_force.items():
        if thumbnail_recipe(stored.profile.preparation) is None:
            raise ProfileError(
                f"camera {camera!r} has the profile {stored.profile.name!r}, which has no work_width; record needs one"
            )
        if stored.profile.preparation.has_features:
            raise ProfileError(
                f"camera {camera!r} has the profile {stored.profile.name!r}, whose features record does not make; give "
                "the camera another profile, and compare what was recorded under this one later"
            )


def require_not_recorded(database: Database, cameras: Collection[str], *, before: int | None = None) -> None:
    """Raises `CameraError` if a record at work has one of these cameras, whether it answered or not.

    `before`: only runs with a smaller number count, so that of two that begin at once one goes on.
    """
    with database.read() as session:
        records = [record for record in runs.list_runs(session, command="record") if record.outcome is None]
    running = list_running(database, [record.id for record in records])
    for record in records:
        shared = sorted(set(cameras) & set(record.arguments["sources"]))
        if shared and record.id in running and (before is None or record.id < before):
            raise CameraError(f"camera {shared[0]!r} is recorded already, by run {record.id}")
