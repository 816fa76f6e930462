"""Which images are always kept: those that a person pinned, the keepers of removed images, and the witnesses of spans.

A pin that a person set can be listed and withdrawn; that of a keeper ends when all its removed images are back. The
frames of a span were never stored, so the pin of its witness lasts as long as the span.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import SQLCoreOperations

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.store.bulk import chunks
from indexer.store.tables import CameraRow, ImageRow, PinRow, RemovalRow, SpanRow

UNRESTORED = (RemovalState.PLANNED, RemovalState.QUARANTINED, RemovalState.DELETED, RemovalState.PURGED)


@dataclass(frozen=True)
class Pin:
    """A person's pin that holds. `reason` is the command that set it, `pin` or `restore`; `run_id` is its run."""

    image_id: int
    path: str
    camera: str
    state: str
    reason: str
    pinned_at: datetime
    run_id: int


def is_pinned(image_id: InstrumentedAttribute[int] | SQLCoreOperations[int]) -> ColumnElement[bool]:
    """The SQL condition that an image is pinned: by a person, as the keeper of a removed image, or as a witness."""
    return or_(
        is_pinned_without_removals(image_id),
        exists().where(RemovalRow.keeper_id == image_id, RemovalRow.state.in_(UNRESTORED)),
    )


def is_pinned_without_removals(image_id: InstrumentedAttribute[int] | SQLCoreOperations[int]) -> ColumnElement[bool]:
    """The SQL condition that an image is pinned by a person or as a witness: so it would be if none was removed."""
    return or_(is_pinned_by_person(image_id), is_witness_of_span(image_id))


def is_witness_of_span(image_id: InstrumentedAttribute[int] | SQLCoreOperations[int]) -> ColumnElement[bool]:
    """The SQL condition that an image stands for frames of a video that were not stored."""
    return exists().where(SpanRow.image_id == image_id)


def is_pinned_by_person(image_id: InstrumentedAttribute[int] | SQLCoreOperations[int]) -> ColumnElement[bool]:
    """The SQL condition that a person's pin holds."""
    return exists().where(PinRow.image_id == image_id, PinRow.unpinned_at.is_(None))


def add_pin(session: Session, image_id: int, *, reason: str, at: datetime, run_id: int) -> bool:
    """Pins an image for a person. Returns False if a person's pin holds already; then nothing changes."""
    active_pin = select(PinRow.id).where(PinRow.image_id == image_id, PinRow.unpinned_at.is_(None))
    if session.scalar(active_pin) is not None:
        return False
    session.execute(insert(PinRow).values(image_id=image_id, reason=reason, pinned_at=at, run_id=run_id))
    return True


def withdraw_pin(session: Session, image_id: int, *, at: datetime) -> bool:
    """Withdraws a person's pin. Returns False if none holds."""
    is_active = (PinRow.image_id == image_id) & PinRow.unpinned_at.is_(None)
    return (
        session.execute(update(PinRow).where(is_active).values(unpinned_at=at).returning(PinRow.id)).first() is not None
    )


def list_pinned(session: Session, image_ids: Sequence[int]) -> frozenset[int]:
    """Those of a few images on which a person's pin holds."""
    query = select(PinRow.image_id).where(PinRow.image_id.in_(image_ids), PinRow.unpinned_at.is_(None))
    return frozenset(session.scalars(query))


def list_always_kept(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of the images that are present and pinned: by a person, as a keeper of removed images, or as a witness."""
    kept = set[int]()
    for part in chunks(image_ids):
        query = select(ImageRow.id).where(ImageRow.id.in_(part), ImageRow.state == ImageState.READY)
        kept.update(session.scalars(query.where(is_pinned(ImageRow.id))))
    return kept


def list_pins(session: Session, *, run_id: int | None = None, camera: str | None = None) -> list[Pin]:
    """The pins of persons that hold, by camera and path; of one run or one camera, if these are given."""
    query = (
        select(
            ImageRow.id,
            ImageRow.path,
            CameraRow.name,
            ImageRow.state,
            PinRow.reason,
            PinRow.pinned_at,
            PinRow.run_id,
        )
        .join(ImageRow, ImageRow.id == PinRow.image_id)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(PinRow.unpinned_at.is_(None))
        .order_by(CameraRow.name, ImageRow.path)
    )
    query = query if run_id is None else query.where(PinRow.run_id == run_id)
    query = query if camera is None else query.where(CameraRow.name == camera)
    return [Pin(*row) for row in session.execute(query)]


def count_pins(session: Session) -> int:
    """The number of images that a person pinned."""
    return session.scalar(select(func.count()).select_from(PinRow).where(PinRow.unpinned_at.is_(None))) or 0
