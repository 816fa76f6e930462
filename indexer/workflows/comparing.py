"""How one camera is compared: what is known is read, what is missing is made, what was decided is written.

It promises that the scores found so far survive a cut, and that a camera's decisions change all at once or not at all.
It does not know how an image finds its keeper.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason, Walk, pair_of
from indexer.domain.verdicts import Judgement
from indexer.engines import Lost, Map, serial
from indexer.pixels.describing import Prepared, PrepareTask, Recipe, prepare_again
from indexer.pixels.headers import Limits
from indexer.pixels.shelf import Shelf, room_for
from indexer.store import cameras, decisions, images, profiles, scores
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.scores import PairEvidence
from indexer.workflows.camera_tasks import LARGEST, LARGEST_BYTES, CameraTask, decide_camera
from indexer.workflows.deciding import Decider, Knowledge, MetPair
from indexer.workflows.measures import mask_of, measure_of, recipe_of
from indexer.workflows.prepared import HeldBack, PreparedImages, Spoiled, Thumbnails, WholePictures
from indexer.workflows.running import Run
from indexer.workflows.watching import Advance, Clock, Progress, silent
from indexer.workflows.workload import WORTH_WORKERS

_PAIRS_WRITTEN = 1000
_THUMBNAILS_WRITTEN = 64


@dataclass(frozen=True)
class Means:
    """What a comparison works with: the memory, the workers, the limits of reading, the clock, the watcher."""

    database: Database
    spread: Map
    limits: Limits
    clock: Clock
    progress: Progress = silent


@dataclass(frozen=True)
class CameraResult:
    """What compare did to one camera; `problem` says why it was held back, unchanged."""

    camera: str
    profile: str
    images: int
    kept: int = 0
    duplicates: int = 0
    decided: int = 0
    scored: int = 0
    recorded: int = 0
    problem: str | None = None


class _Written:
    """What comes of one camera: written as it comes, and counted."""

    def __init__(
        self,
        means: Means,
        run: Run,
        name: str,
        stored: StoredProfile,
        judgements: Mapping[tuple[int, int], Judgement],
    ) -> None:
        self._means = means
        self._run = run
        self._name = name
        self._stored = stored
        self._judgements = judgements
        self._recorded = 0

    def write(
        self,
        evidence: Sequence[MetPair],
        decided: Sequence[Decision] = (),
        *,
        before: Mapping[int, tuple[int, Decision]] = MappingProxyType({}),
    ) -> int:
        """Writes evidence, and those of a camera's decisions that are new, in one transaction: nobody ever reads half a
        change. The number of new decisions."""
        fresh = [decision for decision in decided if before.get(decision.image_id) != (self._stored.id, decision)]
        judged_by = {
            decision.image_id: self._judgements[pair_of(decision.image_id, decision.keeper_id)].judged_by
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
        self._recorded += len(evidence)
        return len(fresh)

    def result(self, decided: Sequence[Decision], *, fresh: int, scored: int) -> CameraResult:
        """The camera's line of the report."""
        kept = sum(decision.keeps for decision in decided)
        return CameraResult(
            camera=self._name,
            profile=self._stored.profile.name,
            images=len(decided),
            kept=kept,
            duplicates=len(decided) - kept,
            decided=fresh,
            scored=scored,
            recorded=self._recorded,
        )


