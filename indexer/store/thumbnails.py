"""The thumbnails: a PNG for each image and preparation, and whether it is flat (shows nothing)."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from indexer.domain.descriptions import Thumbnail
from indexer.domain.images import ImageState
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.tables import ImageRow, PreparationRow, ThumbnailRow


def add_thumbnails(session: Session, thumbnails: Iterable[tuple[int, Thumbnail]]) -> None:
    """Adds thumbnails, each with its image id; an existing thumbnail stays as it is."""
    pairs = list(thumbnails)
    if not pairs:
        return
    ids = {row.digest: row.id for row in session.execute(select(PreparationRow.digest, PreparationRow.id))}
    existing = set[tuple[int, int]]()
    for chunk in chunks([image_id for image_id, _ in pairs]):
        query = select(ThumbnailRow.image_id, ThumbnailRow.preparation_id).where(ThumbnailRow.image_id.in_(chunk))
        existing |= {(image_id, preparation_id) for image_id, preparation_id in session.execute(query)}
    rows = [
        {
            "image_id": image_id,
            "preparation_id": ids[thumbnail.digest],
            "width": thumbnail.width,
            "height": thumbnail.height,
            "data": thumbnail.data,
            "flat": thumbnail.flat,
        }
        for image_id, thumbnail in pairs
        if (image_id, ids[thumbnail.digest]) not in existing
    ]
    if rows:
        session.execute(bulk_insert(ThumbnailRow), rows)


def drop_thumbnails(session: Session, image_ids: Sequence[int], *, preparation_id: int) -> None:
    """Deletes the thumbnails of these images in one preparation, because they are corrupt."""
    for chunk in chunks(image_ids):
        spoiled = ThumbnailRow.image_id.in_(chunk) & (ThumbnailRow.preparation_id == preparation_id)
        session.execute(delete(ThumbnailRow).where(spoiled))


def load_thumbnails(session: Session, image_ids: Sequence[int], *, preparation_id: int) -> dict[int, bytes]:
    """The PNG of each image's thumbnail in this preparation, by image id; images without one are left out."""
    query = select(ThumbnailRow.image_id, ThumbnailRow.data).where(ThumbnailRow.preparation_id == preparation_id)
    results = (session.execute(query.where(ThumbnailRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {row.image_id: row.data for rows in results for row in rows}


def is_one_missing(session: Session, camera_id: int, *, preparation_id: int) -> bool:
    """Whether a ready image of a camera has no thumbnail in this preparation. All images of the camera may be read."""
    has_thumbnail = exists().where(ThumbnailRow.image_id == ImageRow.id, ThumbnailRow.preparation_id == preparation_id)
    query = select(ImageRow.id).where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY)
    return session.scalar(query.where(~has_thumbnail).limit(1)) is not None


def list_flat(session: Session, image_ids: Sequence[int], *, preparation_id: int) -> list[int]:
    """Those of `image_ids` whose thumbnail in this preparation is flat."""
    flat = (ThumbnailRow.preparation_id == preparation_id) & ThumbnailRow.flat
    query = select(ThumbnailRow.image_id).where(flat).order_by(ThumbnailRow.image_id)
    results = (session.scalars(query.where(ThumbnailRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return [image_id for ids in results for image_id in ids]
