"""Twins: captures of one camera within a second of each other under two forms of name; the view `audit_twins`.

Twins are only shown: they stay two captures, and no decision depends on them. Triggers of the database note them as
images come and change (migrations 0021 and 0022), so that whoever lists them reads no other image.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.store.columns import PathText


@dataclass(frozen=True)
class Twin:
    """A twin of an image; `apart_s` is the time between the two in seconds."""

    image_id: int
    path: str
    state: ImageState
    apart_s: float


def list_twins(session: Session, image_id: int) -> tuple[Twin, ...]:
    """The twins of an image, the nearest in time first."""
    rows = session.execute(_TWINS, {"id": image_id})
    return tuple(Twin(row.id, row.path, ImageState(row.state), row.apart_s) for row in rows)


# Two queries, not one with OR: for that SQLite would read every twin.
_TWINS = text(
    """
    SELECT image_b_id AS id, image_b_path AS path, state_b AS state, apart_s FROM audit_twins WHERE image_a_id = :id
    UNION ALL
    SELECT image_a_id, image_a_path, state_a, apart_s FROM audit_twins WHERE image_b_id = :id
    ORDER BY apart_s, id
    """
).columns(path=PathText())
