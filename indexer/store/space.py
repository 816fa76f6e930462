"""The space that an index takes on its disk, and how deleted rows give it back."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, delete, exists, func, or_, select, text
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.store.database import Database
from indexer.store.pins import UNRESTORED
from indexer.store.tables import ImageRow, PictureRow, RemovalRow, ThumbnailRow


class FreedPictures(NamedTuple):
    """How many thumbnails and previews were deleted, and their bytes."""

    thumbnails: int
    previews: int
    size_bytes: int


def count_removed_pictures(session: Session, *, removed_before: datetime) -> FreedPictures:
    """What `delete_removed_pictures` would delete."""
    counts, size_bytes = [], 0
    for row_class in (ThumbnailRow, PictureRow):
        query = select(func.count(), func.coalesce(func.sum(func.length(row_class.data)), 0))
        count, length = session.execute(query.where(row_class.image_id.in_(_select_removed(removed_before)))).one()
        counts.append(int(count))
        size_bytes += int(length)
    return FreedPictures(counts[0], counts[1], size_bytes)


def count_quarantined(session: Session, *, removed_before: datetime) -> int:
    """How many of the images that `delete_removed_pictures` is about lie in quarantine."""
    quarantined = RemovalRow.image_id.in_(_select_removed(removed_before)), RemovalRow.state == RemovalState.QUARANTINED
    has_picture = or_(*(exists().where(row.image_id == RemovalRow.image_id) for row in (ThumbnailRow, PictureRow)))
    query = select(func.count(RemovalRow.image_id.distinct())).where(*quarantined, has_picture)
    return session.scalar(query) or 0


def delete_removed_pictures(session: Session, *, removed_before: datetime) -> FreedPictures:
    """Deletes the thumbnails and previews of images that were removed before a time and did not come back."""
    freed = count_removed_pictures(session, removed_before=removed_before)
    for row_class in (ThumbnailRow, PictureRow):
        statement = delete(row_class).where(row_class.image_id.in_(_select_removed(removed_before)))
        session.execute(statement.execution_options(synchronize_session=False))
    return freed


def _select_removed(removed_before: datetime) -> Select[int]:
    was_removed = exists().where(
        RemovalRow.image_id == ImageRow.id,
        RemovalRow.state.in_(UNRESTORED),
        RemovalRow.removed_at < removed_before,
    )
    return select(ImageRow.id).where(ImageRow.state == ImageState.REMOVED, was_removed)


def give_back(database: Database) -> tuple[int, int]:
    """Gives the space of deleted rows back to the disk; the bytes of the index before and after.

    SQLite writes the whole file anew, so the deleted bytes are not in it any more. For a moment it needs as much free
    space as the index has. PostgreSQL does the same with the tables of pictures, and other commands wait until it is
    done.
    """
    before = _size_bytes(database)
    with database.maintenance() as connection:
        if database.path is None:
            connection.execute(text("VACUUM (FULL) thumbnails"))
            connection.execute(text("VACUUM (FULL) signatures"))
            connection.execute(text("VACUUM (FULL) pictures"))
        else:
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return before, _size_bytes(database)


def _size_bytes(database: Database) -> int:
    with database.maintenance() as connection:
        if database.path is None:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        pages, page_bytes = (connection.scalar(text(f"PRAGMA {name}")) for name in ("page_count", "page_size"))
        return int(pages or 0) * int(page_bytes or 0)
