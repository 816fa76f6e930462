"""Many small cameras at a time: those of which nothing is decided yet, and those in which nothing changed.

It promises that what is decided is what `indexer.workflows.compare.camera` would decide camera by camera; that a
camera's scores and decisions change in one transaction, be it one of several cameras; and that a camera is taken
before it is read. It does not know how an image finds its keeper.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.domain.selection import Decision
from indexer.domain.verdicts import Judgement, contradictions
from indexer.execution import Lost, serial
from indexer.store import cameras, decisions
from indexer.store.profiles import StoredProfile
from indexer.store.system_folders import count_in_system_folders
from indexer.store.unchanged_cameras import UnchangedCamera, list_unchanged_cameras
from indexer.workflows.compare.camera import CameraResult, Means, Written
from indexer.workflows.compare.camera_task import LARGEST, TOGETHER, CameraTask, groups, hand_out
from indexer.workflows.compare.decider import MetPair
from indexer.workflows.compare.inputs import read_tasks
from indexer.workflows.compare.repeated_selection import Decided
from indexer.workflows.compare.workload import WORTH_WORKERS
from indexer.workflows.profile_parameters import scoring_parameters
from indexer.workflows.runs.run import ActiveRun


@dataclass(frozen=True)
class _Camera:
    """A small camera that is to be decided: how many images are present, and the profile in force."""

    name: str
    id: int
    images: int
    stored: StoredProfile


def standing_cameras(
    means: Means, chosen: Mapping[str, int], in_force: Mapping[str, StoredProfile], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """The cameras in which nothing changed, with what is decided; but for those that others are at work on.

    None where earlier versions took in images of system folders: they rank otherwise now, and all are looked at.
    """
    others = run.write_lock.list_locked_by_others(
        list(chosen)
    )  # before the look: what they wrote until they left is then seen
    with means.database.read() as session:
        if count_in_system_folders(session):
            return
        only = next(iter(chosen.values())) if len(chosen) == 1 else None
        present = cameras.count_present(session)
        standing = list_unchanged_cameras(session, camera_id=only)
        judgements = decisions.list_judgements_by_camera(session, None if only is None else [only])
    for name, camera_id in chosen.items():
        found = standing.get(camera_id, None if name in present else UnchangedCamera(0, 0))
        if found is not None and name not in others:
            yield CameraResult(
                camera=name,
                profile=in_force[name].profile.name,
                images=found.images,
                kept=found.kept,
                duplicates=found.images - found.kept,
                contradictions=contradictions(judgements.get(camera_id, {})),
            )


def compare_small_cameras(
    means: Means, chosen: Mapping[str, int], in_force: Mapping[str, StoredProfile], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """Decides small cameras of which nothing is decided yet, each by one worker, where there are several; those that
    turn out to need more are left out."""
    small = _small(means, chosen, in_force)
    if len(small) < 2:  # a single one is better decided by all workers
        return
    number = sum(camera.images for camera in small)
    advance = means.progress(f"comparing {len(small)} cameras", number)
    with serial() as here:
        spread = here if number <= WORTH_WORKERS else means.spread
        for group in hand_out(spread, _tasks(means, small, run=run)):
            found = [
                (camera, task, answer.decided[0])
                for camera, task, answer in group
                if not isinstance(answer, Lost) and not answer.spoiled
            ]
            yield from _write(means, found, run=run)
            run.write_lock.release([camera.name for camera, _, _ in group])
            advance(sum(len(task.images) for _, task, _ in group))


def _small(means: Means, chosen: Mapping[str, int], in_force: Mapping[str, StoredProfile]) -> list[_Camera]:
    """The cameras that are small enough to be one worker's task, and of which nothing is decided."""
    # Without workers a larger one is as quick walked by itself, and what it scored outlasts a cut.
    largest = LARGEST if means.spread.workers > 1 else min(LARGEST, TOGETHER)
    with means.database.read() as session:
        sizes = cameras.count_present(session)
        small = [
            _Camera(name, camera_id, sizes[name], in_force[name])
            for name, camera_id in chosen.items()
            if 0 < sizes.get(name, 0) <= largest and not in_force[name].profile.preparation.native
        ]
        decided = decisions.list_deciding_profiles(session, [camera.id for camera in small])
    return [camera for camera in small if (camera.id, camera.stored.id) not in decided]


def _tasks(means: Means, small: Sequence[_Camera], *, run: ActiveRun) -> Iterator[list[tuple[_Camera, CameraTask]]]:
    """The tasks of cameras that nobody else is at work on, or has decided meanwhile, a few at a time; these are
    taken."""
    for group in groups(small, images=lambda camera: camera.images, alike=lambda camera: camera.stored.id):
        stored, mine = group[0].stored, run.write_lock.acquire_free([camera.name for camera in group])
        taken = {camera.id: camera for camera in group if camera.name in mine}
        with means.database.read() as session:
            decided = decisions.list_deciding_profiles(session, list(taken))
            open_ids = [camera_id for camera_id in taken if (camera_id, stored.id) not in decided]
            found = read_tasks(session, open_ids, stored, [scoring_parameters(stored)])
        run.write_lock.release([camera.name for camera in taken.values() if camera.id not in found])
        yield [(taken[camera_id], task) for camera_id, task in found.items()]


def _write(
    means: Means, found: Sequence[tuple[_Camera, CameraTask, Decided]], *, run: ActiveRun
) -> Iterator[CameraResult]:
    """Writes what came of some cameras of one profile, all at once."""
    evidence: list[MetPair] = []
    made: list[Decision] = []
    judgements: dict[tuple[int, int], Judgement] = {}
    for _, task, decided in found:
        evidence += decided.evidence
        made += decided.decisions
        judgements |= task.judgements
    if found:
        Written(means, run, found[0][0].stored, judgements).write(evidence, made)
    for camera, task, decided in found:
        kept = sum(decision.keeps for decision in decided.decisions)
        yield CameraResult(
            camera=camera.name,
            profile=camera.stored.profile.name,
            images=len(decided.decisions),
            kept=kept,
            duplicates=len(decided.decisions) - kept,
            decided=len(decided.decisions),
            scored=decided.scored,
            recorded=len(decided.evidence),
            contradictions=contradictions(task.judgements),
        )
