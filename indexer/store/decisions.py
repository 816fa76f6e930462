"""The decisions on images: rows are added, and marked when they are superseded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.camera_images import NO_IMAGE, DecisionColumns
from indexer.domain.decisions import Decision, Reason
from indexer.domain.images import ImageState
from indexer.domain.removal import IndexedFile, RemovalCandidate
from indexer.domain.verdicts import Judgement
from indexer.files.system_folders import find_system_folder, is_in_separate_system_folder
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.pins import is_pinned
from indexer.store.removals import is_held_back
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, PinRow, ProfileRow, RemovalRow, RunRow, VerdictRow

_other_image = aliased(ImageRow)


def list_decisions(session: Session, camera_id: int) -> DecisionColumns:
    """The current decisions on the ready images of a camera."""
    query = (
        select(
            DecisionRow.image_id, DecisionRow.profile_id, DecisionRow.reason, DecisionRow.keeper_id, DecisionRow.score
        )
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY, DecisionRow.superseded_at.is_(None))
        .order_by(DecisionRow.image_id)
    )
    rows = session.execute(query).all()
    image_ids, profile_ids, reasons, keeper_ids, scores = zip(*rows, strict=True) if rows else ((),) * 5
    return DecisionColumns(
        image_ids=image_ids,
        keeper_ids=[NO_IMAGE if keeper_id is None else keeper_id for keeper_id in keeper_ids],
        profile_ids=profile_ids,
        reasons=reasons,
        scores=scores,
    )


def list_deciding_profiles(session: Session, camera_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Which profiles decided which cameras: (camera id, profile id) of all current decisions on ready images."""
    query = (
        select(ImageRow.camera_id, DecisionRow.profile_id)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .where(ImageRow.state == ImageState.READY, DecisionRow.superseded_at.is_(None))
        .distinct()
    )
    results = (session.execute(query.where(ImageRow.camera_id.in_(chunk))) for chunk in chunks(camera_ids))
    return {(camera_id, profile_id) for rows in results for camera_id, profile_id in rows}


def add_decisions(
    session: Session,
    decisions: Sequence[Decision],
    *,
    profile_id: int,
    judged_by: Mapping[int, str],
    at: datetime,
    run_id: int,
) -> None:
    """Adds decisions, and supersedes the current ones of the same images.

    `judged_by` has the name of the person for each decision by verdict, by image id.
    """
    supersede(session, [decision.image_id for decision in decisions], at=at)
    rows = [
        {
            "image_id": decision.image_id,
            "profile_id": profile_id,
            "verdict": "keep" if decision.keeps else "duplicate",
            "keeper_id": decision.keeper_id,
            "score": decision.score,
            "reason": decision.reason,
            "decided_by": judged_by.get(decision.image_id, "compare"),
            "decided_at": at,
            "run_id": run_id,
        }
        for decision in decisions
    ]
    if rows:
        session.execute(bulk_insert(DecisionRow), rows)


def supersede(session: Session, image_ids: Sequence[int], *, at: datetime) -> None:
    """Marks the current decisions of images as superseded; `compare` decides these images again."""
    for chunk in chunks(image_ids):
        is_current = DecisionRow.image_id.in_(chunk) & DecisionRow.superseded_at.is_(None)
        session.execute(update(DecisionRow).where(is_current).values(superseded_at=at))


