"""What a later profile would have decided on removed images: recorded for each removal and profile.

Only removals that the profile in force did not decide itself are reconsidered, and only files that are still away. A
removal that could not be decided stays open while its file lies in quarantine.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, func, select, update
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.pins import UNRESTORED
from indexer.store.profiles import list_in_force
from indexer.store.tables import (
    CameraRow,
    DecisionRow,
    ImageRow,
    ProfileRow,
    ReconsideredRow,
    RemovalRow,
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


@dataclass(frozen=True)
class NotCompared:
    """How many images in quarantine, which another profile removed, the profile in force has not decided.

    `whole_pictures`: that profile compares whole pictures and never decides removed images.
    """

    camera: str
    profile: str
    removed: int
    whole_pictures: bool


@dataclass(frozen=True)
class OfOtherProfile:
    """A removal that the profile in force did not decide, and what is recorded of it under that profile.

    `kept`: whether it would have kept the image; None: this is not recorded. `can_wait`: the file lies in quarantine,
    so the image can be compared later.
    """

    removal_id: int
    image_id: int
    kept: bool | None
    can_wait: bool


def list_open_cameras(session: Session, camera_ids: Collection[int]) -> set[int]:
    """Those of these cameras with removed images that the profile in force has not decided, though it can."""
    if not camera_ids:
        return set()
    query = _of_others(select(ImageRow.camera_id)).where(~_ASKED).distinct()
    if len(camera_ids) == 1:
        query = query.where(ImageRow.camera_id == next(iter(camera_ids)))
    return set(session.scalars(query)) & set(camera_ids)


def count_not_compared(session: Session) -> list[NotCompared]:
    """The cameras with images in quarantine that the profile in force has not decided, sorted by name."""
    images = func.count(RemovalRow.image_id.distinct())
    query = _of_others(select(CameraRow.name, CameraRow.id, images)).where(~_ASKED, _CAN_WAIT)
    grouped = session.execute(query.group_by(CameraRow.name, CameraRow.id).order_by(CameraRow.name)).all()
    in_force = list_in_force(session, {name: camera_id for name, camera_id, _ in grouped}) if grouped else {}
    return [
        NotCompared(name, in_force[name].profile.name, number, in_force[name].profile.preparation.native)
        for name, _, number in grouped
    ]


def list_of_other_profiles(session: Session, camera_id: int) -> list[OfOtherProfile]:
    """The removals of a camera that the profile in force did not decide, by id."""
    query = (
        _of_others(select(RemovalRow.id, RemovalRow.image_id, ReconsideredRow.kept, _CAN_WAIT))
        .outerjoin(
            ReconsideredRow,
            and_(ReconsideredRow.removal_id == RemovalRow.id, ReconsideredRow.profile_id == _IN_FORCE),
        )
        .where(ImageRow.camera_id == camera_id)
        .order_by(RemovalRow.id)
    )
    return [
        OfOtherProfile(removal_id, image_id, kept, bool(can_wait))
        for removal_id, image_id, kept, can_wait in session.execute(query)
    ]


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


def set_reconsidered(session: Session, kept: Mapping[int, bool], *, profile_id: int, run_id: int) -> None:
    """Records, by removal id, whether a profile would have kept the image, in place of what is recorded already."""
    recorded = dict[int, bool]()
    for chunk in chunks(list(kept)):
        of_profile = (ReconsideredRow.profile_id == profile_id) & ReconsideredRow.removal_id.in_(chunk)
        rows = session.execute(select(ReconsideredRow.removal_id, ReconsideredRow.kept).where(of_profile))
        recorded |= {removal_id: is_kept for removal_id, is_kept in rows}
    new = [
        {"removal_id": removal_id, "profile_id": profile_id, "kept": is_kept, "run_id": run_id}
        for removal_id, is_kept in kept.items()
        if removal_id not in recorded
    ]
    if new:
        session.execute(bulk_insert(ReconsideredRow), new)
    for is_kept in (False, True):
        changed = [one for one, was_kept in recorded.items() if was_kept != kept[one] == is_kept]
        for chunk in chunks(changed):
            of_profile = (ReconsideredRow.profile_id == profile_id) & ReconsideredRow.removal_id.in_(chunk)
            session.execute(update(ReconsideredRow).where(of_profile).values(kept=is_kept, run_id=run_id))


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
_ASKED = exists().where(ReconsideredRow.removal_id == RemovalRow.id, ReconsideredRow.profile_id == _IN_FORCE)
_CAN_WAIT = (RemovalRow.state == RemovalState.QUARANTINED) & ImageRow.sharpness.is_not(None)


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
