"""The identity of an index: an id that no other index has, not even one that `db copy` made from it.

A copy of the file of an index has the same id; the tokens of its runs tell the two apart.
"""

import secrets

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import Session

from indexer.store.tables import IdentityRow


def make_token() -> str:
    """A new token: 32 random hexadecimal digits, unique for all practical purposes."""
    return secrets.token_hex(16)


def get_index_id(session: Session) -> str:
    """The id of the index: 32 hexadecimal digits."""
    return session.execute(select(IdentityRow.id)).scalar_one()


def get_copied_from(session: Session) -> str | None:
    """The id of the index that this one was copied from; None if it is no copy."""
    return session.execute(select(IdentityRow.copied_from)).scalar_one()


def ensure_identity(connection: Connection) -> None:
    """Gives the index an id if it has none."""
    if connection.scalar(select(IdentityRow.id)) is None:
        connection.execute(insert(IdentityRow).values(id=make_token()))


def make_identity_of_copy(connection: Connection, *, copied_from: str | None) -> None:
    """Gives a copy its own id, and notes the id of the index that it was copied from."""
    connection.execute(delete(IdentityRow))
    connection.execute(insert(IdentityRow).values(id=make_token(), copied_from=copied_from))
