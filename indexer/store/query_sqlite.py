"""SQL queries on a SQLite index: on a second, read-only connection, with an authorizer that allows only reading.

Rows are read one at a time. The size of a row is bounded by `SQLITE_LIMIT_LENGTH`, which is a limit for one value: each
column of the result has an equal part of the limit for a row.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, cast

from sqlalchemy.exc import DBAPIError

from indexer.errors import IndexerError
from indexer.store.database import Database
from indexer.store.driver_errors import primary_code
from indexer.store.query_result import (
    QueryBounds,
    QueryResult,
    collect_result,
    invalid_query_error,
    plain_row,
    read_only_error,
    timeout_error,
    value_too_long_error,
)

_INSTRUCTIONS_PER_CHECK = 1_000  # SQLite instructions between two checks of the time


def query_file(
    database: Database, sql: str, values: Mapping[str, str | None], *, bounds: QueryBounds
) -> QueryResult | None:
    """The result of a query, which the caller must close; None if the query has no columns.

    Raises
    ------
    UsageError
        If the query would write, cannot be run or exceeds `bounds`.
    DatabaseError
        If the query takes too long, or the database fails.
    """
    max_value_bytes = bounds.row_bytes
    authorizer = _Authorizer()
    # The session must outlive the reader: a read-only connection that closes last leaves -wal and -shm files behind.
    with database.read() as session:
        session.connection()
        try:
            with _open_read_only(database.path or Path(), authorizer, bounds) as reader, ExitStack() as exit_stack:
                max_value_bytes = _limit_values(reader, sql, values, bounds)
                exit_stack.enter_context(_strict_printf(reader))
                cursor = reader.execute(sql, values)
                if cursor.description is None:
                    return None
                return collect_result(
                    (column[0] for column in cursor.description), cursor, to_plain=plain_row, bounds=bounds
                )
        except (sqlite3.Error, sqlite3.Warning, ValueError) as problem:
            if primary_code(problem) == sqlite3.SQLITE_TOOBIG:
                raise value_too_long_error(max_value_bytes, "bytes") from problem
            if authorizer.denied:  # for a function, SQLite gives no code that says this
                raise read_only_error(str(problem)) from problem
            raise _translate_sqlite_error(database, problem, bounds) from problem


def _limit_values(reader: sqlite3.Connection, sql: str, values: Mapping[str, str | None], bounds: QueryBounds) -> int:
    """Limits each value to its part of a row; returns this limit in bytes.

    The number of columns is read from the program that SQLite compiles for the query (EXPLAIN). If it has none, as for
    a pragma or a query plan, the largest possible number of columns is assumed.
    """
    reader.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, bounds.row_bytes)  # while the schema is read
    columns = reader.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
    with suppress(sqlite3.Error, sqlite3.Warning, ValueError):  # the query itself reports its error later
        program = reader.execute(f"EXPLAIN {sql}", values)
        columns = max((step[3] for step in program if step[1] == "ResultRow"), default=columns)
    max_value_bytes = bounds.row_bytes // columns
    reader.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max_value_bytes)
    return max_value_bytes


@contextmanager
def _strict_printf(reader: sqlite3.Connection) -> Iterator[None]:
    """Makes `printf` fail if its text is too long, where SQLite's own returns NULL.

    It calls SQLite's own in an empty database in memory (https://sqlite.org/src/file?name=src/func.c, printfFunc).
    """
    with closing(sqlite3.connect(":memory:")) as inner:
        inner.text_factory = reader.text_factory
        inner.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, reader.getlimit(sqlite3.SQLITE_LIMIT_LENGTH))

        def printf(*arguments: Any) -> str | None:
            (text,) = inner.execute(f"SELECT printf({', '.join('?' * len(arguments))})", arguments).fetchone()
            if text is None and arguments and arguments[0] not in {None, ""}:
                raise OverflowError  # Python passes it to SQLite as "string or blob too big"
            return cast(str | None, text)

        for name in ("printf", "format"):
            reader.create_function(name, -1, printf, deterministic=True)
        yield


@contextmanager
def _open_read_only(path: Path, authorizer: "_Authorizer", bounds: QueryBounds) -> Iterator[sqlite3.Connection]:
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=bounds.seconds, isolation_level=None)
    try:
        reader.execute("PRAGMA query_only = ON")
        reader.execute("PRAGMA trusted_schema = OFF")
        reader.text_factory = lambda stored: stored.decode(errors="backslashreplace")
        reader.set_authorizer(authorizer)
        deadline = monotonic() + bounds.seconds
        reader.set_progress_handler(lambda: monotonic() > deadline, _INSTRUCTIONS_PER_CHECK)
        yield reader
    finally:
        reader.close()


_READ_ACTIONS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_READ_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
_UNSAFE_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}


class _Authorizer:
    """Decides whether SQLite may do an action. `denied` is True once an action was refused."""

    def __init__(self) -> None:
        self.denied = False

    def __call__(self, action: int, first: str | None, second: str | None, *_where: str | None) -> int:
        """The answer on one action of a statement; https://sqlite.org/c3ref/c_alter_table.html lists them."""
        admitted = action in _READ_ACTIONS
        if action == sqlite3.SQLITE_FUNCTION:
            admitted = (second or "").lower() not in _UNSAFE_FUNCTIONS
        if action == sqlite3.SQLITE_PRAGMA:
            admitted = (first or "").lower() in _READ_PRAGMAS
        self.denied = self.denied or not admitted
        return sqlite3.SQLITE_OK if admitted else sqlite3.SQLITE_DENY


def _translate_sqlite_error(database: Database, problem: Exception, bounds: QueryBounds) -> IndexerError:
    code, message = primary_code(problem), str(problem)
    if code in {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY}:
        return read_only_error(message)
    if code == sqlite3.SQLITE_INTERRUPT:
        return timeout_error(bounds)
    if code in {None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}:
        return invalid_query_error(message)
    return database.translate_error(DBAPIError(None, None, problem))
