"""What the index has for labels to be held against: the images by all their names, and the decisions that hold."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.domain.images import State
from indexer.store.tables import CameraRow, DecisionRow, ImageRow


class NamedImage(NamedTuple):
    """An image under all its names; a tuple, as there may be a million."""

    id: int
    path: str
    camera: str
    state: State


def iter_names(session: Session) -> Iterator[NamedImage]:
    """Every image of the index, whatever its state, oldest first."""
    query = (
        select(ImageRow.id, ImageRow.path, CameraRow.name, ImageRow.state)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .order_by(ImageRow.id)
    )
    for image_id, path, camera, state in session.execute(query).yield_per(1000):
        yield NamedImage(image_id, path, camera, State(state))


def list_keepers(session: Session, camera: str) -> dict[int, int | None]:
    """The decisions that hold on the present and the removed images of a camera: the keeper's id, None for what is
    kept."""
    query = (
        select(DecisionRow.image_id, DecisionRow.keeper_id)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(
            CameraRow.name == camera,
            ImageRow.state.in_([State.READY, State.REMOVED]),
            DecisionRow.superseded_at.is_(None),
        )
    )
    return {image_id: keeper_id for image_id, keeper_id in session.execute(query)}
