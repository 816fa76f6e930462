"""SQL queries on PostgreSQL: run in a read-only transaction, with rows that are bounded before the server sends them.

A person's own query only runs as a role that may do nothing but read (`indexer.store.reader_roles`): a read-only
transaction stops a query from writing, but not from other effects of functions, such as ending connections.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from indexer.errors import DatabaseError, IndexerError
from indexer.escaping import command_line
from indexer.store.database import Database
from indexer.store.query_result import (
    QueryBounds,
    QueryResult,
    collect_result,
    format_byte_count,
    invalid_query_error,
    plain_row,
    read_only_error,
    timeout_error,
    value_too_long_error,
)
from indexer.store.reader_roles import find_objection

# Types by https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat; those of a fixed size are
# bool, int8, int2, int4, oid, float4, float8, date, timestamp, timestamptz
_FIXED_SIZE = {16, 20, 21, 23, 26, 700, 701, 1082, 1114, 1184}
_BYTEA, _NUMERIC = 17, 1700
_MAX_CHAR_BYTES = 4  # bytes of a character in UTF-8

_TOKEN = re.compile(
    r"""(?P<nothing> \s+ | --[^\n]* | /\*.*?\*/ )
    | [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?P<end>;) | \w+ | .""",
    re.VERBOSE | re.DOTALL,
)


def query_server(
    database: Database, sql: str, values: Mapping[str, str | None], *, bounds: QueryBounds, user_written: bool
) -> QueryResult | None:
    """The result of a query, which the caller must close; None if the query has no columns.

    `user_written`: a person wrote the query, so the role of the connection is checked.

    Raises
    ------
    UsageError
        If the query would write, cannot be run or exceeds `bounds`.
    DatabaseError
        If the query takes too long, if the role may do more than read, or if the database fails.
    """
    driver = database.engine.dialect.loaded_dbapi
    driver_sql = str(text(sql).compile(database.engine)) if values else sql
    try:
        if "\0" in sql:
            raise ValueError("it has a NUL in it")  # the driver would send only the text before it
        with database.engine.connect().execution_options(postgresql_readonly=True) as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(bounds.seconds * 1000))}")
            connection.exec_driver_sql("SET LOCAL jit = off")  # seconds, for a query that then takes a tenth of one
            if user_written and (why := find_objection(connection)) is not None:
                raise DatabaseError(_reader_required_message(why))
            raw = _detached_connection(connection)
            try:
                return _fetch(raw, driver_sql, values or None, bounds)
            except driver.Error as problem:
                raise DBAPIError(None, None, problem, connection_invalidated=raw.closed) from problem
    except DBAPIError as problem:
        raise _translate_server_error(database, problem, bounds) from problem
    except ValueError as problem:
        raise invalid_query_error(str(problem)) from problem


def _detached_connection(connection: Connection) -> Any:
    """The driver's connection, taken out of the pool so that it is closed after the query.

    A session advisory lock that the query takes would outlive a rollback.
    """
    connection.detach()
    return connection.connection.dbapi_connection


def _fetch(raw: Any, sql: str, values: Mapping[str, str | None] | None, bounds: QueryBounds) -> QueryResult | None:
    # With a named cursor psycopg sends `DECLARE … CURSOR FOR` and the query as one statement of the extended protocol.
    # Only a SELECT is valid there, and no second statement may follow, such as a COMMIT that ends the transaction. This
    # step gives the columns and the server's errors. No row is fetched from this cursor, because the server collects
    # all rows of a FETCH before it sends the first.
    with raw.cursor("audit") as cursor:
        cursor.execute(sql, values)
        columns = cursor.description
    if not columns:
        return None
    max_chars = bounds.row_bytes // _MAX_CHAR_BYTES // len(columns)
    types = [column.type_code for column in columns]
    # `stream` also sends one statement of the extended protocol. It keeps one row at a time in memory, and cancels the
    # query if it is closed early. A query may change the timeout, but only for the next statement.
    with raw.cursor() as cursor, closing(cursor.stream(_bounded_query(sql, types, max_chars), values)) as rows:
        return collect_result(
            (column.name for column in columns),
            rows,
            to_plain=lambda row: plain_row(
                tuple(_checked_value(value, kind, max_chars) for value, kind in zip(row, types, strict=True))
            ),
            bounds=bounds,
        )


def _bounded_query(sql: str, types: Sequence[int], max_chars: int) -> str:
    """The same query with bounded values: the server cuts text one character after `max_chars`, and counts bytes.

    The caller must know that the query is a single SELECT, as it is put between parentheses.
    """
    names = [f"c{number}" for number in range(len(types))]
    values = [_bounded_value(name, kind, max_chars) for name, kind in zip(names, types, strict=True)]
    return f"SELECT {', '.join(values)} FROM (\n{_without_semicolon(sql)}\n) AS q({', '.join(names)})"


def _bounded_value(name: str, kind: int, max_chars: int) -> str:
    if kind in _FIXED_SIZE:
        return name
    if kind == _BYTEA:
        return f"pg_catalog.octet_length({name})"
    return f'pg_catalog."left"(CAST({name} AS text), {max_chars + 1})'


def _checked_value(value: Any, kind: int, max_chars: int) -> Any:
    if kind == _BYTEA and value is not None:
        return format_byte_count(value)
    if isinstance(value, str) and len(value) > max_chars:
        raise value_too_long_error(max_chars, "characters")
    return Decimal(value) if kind == _NUMERIC and value is not None else value


def _without_semicolon(sql: str) -> str:
    """The statement without the semicolons at its end, even if comments and white space follow them."""
    cuts: list[int] = []
    for token in _TOKEN.finditer(sql):
        if token["end"]:
            cuts.append(token.start())
        elif not token["nothing"]:
            cuts.clear()
    return "".join(" " if position in cuts else character for position, character in enumerate(sql)) if cuts else sql


def _reader_required_message(why: str) -> str:
    return (
        f"audit --sql on a server is for a role that can only read, and {why}; "
        f"make one with: {command_line('db', 'make-reader', 'NAME')}"
    )


def _translate_server_error(database: Database, problem: DBAPIError, bounds: QueryBounds) -> IndexerError:
    """One sentence for a code of https://www.postgresql.org/docs/current/errcodes-appendix.html."""
    code = str(getattr(problem.orig, "sqlstate", None) or "")
    message = str(problem.orig).splitlines()[0]
    if code[:2] == "25" or code in {"0A000", "42601", "42P11"}:  # writing in place of the SELECT is a syntax error
        return read_only_error(message)
    if code == "57014":
        return timeout_error(bounds)
    if code[:2] in {"22", "42", "54"} or isinstance(problem.orig, database.engine.dialect.loaded_dbapi.DataError):
        return invalid_query_error(message)
    return database.translate_error(problem)
