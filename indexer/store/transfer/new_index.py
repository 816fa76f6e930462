"""A new index that is filled with the rows of another: complete at the end, or not there at all.

It promises that

- nothing is overwritten;
- this command holds the writer lock of the new index; and
- an interruption (Ctrl-C, a full disk, SIGKILL, a power failure) never leaves an index that looks complete.

Decision 0029: the tables and all rows are written in one transaction, on SQLite too.
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

_LAYERS = ("profiles", "scorings", "preparations")  # each table before those it refers to


@contextmanager
def create_index(
    name: str, *, since: datetime, copied_from: str | None = None
) -> Iterator[tuple[Database, Connection]]:
    """A new index without rows at that URL or path, with the current schema, and a connection to fill it.

    The rows are committed when the block ends. If the block fails, the database is as it was before, and a new file is
    removed. The index gets its own id; `copied_from` is the id of the index that the rows come from.

    Raises
    ------
    DatabaseError
        If there is an index with rows or with another schema, or if the database cannot be made, locked or written.
    UsageError
        If the URL cannot be read.
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
    """Makes tables without rows; empties existing tables that hold only the built-in profiles.

    Raises `DatabaseError` for a database with rows, or with another schema.
    """
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
    """Sets PostgreSQL's id sequences after the copied ids, and updates the statistics of its query planner."""
    if connection.dialect.name != "postgresql":
        return
    for name in list_tables():
        if "id" in Base.metadata.tables[name].columns:
            highest = f"(SELECT MAX(id) FROM {name})"
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, COALESCE({highest}, 1), {highest} IS NOT NULL)"))
        # Without it the server plans as if large tables were small, until autovacuum has run.
        connection.execute(text(f"ANALYZE {name}"))


def _remove_empty_file(database: Database, path: Path) -> None:
    """Removes the file that was made here, if it is empty."""
    database.close()
    if path.exists() and path.stat().st_size == 0:
        path.unlink()