def is_as_before_removal(session: Session, removal_id: int) -> bool:
    """Whether all that the decision on a removed image rests on is as it was when the image was removed.

    Then the decision may go on holding once the image is back: since its removal no decision of its camera was made, so
    it was compared with all keepers that there are, and no person judged it, and no person's pin on it or its keeper
    was set or ended, which ranks them. A removal that another index made, and this one adopted, never qualifies.

    The order of run ids and the times must both agree: with PostgreSQL a run that began earlier may decide a camera
    after the files were removed, and the clocks of two hosts may differ.
    """
    later = aliased(DecisionRow)
    same_camera = aliased(ImageRow)
    query = (
        select(RemovalRow.id)
        .join(ImageRow, ImageRow.id == RemovalRow.image_id)
        .join(RunRow, RunRow.id == RemovalRow.run_id)
        .join(DecisionRow, DecisionRow.id == RemovalRow.decision_id)
        .where(
            RemovalRow.id == removal_id,
            DecisionRow.superseded_at.is_(None),
            DecisionRow.keeper_id == RemovalRow.keeper_id,
            RunRow.command == "prune",
            ~RunRow.arguments.contains('"adopted": true'),
            ~exists().where(
                same_camera.camera_id == ImageRow.camera_id,
                later.image_id == same_camera.id,
                or_(later.run_id > RemovalRow.run_id, later.decided_at >= RemovalRow.planned_at),
            ),
            ~exists().where(
                or_(VerdictRow.image_a_id == ImageRow.id, VerdictRow.image_b_id == ImageRow.id),
                or_(
                    VerdictRow.run_id > RemovalRow.run_id,
                    VerdictRow.judged_at >= RemovalRow.planned_at,
                    VerdictRow.withdrawn_at >= RemovalRow.planned_at,
                ),
            ),
            ~exists().where(
                PinRow.image_id.in_([RemovalRow.image_id, RemovalRow.keeper_id]),
                or_(
                    PinRow.run_id > RemovalRow.run_id,
                    PinRow.pinned_at >= RemovalRow.planned_at,
                    PinRow.unpinned_at >= RemovalRow.planned_at,
                ),
            ),
        )
    )
    return session.scalar(query) is not None


def list_image_decisions(session: Session, image_ids: Sequence[int]) -> dict[int, Decision]:
    """The current decisions of a few images, by image id. Images that are not ready or not decided are left out."""
    query = (
        select(DecisionRow.image_id, DecisionRow.reason, DecisionRow.keeper_id, DecisionRow.score)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .where(ImageRow.id.in_(image_ids), ImageRow.state == ImageState.READY, DecisionRow.superseded_at.is_(None))
    )
    return {
        image_id: Decision(image_id, Reason(reason), keeper_id, score)
        for image_id, reason, keeper_id, score in session.execute(query)
    }


def list_judgements(session: Session, camera_id: int) -> dict[tuple[int, int], Judgement]:
    """The verdicts that hold between images of a camera, by (smaller, larger) image id."""
    return list_judgements_by_camera(session, [camera_id]).get(camera_id, {})


def list_judgements_by_camera(
    session: Session, camera_ids: Sequence[int] | None = None
) -> dict[int, dict[tuple[int, int], Judgement]]:
    """The verdicts that hold, by camera id, then as in `list_judgements`; of all cameras if `camera_ids` is None.

    Cameras without a verdict are left out.
    """
    # A subquery for each verdict, not a join: SQLite would combine every image of the camera with every other.
    camera_of_other = select(_other_image.camera_id).where(_other_image.id == VerdictRow.image_b_id).scalar_subquery()
    query = (
        select(ImageRow.camera_id, VerdictRow)
        .join(ImageRow, ImageRow.id == VerdictRow.image_a_id)
        .where(VerdictRow.withdrawn_at.is_(None), camera_of_other == ImageRow.camera_id)
    )
    if camera_ids is not None:
        query = query.where(ImageRow.camera_id.in_(camera_ids))
    judgements: dict[int, dict[tuple[int, int], Judgement]] = {}
    for camera_id, row in session.execute(query):
        judgement = Judgement("same" if row.verdict == "same" else "different", row.judged_by)
        judgements.setdefault(camera_id, {})[row.image_a_id, row.image_b_id] = judgement
    return judgements


def count_undecided(session: Session, *, camera_id: int | None = None) -> int:
    """The number of ready images, of all cameras or of one, without a current decision."""
    current = exists().where(DecisionRow.image_id == ImageRow.id, DecisionRow.superseded_at.is_(None))
    query = select(func.count()).select_from(ImageRow).where(ImageRow.state == ImageState.READY, ~current)
    if camera_id is not None:
        query = query.where(ImageRow.camera_id == camera_id)
    return session.scalar(query) or 0


def list_removal_candidates(session: Session, *, camera: str | None = None) -> list[RemovalCandidate]:
    """The present images whose current decision is *duplicate*, sorted by camera and capture time, unknown times first.

    With `camera`, only those of the camera of that name.
    """
    query = _CANDIDATES
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    return [_removal_candidate(*row) for row in session.execute(query)]


