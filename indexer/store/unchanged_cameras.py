"""The cameras in which every decision stands, from one query for all cameras.

A decision stands while none of these changes: the profile in force, the pin of the image, and the presence, camera and
decision of the keeper. Everything else that a decision depends on (a name, a verdict, changed bytes, a file that is
back) supersedes it at once when it changes. A camera with an undecided image is not in the result. If all decisions of
a camera stand, the selection (`indexer.domain.selection`) would compare no pair and decide the same again. So `compare`
can skip the camera. Enforced by tests/workflows/compare/test_unchanged_cameras.py, and by the random histories of
tests/workflows/compare/test_incremental.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.decisions import Reason
from indexer.domain.images import ImageState
from indexer.store.pins import is_pinned
from indexer.store.profiles import list_profiles
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow, ScoringRow, ThumbnailRow


class UnchangedCamera(NamedTuple):
    """A camera in which every decision stands: the number of ready images, and how many of these are kept."""

    images: int
    kept: int


def list_unchanged_cameras(session: Session, *, camera_id: int | None = None) -> dict[int, UnchangedCamera]:
    """The cameras with ready images in which every decision stands, by id. With `camera_id`, only that camera."""
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
    """The SQL condition that an image's decision stands; `native`: ids of the preparations without thumbnails."""
    pinned = DecisionRow.reason == Reason.PINNED
    pin_unchanged = or_(pinned & is_pinned(ImageRow.id), ~pinned & ~is_pinned(ImageRow.id))
    keeper_unchanged = and_(
        _keeper.state == ImageState.READY,
        _keeper.camera_id == ImageRow.camera_id,
        _keeper_decision.verdict == "keep",
        _keeper_decision.profile_id == DecisionRow.profile_id,
    )
    # `compare` must not skip an image that lost its thumbnail: it makes a new one, which sweeps and reports need.
    has_thumbnail = exists().where(
        ThumbnailRow.image_id == ImageRow.id, ThumbnailRow.preparation_id == ScoringRow.preparation_id
    )
    return and_(
        DecisionRow.profile_id == ProfileRow.id,
        pin_unchanged,
        or_(DecisionRow.keeper_id.is_(None), keeper_unchanged),
        or_(ScoringRow.preparation_id.in_(native), has_thumbnail),
    )
