"""What a later profile would have decided on removed images: recorded once for each removal and profile.

Only removals that the profile in force did not decide itself are reconsidered, and only files that are still away.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.pins import UNRESTORED
from indexer.store.tables import (
    CameraRow,
    DecisionRow,
    ImageRow,
    ProfileRow,
    ReconsideredRow,
    RemovalRow,
    RunRow,
    ThumbnailRow,
)


@dataclass(frozen=True)
class WouldKeep:
    """How many removed images of a camera the profile in force would have kept.

    `restorable`: how many of them lie in quarantine.
    """

    camera: str
    profile: str
    removed: int
    restorable: int


def list_open_cameras(session: Session, camera_ids: Collection[int]) -> set[int]:
    """Those of these cameras with removed images that the profile in force was not asked about yet."""
    if not _may_have_changed(session):
        return set()
    asked = exists().where(ReconsideredRow.removal_id == RemovalRow.id, ReconsideredRow.profile_id == _IN_FORCE)
    query = _of_others(select(ImageRow.camera_id)).where(~asked).distinct()
    return set(session.scalars(query)) & set(camera_ids)


def list_removals(session: Session, camera_id: int) -> dict[int, int]:
    """The image id of each removal of a camera that the profile in force did not decide and was not asked about."""
    asked = exists().where(ReconsideredRow.removal_id == RemovalRow.id, ReconsideredRow.profile_id == _IN_FORCE)
    query = _of_others(select(RemovalRow.id, RemovalRow.image_id)).where(ImageRow.camera_id == camera_id, ~asked)
    return {removal_id: image_id for removal_id, image_id in session.execute(query)}


def list_without_thumbnail(session: Session, camera_id: int, *, preparation_id: int) -> dict[int, str]:
    """The path in quarantine, by image id, of each quarantined image of a camera without a thumbnail."""
    thumbnail = exists().where(ThumbnailRow.image_id == ImageRow.id, ThumbnailRow.preparation_id == preparation_id)
    query = (
        select(ImageRow.id, RemovalRow.quarantine_path)
        .join(RemovalRow, RemovalRow.image_id == ImageRow.id)
        .where(
            ImageRow.camera_id == camera_id,
            ImageRow.state == ImageState.REMOVED,
            ImageRow.sharpness.is_not(None),
            RemovalRow.state == RemovalState.QUARANTINED,
            RemovalRow.quarantine_path.is_not(None),
            ~thumbnail,
        )
    )
    return {image_id: path for image_id, path in session.execute(query) if path is not None}


def add_reconsidered(session: Session, kept: Mapping[int, bool], *, profile_id: int, run_id: int) -> None:
    """Records, by removal id, whether a profile would have kept the image; what is recorded already stays."""
    recorded = set[int]()
    for chunk in chunks(list(kept)):
        of_profile = (ReconsideredRow.profile_id == profile_id) & ReconsideredRow.removal_id.in_(chunk)
        recorded |= set(session.scalars(select(ReconsideredRow.removal_id).where(of_profile)))
    rows = [
        {"removal_id": removal_id, "profile_id": profile_id, "kept": is_kept, "run_id": run_id}
        for removal_id, is_kept in kept.items()
        if removal_id not in recorded
    ]
    if rows:
        session.execute(bulk_insert(ReconsideredRow), rows)


def list_would_keep(session: Session) -> set[int]:
    """The ids of the removals whose image the profile in force would have kept."""
    return set(session.scalars(_would_keep(select(RemovalRow.id))))


def count_would_keep(session: Session) -> list[WouldKeep]:
    """The cameras with removed images that the profile in force would have kept, sorted by name."""
    if session.scalar(select(ReconsideredRow.removal_id).limit(1)) is None:
        return []
    images = func.count(RemovalRow.image_id.distinct())
    quarantined = images.filter(RemovalRow.state == RemovalState.QUARANTINED)
    query = _would_keep(select(CameraRow.name, ProfileRow.name, images, quarantined))
    grouped = query.group_by(CameraRow.name, ProfileRow.name).order_by(CameraRow.name)
    return [WouldKeep(*row) for row in session.execute(grouped)]


_ACTIVE = select(ProfileRow.id).where(ProfileRow.active).correlate(None).scalar_subquery()
_IN_FORCE = func.coalesce(CameraRow.profile_id, _ACTIVE)


def _of_others(query: Any) -> Select[Any]:
    """The query, on the removals of files that are away, decided by another profile than the one in force."""
    of_others: Select[Any] = _of_absent(query).where(DecisionRow.profile_id != _IN_FORCE)
    return of_others


def _would_keep(query: Any) -> Select[Any]:
    joined: Select[Any] = _of_absent(query).join(ReconsideredRow, ReconsideredRow.removal_id == RemovalRow.id)
    joined = joined.join(ProfileRow, ProfileRow.id == ReconsideredRow.profile_id)
    return joined.where(
        ReconsideredRow.kept, ReconsideredRow.profile_id == _IN_FORCE, DecisionRow.profile_id != _IN_FORCE
    )


def _of_absent(query: Any) -> Select[Any]:
    of_absent: Select[Any] = (
        query.select_from(RemovalRow)
        .join(ImageRow, ImageRow.id == RemovalRow.image_id)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .join(DecisionRow, DecisionRow.id == RemovalRow.decision_id)
        .where(RemovalRow.state.in_(UNRESTORED), ImageRow.state == ImageState.REMOVED)
    )
    return of_absent


def _may_have_changed(session: Session) -> bool:
    """Whether a person ever chose a profile; otherwise one profile decided everything, and nobody need look."""
    return session.scalar(select(RunRow.id).where(_chooses_profile()).limit(1)) is not None


def _chooses_profile() -> ColumnElement[bool]:
    compared = (RunRow.command == "compare") & ~RunRow.arguments.contains('"profile": null')
    return or_(compared, RunRow.command == "profile use")