def compare_small_cameras(means: Means, chosen: Mapping[str, int], *, run: Run) -> Iterator[CameraResult]:
    """Decides small cameras of which nothing is decided yet, each by one worker, where there are workers and several
    such cameras; those that turn out to need more are left out, and what is written is written camera by camera."""
    with means.database.read() as session:
        sizes, decided = cameras.count_present(session), decisions.list_decided(session)
        in_force = {name: profiles.camera_profile(session, camera_id) for name, camera_id in chosen.items()}
    small = [
        name
        for name, stored in in_force.items()
        if 0 < sizes.get(name, 0) <= LARGEST
        and not stored.profile.preparation.native
        and (chosen[name], stored.id) not in decided
    ]
    if means.spread.workers == 1 or len(small) == 1 or sum(sizes[name] for name in small) <= WORTH_WORKERS:
        return
    read = ((name, _read_whole(means, chosen[name], in_force[name])) for name in small)
    tasks: deque[tuple[str, CameraTask]] = deque()

    def asked() -> Iterator[CameraTask]:
        for name, task in read:
            if task is not None:
                tasks.append((name, task))
                yield task

    advance = means.progress(f"comparing {len(small)} cameras", sum(sizes[name] for name in small))
    for found in means.spread(decide_camera, asked()):
        name, task = tasks.popleft()
        if not isinstance(found, Lost) and not found.spoiled:
            written = _Written(means, run, name, in_force[name], task.judgements)
            fresh = written.write(found.evidence, found.decisions)
            yield written.result(found.decisions, fresh=fresh, scored=found.scored)
        advance(len(task.images))


def _read_whole(means: Means, camera_id: int, stored: StoredProfile) -> CameraTask | None:
    """All that deciding a camera takes; None where thumbnails are missing, or are too large together."""
    with means.database.read() as session:
        present = images.list_present(session, camera_id, preparation_id=stored.preparation_id)
        if any(image.shape is None for image in present) or _room(stored, present) > LARGEST_BYTES:
            return None
        ids = [image.id for image in present]
        return CameraTask(
            tuple(present),
            images.load_thumbnails(session, ids, preparation_id=stored.preparation_id),
            decisions.list_judgements(session, camera_id),
            scores.list_camera_scores(session, camera_id, scoring_id=stored.scoring_id),
            measure_of(stored),
        )


def compare_camera(means: Means, name: str, camera_id: int, *, run: Run) -> CameraResult:
    """Decides one camera; thumbnails that turn out to be spoiled are made again from their files."""
    with means.database.read() as session:
        stored = profiles.camera_profile(session, camera_id)
    remade: set[int] = set()
    while True:
        try:
            present = _present_with_thumbnails(means, stored, name=name, camera_id=camera_id)
            return _decide(means, stored, present, name=name, camera_id=camera_id, run=run)
        except HeldBack as problem:
            with means.database.read() as session:
                number = cameras.count_present(session)[name]
            return CameraResult(name, stored.profile.name, number, problem=f"{problem}; run ingest again")
        except Spoiled as problem:
            if remade & set(problem.image_ids):
                raise means.database.damaged(f"the thumbnail of image {problem.image_ids[0]}") from problem
            remade |= set(problem.image_ids)
            with means.database.write() as session:
                images.drop_thumbnails(session, problem.image_ids, preparation_id=stored.preparation_id)


def _present_with_thumbnails(means: Means, stored: StoredProfile, *, name: str, camera_id: int) -> list[Image]:
    """The present images of a camera; thumbnails that a profile lacks are made first."""
    with means.database.read() as session:
        present = images.list_present(session, camera_id, preparation_id=stored.preparation_id)
    recipe = recipe_of(stored.profile.preparation)
    bare = [image for image in present if image.shape is None]
    if recipe is None or not bare:
        return present
    _prepare(means, recipe, bare, camera=name)
    with means.database.read() as session:
        return images.list_present(session, camera_id, preparation_id=stored.preparation_id)


