"""Which images are always kept: those that a person pinned, and the keepers of removed images."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import SQLCoreOperations

from indexer.domain.removal import RemovalState
from indexer.store.tables import PinRow, RemovalRow

UNRESTORED = (RemovalState.PLANNED, RemovalState.QUARANTINED, RemovalState.DELETED, RemovalState.PURGED)


def is_pinned(image_id: InstrumentedAttribute[int] | SQLCoreOperations[int]) -> ColumnElement[bool]:
    """The SQL condition that an image is pinned, by a person or as the keeper of a removed image."""
    return or_(
        is_pinned_by_person(image_id),
        exists().where(RemovalRow.keeper_id == image_id, RemovalRow.state.in_(UNRESTORED)),
    )


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
