"""Compares one camera: reads what is known, makes missing thumbnails, decides, writes the results.

It promises that the scores computed so far survive an interruption, and that a camera's decisions change all at once or
not at all. It does not know how an image finds its keeper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.domain.camera_images import NO_IMAGE, CameraImages, DecisionColumns
from indexer.domain.descriptions import Thumbnail
from indexer.domain.selection import Decision, Reason, Selection, ordered_pair
from indexer.domain.verdicts import Contradiction, Judgement, contradictions
from indexer.execution import serial
from indexer.imaging.image_buffer import ImageBuffer
from indexer.store import cameras, decisions, ranked_images, scores, thumbnails
from indexer.store.profiles import StoredProfile
from indexer.store.scores import PairEvidence
from indexer.workflows.compare.camera_task import MAX_BUFFER_BYTES
from indexer.workflows.compare.decider import Decider, KnownPairs, ScoredPair
from indexer.workflows.compare.inputs import buffer_capacity_bytes, make_searcher, score_loader, thumbnail_loader
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, PixelsUnavailableError, make_thumbnails
from indexer.workflows.compare.searcher import Searcher
from indexer.workflows.compare.workload import MAX_SERIAL_IMAGES
from indexer.workflows.context import Advance, ComparisonContext
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.run import ActiveRun

NO_DECISIONS = DecisionColumns.of({})
_PAIRS_PER_WRITE = 1000


@dataclass(frozen=True)
class CameraResult:
    """What compare did to one camera. `problem` says why it was held back, unchanged. `contradictions` are between
    current verdicts: each verdict is followed all the same."""

    camera: str
    profile: str
    images: int
    kept: int = 0
    duplicates: int = 0
    decided: int = 0
    scored: int = 0
    recorded: int = 0
    problem: str | None = None
    contradictions: tuple[Contradiction, ...] = ()


class ResultWriter:
    """Writes evidence and decisions of one profile, and counts the evidence in `recorded`."""

    def __init__(
        self,
        context: ComparisonContext,
        run: ActiveRun,
        stored: StoredProfile,
        judgements: Mapping[tuple[int, int], Judgement],
    ) -> None:
        self._context = context
        self._run = run
        self._stored = stored
        self._judgements = judgements
        self.recorded = 0

    def write(
        self,
        evidence: Sequence[ScoredPair],
        new_decisions: Sequence[Decision] = (),
        *,
        previous: DecisionColumns = NO_DECISIONS,
    ) -> int:
        """Writes evidence and the changed decisions in one transaction, so that nobody reads half a change; returns the
        number of changed decisions. `previous`: the decisions that the index has."""
        image_ids = np.array([decision.image_id for decision in new_decisions], dtype=np.int64)
        positions = previous.find(image_ids, profile_id=self._stored.id).tolist()
        changed = [
            decision
            for decision, position in zip(new_decisions, positions, strict=True)
            if position == NO_IMAGE or previous.decision(position) != decision
        ]
        judged_by = {
            decision.image_id: self._judgements[ordered_pair(decision.image_id, decision.keeper_id)].judged_by
            for decision in changed
            if decision.reason is Reason.VERDICT and decision.keeper_id is not None
        }
        if evidence or changed:
            pairs = [PairEvidence(*pair) for pair in evidence]
            with self._context.database.write() as session:
                scores.add_scores(session, pairs, scoring_id=self._stored.scoring_id, run_id=self._run.id)
                if changed:
                    decisions.add_decisions(
                        session,
                        changed,
                        profile_id=self._stored.id,
                        judged_by=judged_by,
                        at=self._context.clock(),
                        run_id=self._run.id,
                    )
        self.recorded += len(evidence)
        return len(changed)


def compare_camera(
    context: ComparisonContext, name: str, camera_id: int, stored: StoredProfile, *, run: ActiveRun
) -> CameraResult:
    """Decides one camera by the profile in force for it; held back if another command has locked it.

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
    result = _decide_with_repair(context, stored, name, camera_id, run=run)
    run.write_lock.release([name])
    return result


def _held_back_result(context: ComparisonContext, stored: StoredProfile, name: str, *, problem: str) -> CameraResult:
    with context.database.read() as session:
        return CameraResult(name, stored.profile.name, cameras.count_present(session).get(name, 0), problem=problem)


def _decide_with_repair(
    context: ComparisonContext, stored: StoredProfile, name: str, camera_id: int, *, run: ActiveRun
) -> CameraResult:
    """Decides one camera; corrupt thumbnails are dropped and made again from their files, each once."""
    remade: set[int] = set()
    while True:
        try:
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
        current = decisions.list_decisions(session, camera_id)
        judgements = decisions.list_judgements(session, camera_id)
        recorded = scores.has_scores(session, camera_id, scoring_id=stored.scoring_id)
    selection = Selection(present, previous=current, profile_id=stored.id)
    writer = ResultWriter(context, run, stored, judgements)
    known_pairs = KnownPairs(judgements, score_loader(context.database, stored) if recorded else lambda _: {})
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
    changed_count = writer.write(decider.take_evidence(), selection.new_decisions, previous=current)
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
