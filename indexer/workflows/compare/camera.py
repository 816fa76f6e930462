"""Compares one camera: reads what is known, makes missing thumbnails, decides, writes the results.

It promises that the scores computed so far survive an interruption, and that a camera's decisions change all at once or
not at all. It does not know how an image finds its keeper.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

from indexer.domain.camera_images import CameraImages
from indexer.domain.descriptions import Thumbnail
from indexer.domain.reach import placements
from indexer.domain.selection import Selection
from indexer.domain.verdicts import contradictions
from indexer.execution import serial
from indexer.imaging.image_buffer import ImageBuffer
from indexer.store import (
    cameras,
    concerned_images,
    decisions,
    open_images,
    profiles,
    ranked_images,
    scores,
    thumbnails,
    verdicts,
)
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera_part import decide_part
from indexer.workflows.compare.camera_task import MAX_BUFFER_BYTES
from indexer.workflows.compare.decider import Decider, KnownPairs
from indexer.workflows.compare.inputs import buffer_capacity_bytes, make_searcher, score_loader, thumbnail_loader
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, PixelsUnavailableError, make_thumbnails
from indexer.workflows.compare.result_writer import CameraResult as CameraResult
from indexer.workflows.compare.result_writer import ResultWriter as ResultWriter
from indexer.workflows.compare.searcher import Searcher
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.compare.workload import MAX_SERIAL_IMAGES
from indexer.workflows.context import Advance, ComparisonContext
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.run import ActiveRun

_PAIRS_PER_WRITE = 1000


def compare_camera(
    context: ComparisonContext,
    name: str,
    camera_id: int,
    stored: StoredProfile,
    *,
    run: ActiveRun,
    cache: ThumbnailCache | None = None,
) -> CameraResult:
    """Decides one camera by the profile in force for it; held back if another command has locked it.

    `cache`: of a process that goes on, and decides more images of the camera later.

    Raises
    ------
    DatabaseError
        If a thumbnail made again is corrupt again.
    """
    holder = run.write_lock.acquire(name)
    if holder is not None:
        return _held_back_result(
            context, stored, name, problem=f"it is being written by {holder}; run compare again after that"
        )
    with nullcontext(cache) if cache is not None else ThumbnailCache() as decoded:
        result = _decide_with_repair(context, stored, name, camera_id, run=run, cache=decoded)
    run.write_lock.release([name])
    return result


def decide_camera(context: ComparisonContext, name: str, *, run: ActiveRun, cache: ThumbnailCache) -> CameraResult:
    """Decides what is new in one camera, for a process that stays and keeps decoded thumbnails in `cache`.

    Raises `CameraError` if there is no such camera, and `DatabaseError` as `compare_camera`.
    """
    with context.database.read() as session:
        camera_id = cameras.get_camera(session, name)
        stored = profiles.list_in_force(session, [name])[name]
    return compare_camera(context, name, camera_id, stored, run=run, cache=cache)


def _held_back_result(context: ComparisonContext, stored: StoredProfile, name: str, *, problem: str) -> CameraResult:
    with context.database.read() as session:
        return CameraResult(name, stored.profile.name, cameras.count_present(session).get(name, 0), problem=problem)


def _decide_with_repair(
    context: ComparisonContext,
    stored: StoredProfile,
    name: str,
    camera_id: int,
    *,
    run: ActiveRun,
    cache: ThumbnailCache,
) -> CameraResult:
    """Decides one camera; corrupt thumbnails are dropped and made again from their files, each once."""
    remade: set[int] = set()
    while True:
        try:
            result = decide_part(context, stored, name=name, camera_id=camera_id, run=run, cache=cache)
            if result is not None:
                return result
            present = _ensure_thumbnails(context, stored, name=name, camera_id=camera_id)
            return _decide(context, stored, present, name=name, camera_id=camera_id, run=run)
        except PixelsUnavailableError as problem:
            return _held_back_result(context, stored, name, problem=f"{problem}; run ingest again")
        except CorruptThumbnailsError as problem:
            if remade & set(problem.image_ids):
                raise context.database.corruption_error(f"the thumbnail of image {problem.image_ids[0]}") from problem
            remade |= set(problem.image_ids)
            with context.database.write() as session:
                thumbnails.drop_thumbnails(session, problem.image_ids, preparation_id=stored.preparation_id)


def _ensure_thumbnails(context: ComparisonContext, stored: StoredProfile, *, name: str, camera_id: int) -> CameraImages:
    """The present images of a camera; thumbnails that the profile lacks are made first.

    Raises `PixelsUnavailableError` if some cannot be made.
    """
    with context.database.read() as session:
        present = ranked_images.list_present(session, camera_id, preparation_id=stored.preparation_id)
    recipe = thumbnail_recipe(stored.profile.preparation)
    without_thumbnail = [] if recipe is None else present.without_thumbnail()
    if recipe is None or not without_thumbnail:
        return present

    def save(batch: Sequence[tuple[int, Thumbnail]]) -> None:
        with context.database.write() as session:
            thumbnails.add_thumbnails(session, batch)

    advance = context.progress(f"preparing {name}", len(without_thumbnail))
    make_thumbnails(
        without_thumbnail, recipe, limits=context.limits, executor=context.executor, save=save, advance=advance
    )
    with context.database.read() as session:
        return ranked_images.list_present(session, camera_id, preparation_id=stored.preparation_id)


def _decide(
    context: ComparisonContext,
    stored: StoredProfile,
    present: CameraImages,
    *,
    name: str,
    camera_id: int,
    run: ActiveRun,
) -> CameraResult:
    """Decides a camera image by image: loads thumbnails as they are needed, and runs its searches on all workers."""
    with context.database.read() as session:
        current = ranked_images.list_decisions(session, camera_id)
        judgements = verdicts.list_judgements(session, camera_id)
    selection = Selection(present, previous=current, profile_id=stored.id)
    writer = ResultWriter(context, run, stored, judgements)
    known_pairs = KnownPairs(judgements, _score_loader(context, stored, selection, camera_id=camera_id))
    is_local = len(selection.undecided) <= MAX_SERIAL_IMAGES and not stored.profile.preparation.native
    capacity_bytes = buffer_capacity_bytes(stored, present)
    with (
        ImageBuffer(capacity_bytes, shared=not is_local or capacity_bytes > MAX_BUFFER_BYTES) as buffer,
        serial() as serial_executor,
    ):
        executor = serial_executor if is_local else context.executor
        fetch = thumbnail_loader(context.database, stored)
        searcher = make_searcher(stored, selection, buffer, fetch=fetch, limits=context.limits, executor=executor)
        decider = Decider(selection, known_pairs, searcher=searcher, scoring=stored.profile.scoring_parameters)
        _decide_all(decider, searcher, writer, advance=context.progress(f"comparing {name}", len(selection)))
    places = placements(selection.ranked, selection.new_decisions, camera_id=camera_id)
    changed_count = writer.write(decider.take_evidence(), selection.new_decisions, placements=places, previous=current)
    _note_all(context, selection, camera_id=camera_id)
    return CameraResult(
        camera=name,
        profile=stored.profile.name,
        images=len(selection),
        kept=selection.kept_count,
        duplicates=len(selection) - selection.kept_count,
        decided=changed_count,
        scored=decider.scored,
        recorded=writer.recorded,
        contradictions=contradictions(judgements),
    )


def _score_loader(
    context: ComparisonContext, stored: StoredProfile, selection: Selection, *, camera_id: int
) -> Callable[[int], Mapping[int, float]]:
    """The loader of recorded scores, which asks the index nothing where none are recorded."""
    with context.database.read() as session:
        recorded = scores.has_scores(session, camera_id, scoring_id=stored.scoring_id)
    if not recorded:
        return lambda _image_id: {}
    undecided_ids = selection.ranked.ids[selection.undecided].tolist()
    return score_loader(context.database, stored, in_advance=undecided_ids)


def _note_all(context: ComparisonContext, selection: Selection, *, camera_id: int) -> None:
    """Notes the places of decisions that an earlier version made, and that no image of the camera is open any more."""
    with context.database.read() as session:
        is_unplaced = concerned_images.has_unplaced(session, camera_id)
        open_ids = open_images.list_open(session, camera_id, limit=len(selection))
    if not is_unplaced and not open_ids:
        return
    with context.database.write() as session:
        open_images.close_images(session, open_ids)
        if is_unplaced:
            unplaced_ids = decisions.list_unplaced(session, selection.ranked.ids.tolist())
            standing = [decision for decision in selection.decisions if decision.image_id in unplaced_ids]
            places = placements(selection.ranked, standing, camera_id=camera_id)
            decisions.place_decisions(session, places)


def _decide_all(decider: Decider, searcher: Searcher, writer: ResultWriter, *, advance: Advance) -> None:
    """Decides every image of a camera, and closes the searcher. Evidence is written as it comes, and all of it if an
    exception ends this. Else the last evidence is left in `decider`, to be written with the decisions."""
    try:
        for number in decider.decide_all():
            advance(number)
            if len(decider.evidence) >= _PAIRS_PER_WRITE:
                writer.write(decider.take_evidence())
    except BaseException:
        writer.write(decider.take_evidence())
        raise
    finally:
        searcher.close()
