"""Many cameras at a time: small ones without a decision under the profile in force, and all in which nothing changed.

It promises the decisions that `indexer.workflows.compare.camera` would make camera by camera; that the scores and
decisions of a camera change in one transaction, which may hold several cameras; and that a camera is locked before it
is read to be decided. It does not know how an image finds its keeper.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.domain.decisions import Placement
from indexer.domain.plurals import counted
from indexer.domain.reach import placements
from indexer.domain.selection import Decision
from indexer.domain.verdicts import Judgement, contradictions
from indexer.execution import WorkerFailure, serial
from indexer.store import cameras, decisions, open_images, verdicts
from indexer.store.profiles import StoredProfile
from indexer.store.system_folders import count_in_system_folders
from indexer.store.unchanged_cameras import UnchangedCamera, list_unchanged_cameras
from indexer.workflows.compare.camera import CameraResult, ResultWriter
from indexer.workflows.compare.camera_task import MAX_IMAGES, MIN_GROUP_IMAGES, CameraTask, camera_groups, map_cameras
from indexer.workflows.compare.decider import ScoredPair
from indexer.workflows.compare.inputs import read_camera_tasks
from indexer.workflows.compare.repeated_selection import SelectionResult
from indexer.workflows.compare.shared_progress import ProgressSlot, watched
from indexer.workflows.compare.workload import MAX_SERIAL_IMAGES
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import ActiveRun


@dataclass(frozen=True)
class _SmallCamera:
    """A small camera to be decided: `images` are its present images, `stored` is the profile in force."""

    name: str
    id: int
    images: int
    stored: StoredProfile


def iter_unchanged_cameras(
    context: ComparisonContext, camera_ids: Mapping[str, int], in_force: Mapping[str, StoredProfile], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """The results of the cameras in which nothing changed, except those that other commands have locked.

    There are none if every camera has an open image; nor if an earlier version ingested images from system folders:
    such images rank differently now, so every camera must be decided again.
    """
    locked_elsewhere = run.write_lock.list_locked_by_others(
        list(camera_ids)
    )  # first, so that the queries below see all that they commit before they release
    with context.database.read() as session:
        if count_in_system_folders(session) or set(open_images.list_cameras(session)).issuperset(camera_ids.values()):
            return  # the queries below read something of every image
        single_id = next(iter(camera_ids.values())) if len(camera_ids) == 1 else None
        present = cameras.count_present(session)
        unchanged = list_unchanged_cameras(session, camera_id=single_id)
        judgements = verdicts.list_judgements_by_camera(session, None if single_id is None else [single_id])
    for name, camera_id in camera_ids.items():
        unchanged_camera = unchanged.get(camera_id, None if name in present else UnchangedCamera(0, 0))
        if unchanged_camera is not None and name not in locked_elsewhere:
            yield CameraResult(
                camera=name,
                profile=in_force[name].profile.name,
                images=unchanged_camera.images,
                kept=unchanged_camera.kept,
                duplicates=unchanged_camera.images - unchanged_camera.kept,
                contradictions=contradictions(judgements.get(camera_id, {})),
            )


def compare_small_cameras(
    context: ComparisonContext, camera_ids: Mapping[str, int], in_force: Mapping[str, StoredProfile], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """Decides small cameras without a decision under the profile in force, each in one worker, if there are several.

    A camera is left out, to be decided alone, if its worker failed or its thumbnails are missing, corrupt or too large.
    """
    small = _list_small_cameras(context, camera_ids, in_force) if len(camera_ids) > 1 else []
    if len(small) < 2:  # all workers together decide a single one faster
        return
    image_count = sum(camera.images for camera in small)
    advance = context.progress(f"comparing {counted(len(small), 'camera')}", image_count)
    numbers = {camera.id: number for number, camera in enumerate(small)}
    with serial() as serial_executor, watched(len(small), advance, live=context.live) as watch:
        executor = serial_executor if image_count <= MAX_SERIAL_IMAGES else context.executor
        slots = {camera_id: watch.slots[number] for camera_id, number in numbers.items()} if context.live else {}
        for group in map_cameras(executor, _camera_tasks(context, small, slots, run=run)):
            decided_cameras = [
                (camera, task, result.selections[0])
                for camera, task, result in group
                if not isinstance(result, WorkerFailure) and not result.corrupt_image_ids
            ]
            yield from _write(context, decided_cameras, run=run)
            run.write_lock.release([camera.name for camera, _, _ in group])
            for camera, task, _ in group:
                watch.finish(numbers[camera.id], len(task.images))
            watch.look()


def _list_small_cameras(
    context: ComparisonContext, camera_ids: Mapping[str, int], in_force: Mapping[str, StoredProfile]
) -> list[_SmallCamera]:
    """The cameras that are small enough for one worker's task, and have no decision under the profile in force."""
    # Without workers a larger camera is decided as fast alone, and its scores then survive an interruption.
    max_images = MAX_IMAGES if context.executor.workers > 1 else min(MAX_IMAGES, MIN_GROUP_IMAGES)
    with context.database.read() as session:
        sizes = cameras.count_present(session)
        small = [
            _SmallCamera(name, camera_id, sizes[name], in_force[name])
            for name, camera_id in camera_ids.items()
            if 0 < sizes.get(name, 0) <= max_images and not in_force[name].profile.preparation.native
        ]
        decided = decisions.list_deciding_profiles(session, [camera.id for camera in small])
    return [camera for camera in small if (camera.id, camera.stored.id) not in decided]


