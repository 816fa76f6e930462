"""The decisions on images: rows are added, and marked when they are superseded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.decisions import Decision, Placement, Reason
from indexer.domain.images import ImageState
from indexer.domain.removal import IndexedFile, RemovalCandidate
from indexer.files.system_folders import find_system_folder, is_in_separate_system_folder
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.pins import is_pinned
from indexer.store.removals import IS_HELD_BACK
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, PinRow, ProfileRow, RemovalRow, RunRow, VerdictRow


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
    placements: Mapping[int, Placement] | None = None,
    at: datetime,
    run_id: int,
) -> None:
    """Adds decisions, and supersedes the current ones of the same images.

    `judged_by` has the name of the person for each decision by verdict, by image id; `placements` the places of the
    images, by image id. The next compare reads a camera whole, and notes the places, where they are missing.
    """
    unplaced = Placement(None)
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
            **(placements or {}).get(decision.image_id, unplaced)._asdict(),
        }
        for decision in decisions
    ]
    if rows:
        session.execute(bulk_insert(DecisionRow), rows)


def place_decisions(session: Session, placements: Mapping[int, Placement]) -> None:
    """Notes the places of images, by image id, in their current decisions where none was noted."""
    table = cast(Table, DecisionRow.__table__)
    statement = update(table).where(
        table.c.image_id == bindparam("placed_id"), table.c.superseded_at.is_(None), table.c.of_camera_id.is_(None)
    )
    rows = [{"placed_id": image_id, **placement._asdict()} for image_id, placement in placements.items()]
    if rows:
        session.execute(statement, rows)


def correct_reaches(session: Session, reach_classes: Mapping[int, int]) -> None:
    """Notes other reach classes, by image id, in the current decisions on duplicates: the time of their keeper
    changed, and nothing else."""
    table = cast(Table, DecisionRow.__table__)
    is_current = (table.c.image_id == bindparam("corrected_id")) & table.c.superseded_at.is_(None)
    statement = update(table).where(is_current).values(reach_class=bindparam("corrected_class"))
    rows = [
        {"corrected_id": image_id, "corrected_class": reach_class} for image_id, reach_class in reach_classes.items()
    ]
    if rows:
        session.execute(statement, rows)


def withdraw_partial_place(session: Session, image_id: int) -> None:
    """Makes the current decision on an image unplaced, if it is of a duplicate of which only the camera was noted."""
    is_partial = DecisionRow.keeper_id.is_not(None) & DecisionRow.rank_class.is_(None)
    is_current = (DecisionRow.image_id == image_id) & DecisionRow.superseded_at.is_(None)
    session.execute(update(DecisionRow).where(is_current, is_partial).values(of_camera_id=None))


def list_unplaced(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of these images whose current decision has no place."""
    query = select(DecisionRow.image_id).where(DecisionRow.superseded_at.is_(None), DecisionRow.of_camera_id.is_(None))
    results = (session.scalars(query.where(DecisionRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id for ids in results for image_id in ids}


def supersede(session: Session, image_ids: Sequence[int], *, at: datetime) -> None:
    """Marks the current decisions of images as superseded; `compare` decides these images again."""
    for chunk in chunks(image_ids):
        is_current = DecisionRow.image_id.in_(chunk) & DecisionRow.superseded_at.is_(None)
        session.execute(update(DecisionRow).where(is_current).values(superseded_at=at))


@dataclass(frozen=True)
class ChangedDecision:
    """A decision that changed: what holds now, and whether the image was kept before; None: it was undecided."""

    image_id: int
    decision: Decision
    kept_before: bool | None


def find_last_id(session: Session) -> int:
    """The number of the newest decision; 0 if there is none."""
    return session.scalar(select(func.max(DecisionRow.id))) or 0


def list_changed(session: Session, *, run_id: int, after_id: int) -> list[ChangedDecision]:
    """The current decisions that a run made after the decision `after_id` and that differ from those before; by
    image."""
    query = select(DecisionRow).where(DecisionRow.id > after_id, DecisionRow.run_id == run_id)
    rows = list(session.scalars(query.where(DecisionRow.superseded_at.is_(None)).order_by(DecisionRow.image_id)))
    before = dict[int, DecisionRow]()
    for chunk in chunks([row.image_id for row in rows]):
        earlier = select(DecisionRow).where(DecisionRow.image_id.in_(chunk), DecisionRow.id <= after_id)
        before |= {row.image_id: row for row in session.scalars(earlier.order_by(DecisionRow.id))}
    return [
        ChangedDecision(
            row.image_id,
            Decision(row.image_id, Reason(row.reason), row.keeper_id, row.score),
            before[row.image_id].keeper_id is None if row.image_id in before else None,
        )
        for row in rows
        if row.image_id not in before or before[row.image_id].keeper_id != row.keeper_id
    ]


def is_as_before_removal(session: Session, removal_id: int) -> bool:
    """Whether all that the decision on a removed image rests on is as it was when the image was removed.

    If so, the decision may go on holding when the image is back. Three conditions must hold since its removal:

    - No decision of its camera was made, except such that keep, under the same profile, what was kept then. So the
      image was compared with all keepers that exist. A compare keeps its keeper once more, which is pinned meanwhile.
    - No person judged it.
    - No person set or removed a pin on the image or its keeper. Pins change the rank.

    A removal that another index made, and this one adopted, never qualifies.

    The order of run ids and the times must both agree. With PostgreSQL, a run that began earlier may decide a camera
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
                ~_keeps_what_was_kept(later),
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


def _keeps_what_was_kept(later: type[DecisionRow]) -> ColumnElement[bool]:
    """Whether a decision keeps an image that the same profile kept at the time of the removal."""
    before = aliased(DecisionRow)
    return and_(
        later.verdict == "keep",
        later.profile_id == DecisionRow.profile_id,
        # Two levels deep: without `correlate`, SQLAlchemy would take any removal and any decision.
        exists()
        .where(
            before.image_id == later.image_id,
            before.verdict == "keep",
            before.profile_id == later.profile_id,
            before.run_id < RemovalRow.run_id,
            before.decided_at < RemovalRow.planned_at,
            or_(before.superseded_at.is_(None), before.superseded_at >= RemovalRow.planned_at),
        )
        .correlate(later, RemovalRow),
    )


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


def list_removal_candidates(session: Session, *, camera: str | None = None) -> list[RemovalCandidate]:
    """The present images whose current decision is *duplicate*, sorted by camera and capture time, unknown times first.

    With `camera`, only those of the camera of that name.
    """
    query = _CANDIDATES
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    return [_removal_candidate(*row) for row in session.execute(query)]


def list_removal_candidates_among(session: Session, image_ids: Sequence[int]) -> list[RemovalCandidate]:
    """The same of these images only, in no particular order."""
    results = (session.execute(_CANDIDATES.where(ImageRow.id.in_(chunk))) for chunk in chunks(image_ids))
    return [_removal_candidate(*row) for rows in results for row in rows]


def count_duplicates(session: Session, *, most: int) -> int:
    """The number of present images whose current decision is *duplicate*, held back or not; at most `most`."""
    limited = select(ImageRow.id).where(_is_present_duplicate()).limit(most)
    return session.scalar(select(func.count()).select_from(limited.subquery())) or 0


def list_duplicate_files(session: Session, *, contents: Sequence[str] | None = None) -> list[IndexedFile]:
    """The files of the present images whose current decision is *duplicate*, and that are not held back.

    With `contents`, only those with one of these hashes.
    """
    query = select(*(getattr(ImageRow, name) for name in _FILE_COLUMNS))
    query = query.where(_is_present_duplicate(), ~IS_HELD_BACK)
    if contents is None:
        return [IndexedFile(*row) for row in session.execute(query)]
    results = (session.execute(query.where(ImageRow.content_hash.in_(chunk))) for chunk in chunks(contents))
    return [IndexedFile(*row) for rows in results for row in rows]


def _is_present_duplicate() -> ColumnElement[bool]:
    is_duplicate = exists().where(
        DecisionRow.image_id == ImageRow.id, DecisionRow.superseded_at.is_(None), DecisionRow.verdict == "duplicate"
    )
    return (ImageRow.state == ImageState.READY) & is_duplicate


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
        IS_HELD_BACK,
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
