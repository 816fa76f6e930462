"""How one camera is compared: what is known is read, what is missing is made, what was decided is written.

It promises that the scores found so far survive a cut, and that a camera's decisions change all at once or not at all.
It does not know how an image finds its keeper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason, Selection, ordered_pair
from indexer.domain.verdicts import Contradiction, Judgement, contradictions
from indexer.execution import Map, serial
from indexer.imaging.file_description import Thumbnail
from indexer.imaging.headers import Limits
from indexer.imaging.image_buffer import Shelf
from indexer.store import cameras, decisions, images, scores, thumbnails
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.scores import PairEvidence
from indexer.workflows.compare.camera_task import LARGEST_BYTES
from indexer.workflows.compare.decider import Decider, Knowledge, MetPair
from indexer.workflows.compare.inputs import recorded_scores, room_of, searches_of, thumbnails_of
from indexer.workflows.compare.prepared_images import HeldBack, Spoiled, make_thumbnails
from indexer.workflows.compare.workload import WORTH_WORKERS
from indexer.workflows.context import Advance, Clock, Progress, no_progress
from indexer.workflows.profile_parameters import scoring_parameters, thumbnail_recipe
from indexer.workflows.runs.run import ActiveRun

_PAIRS_WRITTEN = 1000


@dataclass(frozen=True)
class Means:
    """What a comparison works with: the memory, the workers, the limits of reading, the clock, the watcher."""

    database: Database
    spread: Map
    limits: Limits
    clock: Clock
    progress: Progress = no_progress


@dataclass(frozen=True)
class CameraResult:
    """What compare did to one camera; `problem` says why it was held back, unchanged. `contradictions` are between
    verdicts that hold: each is followed as it stands."""

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


class Written:
    """What comes of one camera: written as it comes, and counted."""

    def __init__(
        self,
        means: Means,
        run: ActiveRun,
        stored: StoredProfile,
        judgements: Mapping[tuple[int, int], Judgement],
    ) -> None:
        self._means = means
        self._run = run
        self._stored = stored
        self._judgements = judgements
        self.recorded = 0

    def write(
        self,
        evidence: Sequence[MetPair],
        decided: Sequence[Decision] = (),
        *,
        before: Mapping[int, tuple[int, Decision]] = MappingProxyType({}),
    ) -> int:
        """Writes evidence, and those decisions that are new, in one transaction: nobody ever reads half a change. The
        number of new decisions."""
        fresh = [decision for decision in decided if before.get(decision.image_id) != (self._stored.id, decision)]
        judged_by = {
            decision.image_id: self._judgements[ordered_pair(decision.image_id, decision.keeper_id)].judged_by
            for decision in fresh
            if decision.reason is Reason.VERDICT and decision.keeper_id is not None
        }
        if evidence or fresh:
            pairs = [PairEvidence(*pair) for pair in evidence]
            with self._means.database.write() as session:
                scores.add_scores(session, pairs, scoring_id=self._stored.scoring_id, run_id=self._run.id)
                if fresh:
                    decisions.add_decisions(
                        session,
                        fresh,
                        profile_id=self._stored.id,
                        judged_by=judged_by,
                        at=self._means.clock(),
                        run_id=self._run.id,
                    )
        self.recorded += len(evidence)
        return len(fresh)


def compare_camera(means: Means, name: str, camera_id: int, stored: StoredProfile, *, run: ActiveRun) -> CameraResult:
    """Decides one camera by the profile in force for it, unless another command is at work on it."""
    holder = run.write_lock.acquire(name)
    if holder is not None:
        return _held_back(means, stored, name, problem=f"it is being written by {holder}; run compare again after that")
    result = _compare(means, stored, name, camera_id, run=run)
    run.write_lock.release([name])
    return result


def _held_back(means: Means, stored: StoredProfile, name: str, *, problem: str) -> CameraResult:
    with means.database.read() as session:
        return CameraResult(name, stored.profile.name, cameras.count_present(session).get(name, 0), problem=problem)


def _compare(means: Means, stored: StoredProfile, name: str, camera_id: int, *, run: ActiveRun) -> CameraResult:
    """Decides one camera; thumbnails that turn out to be spoiled are made again from their files."""
    remade: set[int] = set()
    while True:
        try:
            present = _present_with_thumbnails(means, stored, name=name, camera_id=camera_id)
            return _decide(means, stored, present, name=name, camera_id=camera_id, run=run)
        except HeldBack as problem:
            return _held_back(means, stored, name, problem=f"{problem}; run ingest again")
        except Spoiled as problem:
            if remade & set(problem.image_ids):
                raise means.database.corruption_error(f"the thumbnail of image {problem.image_ids[0]}") from problem
            remade |= set(problem.image_ids)
            with means.database.write() as session:
                thumbnails.drop_thumbnails(session, problem.image_ids, preparation_id=stored.preparation_id)


def _present_with_thumbnails(means: Means, stored: StoredProfile, *, name: str, camera_id: int) -> list[Image]:
    """The present images of a camera; thumbnails that a profile lacks are made first."""
    with means.database.read() as session:
        present = images.list_present(session, camera_id, preparation_id=stored.preparation_id)
    recipe = thumbnail_recipe(stored.profile.preparation)
    bare = [image for image in present if image.shape is None]
    if recipe is None or not bare:
        return present

    def keep(made: Sequence[tuple[int, Thumbnail]]) -> None:
        with means.database.write() as session:
            thumbnails.add_thumbnails(session, made)

    advance = means.progress(f"preparing {name}", len(bare))
    make_thumbnails(bare, recipe, limits=means.limits, spread=means.spread, keep=keep, advance=advance)
    with means.database.read() as session:
        return images.list_present(session, camera_id, preparation_id=stored.preparation_id)


def _decide(
    means: Means, stored: StoredProfile, present: Sequence[Image], *, name: str, camera_id: int, run: ActiveRun
) -> CameraResult:
    """Walks down a camera, its thumbnails fetched as they are needed and its searches spread over the workers."""
    with means.database.read() as session:
        current = decisions.list_decisions(session, camera_id)
        judgements = decisions.list_judgements(session, camera_id)
        recorded = scores.has_scores(session, camera_id, scoring_id=stored.scoring_id)
    before = {image_id: decision for image_id, (profile_id, decision) in current.items() if profile_id == stored.id}
    walk = Selection(present, previous=before)
    written = Written(means, run, stored, judgements)
    knowledge = Knowledge(judgements, recorded_scores(means.database, stored) if recorded else lambda _: {})
    alone = len(walk.undecided) <= WORTH_WORKERS and not stored.profile.preparation.native
    room = room_of(stored, present)
    with Shelf(room, shared=not alone or room > LARGEST_BYTES) as shelf, serial() as here:
        spread = here if alone else means.spread
        fetch = thumbnails_of(means.database, stored)
        searches = searches_of(stored, walk, shelf, fetch=fetch, limits=means.limits, spread=spread)
        decider = Decider(walk, knowledge, searches=searches, measure=scoring_parameters(stored))
        _walk_down(decider, written, advance=means.progress(f"comparing {name}", len(walk)))
    fresh = written.write(decider.take_evidence(), walk.decisions, before=current)
    kept = sum(decision.keeps for decision in walk.decisions)
    return CameraResult(
        camera=name,
        profile=stored.profile.name,
        images=len(walk.decisions),
        kept=kept,
        duplicates=len(walk.decisions) - kept,
        decided=fresh,
        scored=decider.scored,
        recorded=written.recorded,
        contradictions=contradictions(judgements),
    )


def _walk_down(decider: Decider, written: Written, *, advance: Advance) -> None:
    """Decides every image of a camera; evidence is written as it comes, also of a walk that is cut short. The last of
    it is left to be written with the decisions."""
    try:
        for number in decider.walk_down():
            advance(number)
            if len(decider.evidence) >= _PAIRS_WRITTEN:
                written.write(decider.take_evidence())
    except BaseException:
        written.write(decider.take_evidence())
        raise
