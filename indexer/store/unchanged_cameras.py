"""Cameras in which every decision stands, told for all of them by one question.

A decision stands as long as its premises do: the profile in force, the pin, the presence, camera and decision of the
keeper. Whatever else it rests on (a name, a verdict, changed bytes, a return) takes the decision back where it
changes, and an image without a decision stands in no camera. Where all decisions of a camera stand, walking down its
ranks meets no pair and decides what is decided (`indexer.domain.selection`), so that `compare` need not look at it.
Enforced by tests/workflows/compare/test_unchanged_cameras.py, and by the random histories of
tests/workflows/compare/test_incremental.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import ImageState
from indexer.domain.selection import Reason
from indexer.store.pins import is_pinned
from indexer.store.profiles import list_profiles
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow, ScoringRow, ThumbnailRow


class UnchangedCamera(NamedTuple):
    """A camera in which every decision stands: how many images are present, and how many of these are kept."""

    images: int
    kept: int


def list_unchanged_cameras(session: Session, *, camera_id: int | None = None) -> dict[int, UnchangedCamera]:
    """The cameras with present images in which every decision stands, by id; of one camera, where that is named."""
    native = [stored.preparation_id for stored in list_profiles(session) if stored.profile.preparation.native]
    is_changed = case((_is_unchanged(native), 0), else_=1)
    query = (
        select(ImageRow.camera_id, func.count(), func.sum(case((DecisionRow.verdict == "keep", 1), else_=0)))
        .select_from(ImageRow)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .join(ProfileRow, ProfileRow.id == func.coalesce(CameraRow.profile_id, _ACTIVE))
        .join(ScoringRow, ScoringRow.id == ProfileRow.scoring_id)
        .outerjoin(DecisionRow, (DecisionRow.image_id == ImageRow.id) & DecisionRow.superseded_at.is_(None))
        .outerjoin(_keeper, _keeper.id == DecisionRow.keeper_id)
        .outerjoin(
            _keeper_decision, (_keeper_decision.image_id == _keeper.id) & _keeper_decision.superseded_at.is_(None)
        )
        .where(ImageRow.state == ImageState.READY)
        .group_by(ImageRow.camera_id)
        .having(func.sum(is_changed) == 0)
    )
    if camera_id is not None:
        query = query.where(ImageRow.camera_id == camera_id)
    return {number: UnchangedCamera(images, int(kept)) for number, images, kept in session.execute(query)}


_keeper, _keeper_decision = aliased(ImageRow), aliased(DecisionRow)
_ACTIVE = select(ProfileRow.id).where(ProfileRow.active).correlate(None).scalar_subquery()


def _is_unchanged(native: Sequence[int]) -> ColumnElement[bool]:
    """That the decision on an image stands; `native` are the preparations that cache no thumbnails."""
    pinned = DecisionRow.reason == Reason.PINNED
    pin_unchanged = or_(pinned & is_pinned(ImageRow.id), ~pinned & ~is_pinned(ImageRow.id))
    keeper_unchanged = and_(
        _keeper.state == ImageState.READY,
        _keeper.camera_id == ImageRow.camera_id,
        _keeper_decision.verdict == "keep",
        _keeper_decision.profile_id == DecisionRow.profile_id,
    )
    # An image that lost its thumbnail gets one from `compare`: sweeps and reports wait for that.
    has_thumbnail = exists().where(
        ThumbnailRow.image_id == ImageRow.id, ThumbnailRow.preparation_id == ScoringRow.preparation_id
    )
    return and_(
        DecisionRow.profile_id == ProfileRow.id,
        pin_unchanged,
        or_(DecisionRow.keeper_id.is_(None), keeper_unchanged),
        or_(ScoringRow.preparation_id.in_(native), has_thumbnail),
    )
