"""Twins: captures of one camera within a second of each other under two forms of name; the view `audit_twins`.

Twins are only shown: they stay two captures, and no decision depends on them.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.store.columns import PathText, UtcDateTime
from indexer.store.tables import ImageRow


@dataclass(frozen=True)
class Twin:
    """A twin of an image; `apart_s` is the time between the two in seconds."""

    image_id: int
    path: str
    state: ImageState
    apart_s: float


def list_twins(session: Session, image_id: int) -> tuple[Twin, ...]:
    """The twins of an image, the nearest in time first; none for an image without a capture time."""
    at = session.scalar(select(ImageRow.captured_at).where(ImageRow.id == image_id))
    if at is None:
        return ()
    parameters = {"id": image_id, "earlier": at - _SEARCH_WINDOW, "later": at + _SEARCH_WINDOW}
    return tuple(
        Twin(row.id, row.path, ImageState(row.state), row.apart_s) for row in session.execute(_TWINS, parameters)
    )


_SEARCH_WINDOW = timedelta(
    seconds=2
)  # the view has its own bound; with literal times a server can estimate how few images match


# Two queries, not one with OR: for that SQLite would read every image.
_TWINS = (
    text(
        """
    SELECT image_b_id AS id, image_b_path AS path, state_b AS state, apart_s FROM audit_twins
    WHERE image_a_id = :id AND captured_b_at BETWEEN :earlier AND :later
    UNION ALL
    SELECT image_a_id, image_a_path, state_a, apart_s FROM audit_twins
    WHERE image_b_id = :id AND captured_a_at BETWEEN :earlier AND :later
    ORDER BY apart_s, id
    """
    )
    .bindparams(bindparam("earlier", type_=UtcDateTime()), bindparam("later", type_=UtcDateTime()))
    .columns(path=PathText())
)
