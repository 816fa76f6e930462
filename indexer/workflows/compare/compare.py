"""compare: scores new pairs and decides, camera by camera, which image is a duplicate of which keeper.

It promises that

- a recorded pair is not scored again;
- scores survive an interruption (those of small cameras, which one worker decides whole, only together with the
  camera's decisions); and
- a camera's decisions change all at once or not at all.

A camera that another command has locked is held back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.imaging.kernel.cache import is_compiled, load_contrast
from indexer.imaging.matching import load_kernel
from indexer.store import cameras, profiles, reconsidered
from indexer.store.database import Database
from indexer.store.locks.writer_lock import WriteLock
from indexer.store.reconsidered import NotCompared, WouldKeep
from indexer.store.system_folders import count_in_system_folders
from indexer.workflows.compare.camera import CameraResult as CameraResult
from indexer.workflows.compare.camera import compare_camera
from indexer.workflows.compare.ignore_proposals import IgnoreProposal, propose
from indexer.workflows.compare.reconsider import reconsider_removed
from indexer.workflows.compare.small_cameras import compare_small_cameras, iter_unchanged_cameras
from indexer.workflows.compare.workload import should_start_workers
from indexer.workflows.context import ComparisonContext
from indexer.workflows.required_features import require_missing_features
from indexer.workflows.runs.run import ActiveRun, record_run


@dataclass
class CompareReport:
    """What compare did. `activated`: the profile that this run made the active one, if any. `proposals`: areas worth
    a look in cameras of which much is kept; they change nothing. `in_system_folders`: number of images in hidden
    folders, bins and the like, which an earlier version ingested. `would_keep`: cameras with removed images that the
    profile in force would have kept; `not_compared`: with images in quarantine that it did not decide.
    """

    activated: str | None = None
    cameras: list[CameraResult] = field(default_factory=list)
    proposals: list[IgnoreProposal] = field(default_factory=list)
    in_system_folders: int = 0
    would_keep: list[WouldKeep] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are stored with the run."""
        names = ("images", "kept", "duplicates", "decided", "scored", "recorded")
        sums = {name: sum(getattr(camera, name) for camera in self.cameras) for name in names}
        return sums | {"not_recorded": sums["scored"] - sums["recorded"], "held_back": len(self.held_back)}

    @property
    def held_back(self) -> list[CameraResult]:
        """The cameras that could not be decided; their decisions are unchanged."""
        return [camera for camera in self.cameras if camera.problem is not None]


def compare(context: ComparisonContext, *, profile: str | None = None, camera: str | None = None) -> CompareReport:
    """Decides all cameras, or one, by the profiles in force. `profile` is first made the active one.

    A camera or profile that does not exist is refused before anything is written, and so is a profile with features
    that images lack and that cannot be made here.
    """
    report = CompareReport()
    arguments = {"profile": profile, "camera": camera}
    with context.database.read() as session:
        camera_ids = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
        active = profiles.get_active_profile(session) if profile is None else profiles.get_profile(session, profile)
        own = profiles.list_own_profiles(session)
        require_missing_features(session, {camera_ids[name]: own.get(name, active) for name in camera_ids})
    with record_run(context.database, "compare", arguments=arguments, clock=context.clock, by_camera=True) as run:
        if profile is not None:
            report.activated = _activate(context.database, profile, write_lock=run.write_lock)
        results = dict[str, CameraResult]()
        try:
            for result in _iter_results(context, camera_ids, run=run):
                results[result.camera] = result
        finally:
            report.cameras = [results[name] for name in camera_ids if name in results]
            run.counts = report.counts
        with context.database.read() as session:
            in_force = profiles.list_in_force(session, camera_ids)
        reconsider_removed(context, camera_ids, in_force, run=run)
    with context.database.read() as session:
        report.in_system_folders = count_in_system_folders(session)
        report.would_keep = [item for item in reconsidered.count_would_keep(session) if item.camera in camera_ids]
        report.not_compared = [item for item in reconsidered.count_not_compared(session) if item.camera in camera_ids]
    report.proposals = list(propose(context.database, report.cameras, camera_ids, in_force))
    return report


def _iter_results(
    context: ComparisonContext, camera_ids: Mapping[str, int], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """The result of each camera: first those in which nothing changed, then small ones, then the others one by one."""
    with context.database.read() as session:
        in_force = profiles.list_in_force(session, camera_ids)
    remaining = dict(camera_ids)
    if should_start_workers(context.database) and not is_compiled():
        advance = context.progress("compiling the search, once", 1)
        load_kernel()
        load_contrast(compiles=True)  # for the next ingest
        advance(1)
    for compare_many in (iter_unchanged_cameras, compare_small_cameras):
        for result in compare_many(context, dict(remaining), in_force, run=run):
            del remaining[result.camera]
            yield result
    if remaining and should_start_workers(context.database):
        load_kernel()  # here, not in the middle of a camera
    for name, camera_id in remaining.items():
        yield compare_camera(context, name, camera_id, in_force[name], run=run)


def _activate(database: Database, profile: str, *, write_lock: WriteLock) -> str | None:
    """Makes a profile the active one; its name, or None if it was active already.

    This needs the lock on the whole index, as other commands decide by the active profile.
    """
    with database.read() as session:
        if profiles.get_active_profile(session).profile.name == profile:
            return None
    write_lock.acquire_all()
    with database.write() as session:
        profiles.activate(session, profile)
    write_lock.downgrade()
    return profile
