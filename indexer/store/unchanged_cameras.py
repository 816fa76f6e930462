"""The cameras in which every decision stands, from a few queries for all cameras.

A decision stands while none of these changes: the profile in force, the pin of the image, and the presence, camera and
decision of the keeper. Everything else that a decision depends on (a name, a verdict, changed bytes, a file that is
back) supersedes it at once when it changes. A camera with an undecided image is not in the result. If all decisions of
a camera stand, the selection (`indexer.domain.selection`) would compare no pair and decide the same again. So `compare`
can skip the camera. Enforced by tests/workflows/compare/test_unchanged_cameras.py, and by the random histories of
tests/workflows/compare/test_incremental.py.

The queries read the images that are open, kept, pinned or named as keepers, but not the duplicates. The decisions on
duplicates have the profile of their keepers, as all decisions of a camera change at once.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from indexer.domain.decisions import Reason
from indexer.domain.images import ImageState
from indexer.store import concerned_images, open_images
from indexer.store.pins import is_pinned
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow


class UnchangedCamera(NamedTuple):
    """A camera in which every decision stands: the number of ready images, and how many of these are kept."""

    images: int
    kept: int


def list_unchanged_cameras(session: Session, *, camera_id: int | None = None) -> dict[int, UnchangedCamera]:
    """The cameras with ready images in which every decision stands, by id. With `camera_id`, only that camera."""
    ready = select(ImageRow.camera_id, func.count()).where(ImageRow.state == ImageState.READY)
    if camera_id is not None:
        ready = ready.where(ImageRow.camera_id == camera_id)
    images = {number: count for number, count in session.execute(ready.group_by(ImageRow.camera_id))}
    kept, changed = dict[int, int](), set[int]()
    for number, count, changed_count in session.execute(_select_kept(camera_id)):
        assert number is not None
        kept[number] = count
        if changed_count:
            changed.add(number)
    for changed_ids in _iter_changed(session, camera_id):
        changed.update(changed_ids)
    return {
        number: UnchangedCamera(count, kept.get(number, 0)) for number, count in images.items() if number not in changed
    }


def _iter_changed(session: Session, camera_id: int | None) -> Iterator[Sequence[int]]:
    """Cameras with open images, unplaced decisions, pinned duplicates, or keepers that do not keep any more."""
    yield open_images.list_cameras(session)
    yield concerned_images.list_unplaced_cameras(session)
    yield concerned_images.list_pinned_cameras(session)
    yield concerned_images.list_broken_cameras(session, camera_id=camera_id)


_ACTIVE = select(ProfileRow.id).where(ProfileRow.active).correlate(None).scalar_subquery()


def _select_kept(camera_id: int | None) -> Select[int | None, int, int]:
    """By camera, the number of kept images, and of those whose pin or profile is another now."""
    is_pinned_by_decision = DecisionRow.reason == Reason.PINNED
    pinned = is_pinned(ImageRow.id)
    stands = and_(
        DecisionRow.profile_id == func.coalesce(CameraRow.profile_id, _ACTIVE),
        or_(is_pinned_by_decision & pinned, ~is_pinned_by_decision & ~pinned),
    )
    query = (
        select(DecisionRow.of_camera_id, func.count(), func.sum(case((stands, 0), else_=1)))
        .select_from(DecisionRow)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .join(CameraRow, CameraRow.id == DecisionRow.of_camera_id)
        .where(concerned_images.KEPT, open_images.is_ready_in(DecisionRow.of_camera_id))
        .group_by(DecisionRow.of_camera_id)
    )
    return query if camera_id is None else query.where(DecisionRow.of_camera_id == camera_id)
