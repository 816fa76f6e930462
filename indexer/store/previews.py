"""The previews: small colour pictures of removed images and of their keepers.

`prune` writes them once; whatever shows images reads them. The module does not know how a preview is made.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from indexer.domain.descriptions import Preview
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.tables import PictureRow


def add_pictures(session: Session, pictures: Mapping[int, Preview]) -> bool:
    """Adds previews, by image id, for images without one. Returns False if the database did not store them.

    Previews take more space than all other rows of a removal. A full database may still have space for the other rows.
    So previews are written in a savepoint, and a failure undoes no other row of the transaction. Raises SQLAlchemy's
    `DBAPIError` if the connection is lost.
    """
    rows = [
        {"image_id": image_id, "width": picture.width, "height": picture.height, "data": picture.data}
        for image_id, picture in pictures.items()
    ]
    try:
        with session.begin_nested():
            session.execute(bulk_insert(PictureRow), rows)
    except DBAPIError as problem:
        if problem.connection_invalidated:  # the whole transaction is lost with the connection
            raise
        return False
    return True


def list_images_with_picture(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of `image_ids` that have a preview."""
    return {
        image_id
        for chunk in chunks(image_ids)
        for image_id in session.scalars(select(PictureRow.image_id).where(PictureRow.image_id.in_(chunk)))
    }


def load_pictures(session: Session, image_ids: Sequence[int]) -> dict[int, Preview]:
    """The previews of these images, by image id; images without one are left out."""
    return {
        row.image_id: Preview(row.height, row.width, row.data)
        for chunk in chunks(image_ids)
        for row in session.scalars(select(PictureRow).where(PictureRow.image_id.in_(chunk)))
    }
