"""The small colour pictures of images that were removed or stand for one. `prune` writes them once; those who show look
here. Where a picture comes from is not known here."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from indexer.imaging.previews import Preview
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.tables import PictureRow


def add_pictures(session: Session, pictures: Mapping[int, Preview]) -> bool:
    """Whether the pictures of images that have none, by image id, could be kept.

    They take more room than all else that a removal writes: where a database is full of them, it is not full for what
    the transaction writes besides. Nothing that it wrote before is lost if they cannot be kept.
    """
    rows = [
        {"image_id": image_id, "width": picture.width, "height": picture.height, "data": picture.data}
        for image_id, picture in pictures.items()
    ]
    try:
        with session.begin_nested():
            session.execute(bulk_insert(PictureRow), rows)
    except DBAPIError as problem:
        if problem.connection_invalidated:  # with it went all that the transaction wrote
            raise
        return False
    return True


def list_images_with_picture(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of these images that have a picture."""
    return {
        image_id
        for chunk in chunks(image_ids)
        for image_id in session.scalars(select(PictureRow.image_id).where(PictureRow.image_id.in_(chunk)))
    }


def load_pictures(session: Session, image_ids: Sequence[int]) -> dict[int, Preview]:
    """The picture of each of these images, by image id; those without one are left out."""
    return {
        row.image_id: Preview(row.height, row.width, row.data)
        for chunk in chunks(image_ids)
        for row in session.scalars(select(PictureRow).where(PictureRow.image_id.in_(chunk)))
    }
