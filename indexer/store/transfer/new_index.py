"""A new index that is filled with the rows of another: whole at the end, or not there at all.

It promises that nothing is written over, that the new index has the writer's right to itself, and that a cut leaves
none that looks whole, whatever cuts: Ctrl-C, a full disk, SIGKILL, power.

Decision: the tables and all rows are one transaction, on SQLite too: its journal of a transaction that makes a file
is a few pages, as only pages that were there before go into it, and the next to open a file that was cut off finds it
empty. A second file, renamed at the end, would say the same in more words. Enforced by
tests/store/transfer/test_new_index.py.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from indexer.domain.profiles import BUILT_IN
from indexer.errors import DatabaseError
from indexer.store.database import Database
from indexer.store.index_identity import make_identity_of_copy
from indexer.store.locks.postgresql import lock_schema
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import (
    SchemaState,
    create_database_file,
    migrate,
    refusal_message,
    resolve_database,
    schema_state,
)
from indexer.store.tables import Base, ProfileRow
from indexer.store.transfer.rows import count_rows, list_tables

_LAYERS = ("profiles", "scorings", "preparations")  # each before those that it refers to


@contextmanager
def create_index(
    name: str, *, since: datetime, copied_from: str | None = None
) -> Iterator[tuple[Database, Connection]]:
    """An index of the current shape without a row, made at that URL or path, and the connection that fills it.

    What was put in is there when the block ends; if it fails, nothing is. It has an id of its own; `copied_from`: that
    of the index whose rows it gets.
    """
    with (
        closing(resolve_database(name, create=True)) as database,
        writer_lock(database, command="db copy", since=since),
    ):
        path = database.path
        is_new = path is not None and not path.exists()
        try:
            create_database_file(database)
            with database.write_connection() as connection:
                lock_schema(connection)
                _make_empty(database, connection)
                make_identity_of_copy(connection, copied_from=copied_from)
                yield database, connection
                _finish_on_server(connection)
            database.use_write_ahead_log()
        except BaseException:
            if is_new and path is not None:
                _remove_empty_file(database, path)
            raise


def _make_empty(database: Database, connection: Connection) -> None:
    """Tables without a row: made, or found with nothing in them but the built-in profiles."""
    state = schema_state(connection)
    if state is SchemaState.EMPTY:
        migrate(connection)
    elif state is not SchemaState.CURRENT:
        raise DatabaseError(refusal_message(database, state))
    elif not _is_unused(connection):
        raise DatabaseError(f"database {database.name} is an index with rows already; name a new one to copy into")
    for layer in _LAYERS:
        connection.execute(text(f"DELETE FROM {layer}"))


def _is_unused(connection: Connection) -> bool:
    names = set(connection.scalars(text(f"SELECT name FROM {ProfileRow.__tablename__}")))
    rest = (name for name in list_tables() if name not in _LAYERS)
    return names <= {profile.name for profile in BUILT_IN} and not any(count_rows(connection, name) for name in rest)


def _finish_on_server(connection: Connection) -> None:
    """Makes PostgreSQL number new rows after those that came with their numbers, and know how many there are."""
    if connection.dialect.name != "postgresql":
        return
    for name in list_tables():
        if "id" in Base.metadata.tables[name].columns:
            highest = f"(SELECT MAX(id) FROM {name})"
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, COALESCE({highest}, 1), {highest} IS NOT NULL)"))
        # Without it the server takes large tables for small ones until its own housekeeping has come by.
        connection.execute(text(f"ANALYZE {name}"))


def _remove_empty_file(database: Database, path: Path) -> None:
    """Removes a file that was begun here, once it holds nothing."""
    database.close()
    if path.exists() and path.stat().st_size == 0:
        path.unlink()
