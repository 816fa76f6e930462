"""The images of an index under the names that a person may use: number, path, camera."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.store.tables import CameraRow, ImageRow


class NamedImage(NamedTuple):
    """An image with its number, path and camera; a tuple, as there may be a million."""

    id: int
    path: str
    camera: str
    state: ImageState


def iter_named_images(session: Session) -> Iterator[NamedImage]:
    """All images of the index, in any state, oldest first."""
    query = (
        select(ImageRow.id, ImageRow.path, CameraRow.name, ImageRow.state)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .order_by(ImageRow.id)
    )
    for image_id, path, camera, state in session.execute(query).yield_per(1000):
        yield NamedImage(image_id, path, camera, ImageState(state))
