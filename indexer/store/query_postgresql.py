"""Questions in SQL to a server: as a cursor in a read-only transaction, its rows bounded before they are sent.

A person's own question is put only by a role that may do nothing but read (`indexer.store.reader_roles`): a read-only
transaction keeps a question from writing, and not from what else functions do, such as ending connections.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from indexer.errors import IndexerError, UsageError
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
    """The answer; None where the question asks for no column. `user_written`: the question is a person's."""
    driver = database.engine.dialect.loaded_dbapi
    driver_sql = str(text(sql).compile(database.engine)) if values else sql
    try:
        if "\0" in sql:
            raise ValueError("it has a NUL in it")  # the driver would send what stands before it
        with database.engine.connect().execution_options(postgresql_readonly=True) as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(bounds.seconds * 1000))}")
            if user_written and (why := find_objection(connection)) is not None:
                raise UsageError(_reader_required_message(why))
            return _fetch(_detached_connection(connection), driver_sql, values or None, bounds)
    except driver.Error as problem:
        raise _translate_server_error(database, DBAPIError(None, None, problem), bounds) from problem
    except DBAPIError as problem:
        raise _translate_server_error(database, problem, bounds) from problem
    except ValueError as problem:
        raise invalid_query_error(str(problem)) from problem


def _detached_connection(connection: Connection) -> Any:
    """The driver's connection, which ends with the question: an advisory lock that it took would outlive a rollback."""
    connection.detach()
    return connection.connection.dbapi_connection


def _fetch(raw: Any, sql: str, values: Mapping[str, str | None] | None, bounds: QueryBounds) -> QueryResult | None:
    # As a named cursor psycopg sends `DECLARE … CURSOR FOR` and the question as one statement of the extended protocol:
    # nothing but a SELECT can stand there, and no second statement after it (a COMMIT would end the transaction). That
    # is for its columns and for what the server says of it: nothing is fetched, as the server gathers all that a FETCH
    # asks for before it sends the first row.
    with raw.cursor("audit") as cursor:
        cursor.execute(sql, values)
        columns = cursor.description
    if not columns:
        return None
    max_chars = bounds.row_bytes // _MAX_CHAR_BYTES // len(columns)
    types = [column.type_code for column in columns]
    # `stream` sends one statement of the extended protocol, too, and has one row at a time here; what is asked for no
    # further is cancelled. A question may change the timeout, but only that of the statement after its own.
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
    """The same question, whose values the server cuts a character after the longest that may come, or only counts.

    Whether the question is a single SELECT must be known before: it is put between brackets.
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
    """The statement without the semicolons at its end, which comments and white space may follow."""
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
    if code[:2] == "25" or code in {"0A000", "42601", "42P11"}:  # where a SELECT must stand, writing is a syntax error
        return read_only_error(message)
    if code == "57014":
        return timeout_error(bounds)
    if code[:2] in {"22", "42", "54"} or isinstance(problem.orig, database.engine.dialect.loaded_dbapi.DataError):
        return invalid_query_error(message)
    return database.translate_error(problem)
