"""compare: score what is new and decide, camera by camera, what is a duplicate of what.

It promises that a recorded pair is not scored again, that the scores found so far survive a cut, and that a camera's
decisions change all at once or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason, Walk, pair_of
from indexer.engines import Lost
from indexer.pixels.describing import Prepared, PrepareTask, Recipe, prepare_again
from indexer.pixels.shelf import Shelf
from indexer.store import cameras, decisions, images, profiles, scores
from indexer.store.database import Database
from indexer.store.decisions import Judgement
from indexer.store.profiles import StoredProfile
from indexer.workflows.deciding import Decider, HeldBack, PreparedImages, Spoiled
from indexer.workflows.deciding import Means as Means
from indexer.workflows.measures import recipe_of
from indexer.workflows.running import Run, writing

_PAIRS_WRITTEN = 1000
_THUMBNAILS_WRITTEN = 64


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


@dataclass
class CompareReport:
    """What compare did; `activated` names the profile that this run made the active one."""

    activated: str | None = None
    cameras: list[CameraResult] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are remembered."""
        names = ("images", "kept", "duplicates", "decided", "scored", "recorded")
        sums = {name: sum(getattr(camera, name) for camera in self.cameras) for name in names}
        return sums | {"not_recorded": sums["scored"] - sums["recorded"], "held_back": len(self.held_back)}

    @property
    def held_back(self) -> list[CameraResult]:
        """The cameras that could not be decided."""
        return [camera for camera in self.cameras if camera.problem is not None]


def compare(means: Means, *, profile: str | None = None, camera: str | None = None) -> CompareReport:
    """Decides what is new: the report per camera."""
    report = CompareReport()
    arguments = {"profile": profile, "camera": camera}
    with means.database.read() as session:
        chosen = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
        if profile is not None:
            profiles.get_profile(session, profile)
    with writing(means.database, "compare", arguments=arguments, clock=means.clock) as run:
        if profile is not None:
            report.activated = _activate(means.database, profile)
        for name, camera_id in chosen.items():
            report.cameras.append(_compare_camera(means, name, camera_id, run=run))
            run.counts = report.counts
    return report


def _activate(database: Database, profile: str) -> str | None:
    """Makes a profile the active one; its name if it was not."""
    with database.read() as session:
        if profiles.active_profile(session).profile.name == profile:
            return None
    with database.write() as session:
        profiles.activate(session, profile)
    return profile


def _compare_camera(means: Means, name: str, camera_id: int, *, run: Run) -> CameraResult:
    """Decides one camera; thumbnails that turn out to be spoiled are made again from their files."""
    with means.database.read() as session:
        stored = profiles.camera_profile(session, camera_id)
    remade: set[int] = set()
    while True:
        try:
            return _prepare_and_decide(means, stored, name=name, camera_id=camera_id, run=run)
        except HeldBack as problem:
            with means.database.read() as session:
                present = cameras.count_present(session)[name]
            return CameraResult(name, stored.profile.name, present, problem=f"{problem}; run ingest again")
        except Spoiled as problem:
            if remade & set(problem.image_ids):
                raise means.database.damaged(f"the thumbnail of image {problem.image_ids[0]}") from problem
            remade |= set(problem.image_ids)
            with means.database.write() as session:
                images.drop_thumbnails(session, problem.image_ids, preparation_id=stored.preparation_id)


def _prepare_and_decide(means: Means, stored: StoredProfile, *, name: str, camera_id: int, run: Run) -> CameraResult:
    with means.database.read() as session:
        present = images.list_present(session, camera_id, preparation_id=stored.preparation_id)
    recipe = recipe_of(stored.profile.preparation)
    bare = [image for image in present if image.shape is None]
    if bare and recipe is not None:
        _prepare(means, recipe, bare, camera=name)
        with means.database.read() as session:
            present = images.list_present(session, camera_id, preparation_id=stored.preparation_id)
    return _decide_camera(means, stored, present, name=name, camera_id=camera_id, run=run)


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


def _decide_camera(
    means: Means, stored: StoredProfile, present: Sequence[Image], *, name: str, camera_id: int, run: Run
) -> CameraResult:
    with means.database.read() as session:
        current = decisions.list_decisions(session, camera_id)
        judgements = decisions.list_judgements(session, camera_id)
        recorded_before = scores.has_scores(session, camera_id, scoring_id=stored.scoring_id)
    before = {image_id: decision for image_id, (profile_id, decision) in current.items() if profile_id == stored.id}
    walk = Walk(present, before=before)
    with Shelf() as shelf:
        by_id = {image.id: image for image in present}
        prepared = PreparedImages(means, stored, by_id, shelf, upcoming=walk.undecided)
        decider = Decider(means, stored, judgements=judgements, prepared=prepared, recorded_before=recorded_before)
        recorded = _walk_down(means, walk, decider, stored, name=name, run=run)
    fresh = [decision for decision in walk.decisions if current.get(decision.image_id) != (stored.id, decision)]
    _write_decisions(means, fresh, stored, judgements, run=run)
    kept = sum(decision.keeps for decision in walk.decisions)
    return CameraResult(
        camera=name,
        profile=stored.profile.name,
        images=len(walk),
        kept=kept,
        duplicates=len(walk) - kept,
        decided=len(fresh),
        scored=decider.scored,
        recorded=recorded,
    )


def _walk_down(means: Means, walk: Walk, decider: Decider, stored: StoredProfile, *, name: str, run: Run) -> int:
    """Decides every image of a camera; the number of pairs recorded, also of a walk that is cut short."""
    advance = means.progress(f"comparing {name}", len(walk))
    recorded = 0
    try:
        for block in walk.blocks(size=decider.block_size):
            decider.decide(walk, block)
            advance(len(block))
            if len(decider.evidence) >= _PAIRS_WRITTEN:
                recorded += _write_scores(means.database, decider, stored, run=run)
    finally:
        recorded += _write_scores(means.database, decider, stored, run=run)
    return recorded


def _write_scores(database: Database, decider: Decider, stored: StoredProfile, *, run: Run) -> int:
    """Writes the evidence collected so far; the number of pairs."""
    evidence = decider.take_evidence()
    if evidence:
        with database.write() as session:
            scores.add_scores(session, evidence, scoring_id=stored.scoring_id, run_id=run.id)
    return len(evidence)


def _write_decisions(
    means: Means,
    fresh: Sequence[Decision],
    stored: StoredProfile,
    judgements: Mapping[tuple[int, int], Judgement],
    *,
    run: Run,
) -> None:
    """Writes a camera's new decisions in one transaction: nobody ever reads half a change."""
    judged_by = {
        decision.image_id: judgements[pair_of(decision.image_id, decision.keeper_id)].judged_by
        for decision in fresh
        if decision.reason is Reason.VERDICT and decision.keeper_id is not None
    }
    if fresh:
        with means.database.write() as session:
            decisions.add_decisions(
                session, fresh, profile_id=stored.id, judged_by=judged_by, at=means.clock(), run_id=run.id
            )
