"""Twins: captures of one camera within a second of each other under two forms of name; the view `audit_twins`.

They are labelled and nothing more: two captures, and no decision.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.domain.images import State
from indexer.store.columns import PathText


@dataclass(frozen=True)
class Twin:
    """A twin of an image, and how far apart in time the two are."""

    image_id: int
    path: str
    state: State
    apart_s: float


def list_twins(session: Session, image_id: int) -> tuple[Twin, ...]:
    """The twins of an image, the nearest first."""
    return tuple(
        Twin(row.id, row.path, State(row.state), row.apart_s) for row in session.execute(_TWINS, {"id": image_id})
    )


# Two questions and not one with OR, which SQLite would answer by looking at every image.
_TWINS = text(
    """
    SELECT image_b_id AS id, image_b_path AS path, state_b AS state, apart_s FROM audit_twins WHERE image_a_id = :id
    UNION ALL
    SELECT image_a_id, image_a_path, state_a, apart_s FROM audit_twins WHERE image_b_id = :id
    ORDER BY apart_s, id
    """
).columns(path=PathText())
