"""Checks an index on PostgreSQL: every database index and constraint of the tables exists and is valid.

Valid constraints imply valid references. It does not check pages: a server has checksums and `pg_amcheck` for that.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import IdentifierPreparer

from indexer.store.tables import Base

_CONSTRAINTS = text(
    "SELECT conname, conrelid::regclass::text, convalidated FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace"
)
_INDEXES = text(
    "SELECT relname, indrelid::regclass::text, indisvalid AND indisready FROM pg_index "
    "JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = current_schema()::regnamespace"
)


def iter_server_problems(session: Session) -> Iterator[str]:
    """One sentence for each problem: first invalid indexes, then invalid constraints, then what is missing.

    Each group is sorted by name.
    """
    constraints = {name: (table, valid) for name, table, valid in session.execute(_CONSTRAINTS)}
    indexes = {name: (table, valid) for name, table, valid in session.execute(_INDEXES)}
    for name, (table, valid) in sorted(indexes.items()):
        if not valid:
            yield f"index {name} of {table} is not usable; type in psql: REINDEX INDEX {name}"
    for name, (table, valid) in sorted(constraints.items()):
        if not valid:
            yield (
                f"constraint {name} of {table} was not checked; "
                f"type in psql: ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
            )
    for name, message in sorted(_missing_messages(session.get_bind().dialect.identifier_preparer).items()):
        if name not in constraints and name not in indexes:
            yield message


def _missing_messages(preparer: IdentifierPreparer) -> dict[str, str]:
    """The message for each index and constraint of the tables if it is missing, by its name in the database."""
    messages: dict[str, str] = {}
    for table in Base.metadata.tables.values():
        indexes = {str(preparer.format_index(index)): "index" for index in table.indexes}
        constraints = {str(preparer.format_constraint(constraint)): "constraint" for constraint in table.constraints}
        messages |= {
            name: f"{kind} {name} of {table.name} is missing" for name, kind in (indexes | constraints).items()
        }
    return messages