def _camera_tasks(
    context: ComparisonContext, small: Sequence[_SmallCamera], slots: Mapping[int, ProgressSlot], *, run: ActiveRun
) -> Iterator[list[tuple[_SmallCamera, CameraTask]]]:
    """The tasks, in groups, of the cameras that no other command has locked and that still need a decision.

    The cameras of a group are locked when it is yielded. `slots`: where their workers write how far they are.
    """
    for group in camera_groups(
        small, count_images=lambda camera: camera.images, group_key=lambda camera: camera.stored.id
    ):
        stored, acquired = group[0].stored, run.write_lock.acquire_free([camera.name for camera in group])
        own_cameras = {camera.id: camera for camera in group if camera.name in acquired}
        with context.database.read() as session:
            decided = decisions.list_deciding_profiles(session, list(own_cameras))
            undecided_ids = [camera_id for camera_id in own_cameras if (camera_id, stored.id) not in decided]
            tasks = read_camera_tasks(session, undecided_ids, stored, [stored.profile.scoring_parameters])
        run.write_lock.release([camera.name for camera in own_cameras.values() if camera.id not in tasks])
        yield [
            (own_cameras[camera_id], replace(task, progress=slots.get(camera_id))) for camera_id, task in tasks.items()
        ]


def _write(
    context: ComparisonContext,
    decided_cameras: Sequence[tuple[_SmallCamera, CameraTask, SelectionResult]],
    *,
    run: ActiveRun,
) -> Iterator[CameraResult]:
    """Writes the results of some cameras of one profile in one transaction."""
    evidence: list[ScoredPair] = []
    new_decisions: list[Decision] = []
    judgements: dict[tuple[int, int], Judgement] = {}
    places: dict[int, Placement] = {}
    for camera, task, result in decided_cameras:
        places |= placements(task.images, result.decisions, camera_id=camera.id)
        evidence += result.evidence
        new_decisions += result.decisions
        judgements |= task.judgements
    if decided_cameras:
        ResultWriter(context, run, decided_cameras[0][0].stored, judgements).write(
            evidence, new_decisions, placements=places
        )
    for camera, task, result in decided_cameras:
        kept = sum(decision.keeps for decision in result.decisions)
        yield CameraResult(
            camera=camera.name,
            profile=camera.stored.profile.name,
            images=len(result.decisions),
            kept=kept,
            duplicates=len(result.decisions) - kept,
            decided=len(result.decisions),
            scored=result.scored,
            recorded=len(result.evidence),
            contradictions=contradictions(task.judgements),
        )
