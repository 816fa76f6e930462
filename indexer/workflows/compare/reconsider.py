"""Reconsiders removed images after another profile came into force: which of them would it have kept?

A camera is decided once more as if nothing of it had been removed: its present and its removed images together, with
the pins of persons and the verdicts. The result is recorded for each removal. It changes no decision. Removed files are
opened only in quarantine, and only if the profile prepares images in another way.

If a removed image has no thumbnail, it cannot be decided. While its file lies in quarantine, on a disk that is away,
it stays open: a later compare decides the camera again, with this image, and records all results anew. If its file was
deleted for good, it counts as not kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from indexer.domain.descriptions import Thumbnail, ThumbnailRecipe
from indexer.domain.selection import Decision
from indexer.errors import EngineError, MissingLibraryError
from indexer.execution import RemoteExecutor, serial
from indexer.store import cameras, ranked_images, reconsidered, thumbnails
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.prepared_images import PixelsUnavailableError, make_thumbnails
from indexer.workflows.compare.simulation import Case, simulate_cases
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.run import ActiveRun


def reconsider_removed(
    context: ComparisonContext, camera_ids: Mapping[str, int], in_force: Mapping[str, StoredProfile], *, run: ActiveRun
) -> None:
    """Records what the profiles in force would have decided on images that other profiles removed.

    A camera that another command has locked, or that cannot be decided now, is left for the next compare.
    """
    with context.database.read() as session:
        open_ids = reconsidered.list_open_cameras(session, camera_ids.values())
    names = [name for name, camera_id in camera_ids.items() if camera_id in open_ids]
    cases = [case for name in names if (case := _make_case(context, name, camera_ids[name], in_force[name]))]
    if not cases:
        return
    with serial() as serial_executor:
        executor = serial_executor if isinstance(context.executor, RemoteExecutor) else context.executor
        for case, keeps in _simulate(replace(context, executor=executor), cases):
            _record(context, case, keeps, run=run)


def _make_case(context: ComparisonContext, name: str, camera_id: int, stored: StoredProfile) -> Case | None:
    """The camera with its removed images; None if there is nothing new that can be decided.

    That is so if the profile compares whole pictures and caches nothing, if it has features that cannot be made here,
    and if all open images lie on a disk that is away.
    """
    recipe = thumbnail_recipe(stored.profile.preparation)
    if recipe is None:
        return None
    try:
        _ensure_thumbnails(context, name, camera_id, stored, recipe=recipe)
    except (MissingLibraryError, EngineError):  # the cameras are decided, and a later compare may be able to
        return None
    with context.database.read() as session:
        removals = reconsidered.list_of_other_profiles(session, camera_id)
        unprepared = reconsidered.list_without_thumbnail(session, camera_id, preparation_id=stored.preparation_id)
        if all(one.kept is not None or (one.can_wait and one.image_id in unprepared) for one in removals):
            return None
        count = cameras.count_present(session, with_removed=True)[name]
    return Case(name, camera_id, count, stored, (stored.profile.scoring_parameters,), with_removed=True)


def _ensure_thumbnails(
    context: ComparisonContext, name: str, camera_id: int, stored: StoredProfile, *, recipe: ThumbnailRecipe
) -> None:
    """Makes the thumbnails that files in quarantine lack; those that cannot be made are left out.

    Raises `MissingLibraryError` and `EngineError` if features are to be made, and cannot be made here.
    """
    with context.database.read() as session:
        paths = reconsidered.list_without_thumbnail(session, camera_id, preparation_id=stored.preparation_id)
        removed = ranked_images.list_removed(session, camera_id)
    lacking = [replace(image, path=paths[image.id]) for image in removed if image.id in paths]
    if not lacking:
        return

    def save(batch: Sequence[tuple[int, Thumbnail]]) -> None:
        with context.database.write() as session:
            thumbnails.add_thumbnails(session, batch)

    advance = context.progress(f"preparing what was removed of {name}", len(lacking))
    try:
        make_thumbnails(lacking, recipe, limits=context.limits, executor=context.executor, save=save, advance=advance)
    except PixelsUnavailableError:
        return


def _simulate(context: ComparisonContext, cases: Sequence[Case]) -> Iterator[tuple[Case, Mapping[int, bool]]]:
    """Each camera that can be decided now, with whether each image that was decided would be kept, by image id."""

    def keeps(_case: Case, decided: Sequence[Decision]) -> Mapping[int, bool]:
        return {decision.image_id: decision.keeps for decision in decided}

    for result in simulate_cases(context, cases, keeps, read_files=False):
        if result.problem is None:
            yield result.case, result.results[0]


def _record(context: ComparisonContext, case: Case, keeps: Mapping[int, bool], *, run: ActiveRun) -> None:
    """Records what was decided. Of the rest, images that can never be decided count as not kept."""
    if run.write_lock.acquire(case.camera) is not None:
        return
    with context.database.write() as session:
        removals = reconsidered.list_of_other_profiles(session, case.camera_id)
        kept = {one.removal_id: keeps[one.image_id] for one in removals if one.image_id in keeps}
        undecidable = [one for one in removals if one.image_id not in keeps and one.kept is None and not one.can_wait]
        kept |= {one.removal_id: False for one in undecidable}
        reconsidered.set_reconsidered(session, kept, profile_id=case.stored.id, run_id=run.id)
    run.write_lock.release([case.camera])