_FILE_COLUMNS = ("id", "path", "root", "file_size", "content_hash")  # of an image, in the order of `IndexedFile`
_keeper, _keeper_decision = aliased(ImageRow), aliased(DecisionRow)
_has_contrary_verdict = exists().where(
    VerdictRow.verdict == "different",
    VerdictRow.withdrawn_at.is_(None),
    or_(
        (VerdictRow.image_a_id == ImageRow.id) & (VerdictRow.image_b_id == _keeper.id),
        (VerdictRow.image_b_id == ImageRow.id) & (VerdictRow.image_a_id == _keeper.id),
    ),
)
_ACTIVE = select(ProfileRow.id).where(ProfileRow.active).correlate(None).scalar_subquery()
_CANDIDATES = (
    # Columns, not whole rows: SQLAlchemy needs minutes to make a million objects.
    select(
        *(getattr(row, name) for row in (ImageRow, _keeper) for name in _FILE_COLUMNS),
        DecisionRow.id,
        CameraRow.name,
        DecisionRow.score,
        ProfileRow.max_score,
        ProfileRow.name,
        ImageRow.captured_at,
        and_(_keeper.state == ImageState.READY, _keeper.camera_id == ImageRow.camera_id),
        and_(_keeper_decision.verdict == "keep", _keeper_decision.profile_id == DecisionRow.profile_id),
        or_(CameraRow.profile_id == ProfileRow.id, CameraRow.profile_id.is_(None) & ProfileRow.active),
        is_pinned(ImageRow.id),
        _has_contrary_verdict,
        is_held_back(ImageRow.id),
    )
    .join(ImageRow, ImageRow.id == DecisionRow.image_id)
    .join(CameraRow, CameraRow.id == ImageRow.camera_id)
    .join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
    .join(_keeper, _keeper.id == DecisionRow.keeper_id)
    .outerjoin(_keeper_decision, (_keeper_decision.image_id == _keeper.id) & _keeper_decision.superseded_at.is_(None))
    .where(DecisionRow.superseded_at.is_(None), ImageRow.state == ImageState.READY)
    .order_by(CameraRow.name, ImageRow.captured_at.nulls_first(), ImageRow.id)
)


def _removal_candidate(*columns: Any) -> RemovalCandidate:
    """The candidate in one row of `_CANDIDATES`."""
    width = len(_FILE_COLUMNS)
    victim, keeper = IndexedFile(*columns[:width]), IndexedFile(*columns[width : 2 * width])
    decision_id, camera, score, max_score, profile, captured_at, *flags = columns[2 * width :]
    keeper_present, keeper_kept, in_force, pinned, judged, held_back = map(bool, flags)
    return RemovalCandidate(
        decision_id=decision_id,
        camera=camera,
        victim=victim,
        keeper=keeper,
        score=score,
        max_score=max_score,
        profile=profile,
        captured_at=captured_at,
        keeper_present=keeper_present,
        keeper_kept=keeper_kept,
        profile_in_force=in_force,
        pinned=pinned,
        judged=judged,
        held_back=held_back,
        in_system_folder=_is_in_system_folder(victim),
        keeper_apart=_is_in_system_folder(keeper) or is_in_separate_system_folder(keeper.path, victim.path),
    )


def _is_in_system_folder(file: IndexedFile) -> bool:
    """Whether a file lies in a system folder below its root: only an earlier version can have ingested it."""
    return find_system_folder(file.path, root=file.root) is not None


def list_keepers(session: Session, camera: str) -> dict[int, int | None]:
    """The keeper's id of each decided image of a camera, by image id; None for an image that is kept.

    Only ready and removed images with a current decision are in it.
    """
    query = (
        select(DecisionRow.image_id, DecisionRow.keeper_id)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(
            CameraRow.name == camera,
            ImageRow.state.in_([ImageState.READY, ImageState.REMOVED]),
            DecisionRow.superseded_at.is_(None),
        )
    )
    return {image_id: keeper_id for image_id, keeper_id in session.execute(query)}