def _prepare(means: Means, recipe: Recipe, bare: Sequence[Image], *, camera: str) -> None:
    """Makes the thumbnails that a profile lacks, from the files."""
    tasks = (PrepareTask(image.id, image.path, image.content_hash, recipe, means.limits) for image in bare)
    made = (
        Prepared(image.id, None, f"decoding it {answer.reason}") if isinstance(answer, Lost) else answer
        for image, answer in zip(bare, means.spread(prepare_again, tasks), strict=True)
    )
    advance = means.progress(f"preparing {camera}", len(bare))
    problems: list[str] = []
    paths = {image.id: image.path for image in bare}
    while batch := list(islice(made, _THUMBNAILS_WRITTEN)):
        ready = [(one.image_id, one.thumbnail) for one in batch if one.thumbnail is not None]
        with means.database.write() as session:
            images.add_thumbnails(session, ready)
        problems += [f"{paths[one.image_id]!a}: {one.problem}" for one in batch if one.thumbnail is None]
        advance(len(batch))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise HeldBack(f"{problems[0]}{more}")


def _decide(
    means: Means, stored: StoredProfile, present: Sequence[Image], *, name: str, camera_id: int, run: Run
) -> CameraResult:
    """Walks down a camera, its thumbnails fetched as they are needed and its searches spread over the workers."""
    with means.database.read() as session:
        current = decisions.list_decisions(session, camera_id)
        judgements = decisions.list_judgements(session, camera_id)
        recorded = scores.has_scores(session, camera_id, scoring_id=stored.scoring_id)
    before = {image_id: decision for image_id, (profile_id, decision) in current.items() if profile_id == stored.id}
    walk = Walk(present, before=before)
    written = _Written(means, run, name, stored, judgements)
    knowledge = Knowledge(judgements, _recorded_scores(means.database, stored) if recorded else lambda _: {})
    alone = len(walk.undecided) <= WORTH_WORKERS and not stored.profile.preparation.native
    with Shelf(_room(stored, present), shared=True) as shelf, serial() as here:
        spread = here if alone else means.spread
        prepared = _prepared(means, stored, walk, shelf, spread=spread)
        decider = Decider(walk, knowledge, prepared=prepared, measure=measure_of(stored), spread=spread)
        _walk_down(walk, decider, written, advance=means.progress(f"comparing {name}", len(walk)))
    fresh = written.write((), walk.decisions, before=current)
    return written.result(walk.decisions, fresh=fresh, scored=decider.scored)


def _walk_down(walk: Walk, decider: Decider, written: _Written, *, advance: Advance) -> None:
    """Decides every image of a camera; evidence is written as it comes, also of a walk that is cut short."""
    try:
        for block in walk.blocks(size=decider.block_size):
            decider.decide(block)
            advance(len(block))
            if len(decider.evidence) >= _PAIRS_WRITTEN:
                written.write(decider.take_evidence())
    finally:
        written.write(decider.take_evidence())


def _recorded_scores(database: Database, stored: StoredProfile) -> Callable[[int], Mapping[int, float]]:
    """Gives the scores of an image that were recorded before this run."""

    def recorded(image_id: int) -> Mapping[int, float]:
        with database.read() as session:
            return scores.list_scores(session, image_id, scoring_id=stored.scoring_id)

    return recorded


def _room(stored: StoredProfile, present: Sequence[Image]) -> int:
    """Bytes of a shelf for the prepared images of a camera."""
    if stored.profile.preparation.native:
        # A decoder may turn a picture otherwise than its header says.
        return sum(room_for([(one.height, one.width), (one.width, one.height)]) for one in present)
    return room_for([image.shape for image in present if image.shape is not None])


def _prepared(means: Means, stored: StoredProfile, walk: Walk, shelf: Shelf, *, spread: Map) -> PreparedImages:
    """The prepared images of a camera, as its profile prepares them."""
    if stored.profile.preparation.native:
        return WholePictures(walk.ranked, shelf, mask=mask_of(stored.profile.preparation), limits=means.limits)

    def fetch(image_ids: Sequence[int]) -> Mapping[int, bytes]:
        with means.database.read() as session:
            return images.load_thumbnails(session, image_ids, preparation_id=stored.preparation_id)

    return Thumbnails(walk.ranked, shelf, fetch=fetch, spread=spread, upcoming=walk.undecided)
