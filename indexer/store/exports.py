"""The images that an export is made of, with their decisions, one after the other."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import func, literal, null, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.exports import ExportedImage, Status
from indexer.domain.images import ImageState
from indexer.store.removals import IS_HELD_BACK
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow, RemovalRow

_ROWS_AT_ONCE = 1_000
_FIELDS = len(ExportedImage._fields)
_TAKEN_AWAY = ("quarantined", "deleted", "purged")


def iter_images(session: Session, status: Status, *, camera_id: int | None) -> Iterator[ExportedImage]:
    """Yields the present images that are kept, or those that are removed, each with its last removal.

    They are of one camera or of all, in the order of their paths.
    """
    query = _query(status, camera_id=camera_id).order_by(ImageRow.path, ImageRow.id)
    with closing(session.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))) as result:
        for row in result:  # a cursor of a server must not outlive its session
            image = ExportedImage(*row[:_FIELDS])
            is_gone = status == "removed" and row[_FIELDS] != "quarantined"
            yield image._replace(file=None) if is_gone else image


def count_images(session: Session, status: Status, *, camera_id: int | None) -> int:
    """The number of images that `iter_images` yields."""
    return session.scalar(select(func.count()).select_from(_query(status, camera_id=camera_id).subquery())) or 0


def count_duplicates(session: Session, *, camera_id: int | None, held_back: bool) -> int:
    """The number of present images that are duplicates, of one camera or of all.

    `held_back`: those that came back after a removal that this index knows, else the others.
    """
    query = (
        select(func.count())
        .select_from(DecisionRow)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .where(
            DecisionRow.superseded_at.is_(None),
            DecisionRow.verdict == "duplicate",
            ImageRow.state == ImageState.READY,
            IS_HELD_BACK if held_back else ~IS_HELD_BACK,
        )
    )
    return session.scalar(query if camera_id is None else query.where(ImageRow.camera_id == camera_id)) or 0


def _query(status: Status, *, camera_id: int | None) -> Any:
    query = _kept_query() if status == "kept" else _removed_query()
    return query if camera_id is None else query.where(ImageRow.camera_id == camera_id)


def _kept_query() -> Any:
    return (
        _select(ImageRow.path.label("file"), literal("kept"), null())
        .join(DecisionRow, DecisionRow.image_id == ImageRow.id)
        .join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
        .where(DecisionRow.superseded_at.is_(None), DecisionRow.verdict == "keep", ImageRow.state == ImageState.READY)
    )


def _removed_query() -> Any:
    keeper = aliased(ImageRow)
    last = (
        select(func.max(RemovalRow.id))
        .where(RemovalRow.image_id == ImageRow.id, RemovalRow.state.in_(_TAKEN_AWAY))
        .correlate(ImageRow)
        .scalar_subquery()
    )
    return (
        _select(RemovalRow.quarantine_path.label("file"), literal("removed"), keeper.path, RemovalRow.state)
        .join(RemovalRow, RemovalRow.id == last)
        .join(keeper, keeper.id == RemovalRow.keeper_id)
        .join(DecisionRow, DecisionRow.id == RemovalRow.decision_id)
        .join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
        .where(ImageRow.state == ImageState.REMOVED)
    )


def _select(file: Any, status: Any, keeper_path: Any, *more: Any) -> Any:
    columns = [
        ImageRow.id,
        ImageRow.path,
        file,
        CameraRow.name,
        ImageRow.captured_at,
        ImageRow.width,
        ImageRow.height,
        ImageRow.file_size,
        ImageRow.content_hash,
        status,
        DecisionRow.reason,
        keeper_path,
        DecisionRow.score,
        ProfileRow.max_score,
        ProfileRow.name,
        DecisionRow.decided_by,
        DecisionRow.decided_at,
        ImageRow.mtime_ns,
    ]
    return select(*columns, *more).select_from(ImageRow).join(CameraRow, CameraRow.id == ImageRow.camera_id)
