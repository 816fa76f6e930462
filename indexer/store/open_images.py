"""The images that `compare` must look at, listed by triggers of the database (migration 0015).

An image is listed while it is ready and has no current decision, or after it lost a thumbnail. It may be listed without
need; it is never missing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations

from indexer.domain.images import ImageState
from indexer.store.bulk import chunks
from indexer.store.columns import to_ns
from indexer.store.tables import DecisionRow, ImageRow, OpenImageRow

_LISTED = select(OpenImageRow.image_id)


def is_ready_in(camera_id: int | SQLCoreOperations[Any]) -> ColumnElement[bool]:
    """The SQL condition that an image is a ready image of a camera, for images that are found otherwise: no index
    serves it, so that no database begins with all images of the camera."""
    return (ImageRow.state == ImageState.READY) & (func.abs(ImageRow.camera_id) == camera_id)


def count_undecided(
    session: Session,
    *,
    camera_id: int | None = None,
    waiting_since: datetime | None = None,
    running_ids: Collection[int] = (),
) -> int:
    """The number of ready images, of all cameras or of one, without a current decision.

    `waiting_since`: without those that one of the runs `running_ids` took in, if their file was written after this
    time. What a command that runs for months stored a moment ago is no backlog."""
    query = select(func.count()).select_from(ImageRow)
    query = query.where(ImageRow.id.in_(_LISTED), ImageRow.state == ImageState.READY, ~_is_decided())
    if camera_id is not None:
        query = query.where(is_ready_in(camera_id))
    if waiting_since is not None:
        query = query.where(ImageRow.run_id.not_in(running_ids) | (ImageRow.mtime_ns <= to_ns(waiting_since)))
    return session.scalar(query) or 0


def list_open(session: Session, camera_id: int, *, limit: int) -> list[int]:
    """The ids of at most `limit` listed images of a camera."""
    query = select(ImageRow.id).where(ImageRow.id.in_(_LISTED), is_ready_in(camera_id))
    return list(session.scalars(query.limit(limit)))


def list_cameras(session: Session) -> list[int]:
    """The ids of the cameras that have a listed image."""
    query = select(ImageRow.camera_id).where(ImageRow.id.in_(_LISTED))
    return list(session.scalars(query.distinct()))


def close_images(session: Session, image_ids: Sequence[int]) -> None:
    """Takes those of these images off the list that have a current decision."""
    for chunk in chunks(image_ids):
        decided = select(DecisionRow.image_id).where(
            DecisionRow.image_id.in_(chunk), DecisionRow.superseded_at.is_(None)
        )
        session.execute(
            delete(OpenImageRow).where(OpenImageRow.image_id.in_(decided)).execution_options(synchronize_session=False)
        )


def _is_decided() -> ColumnElement[bool]:
    return exists().where(DecisionRow.image_id == ImageRow.id, DecisionRow.superseded_at.is_(None))
