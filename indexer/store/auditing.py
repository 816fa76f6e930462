"""Questions to the memory in SQL: the ready-made ones of `audits/*.sql`, and a person's own.

It promises that a question changes nothing, whatever it says: the database refuses, not a look at the words. SQLite is
opened read-only once more, and an authorizer admits nothing but reading; a server gets the question as a cursor in a
read-only transaction. It does not know how an answer is shown.

A file of `audits` opens with one sentence that says what it shows, then a line for each of its parameters:
`-- :name what it is [default]`; `[]` is NULL, without brackets a value must be given. One that the SQL casts to INTEGER
is a whole number; for one called `image` a path will do.

Answers are plain values. Times are text as SQLite stores them (UTC, `2026-01-31 12:00:00.000000`) on every database,
so that they can be typed into the next question; paths are as stored (a file URI if not UTF-8); bytes are counted.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from indexer.errors import DatabaseProblem, IndexerError, UsageProblem
from indexer.escaping import command_line
from indexer.store.database import Database
from indexer.store.stories import get_image_id

AUDITS = Path(__file__).parent / "audits"
TIMEOUT_S = 30.0
_ALL = 10**9

_PARAMETER = re.compile(r"-- :(?P<name>\w+) (?P<description>[^\[]*[^\[ ])(?: \[(?P<default>.*)\])?")
_LONGEST_VALUE_BYTES = 100_000_000  # of text or bytes: what SQLite may build within one answer
_TICK = 1_000  # SQLite instructions between two looks at the clock


@dataclass(frozen=True)
class Parameter:
    """A value that a ready-made query asks for; not required and no default: NULL."""

    name: str
    description: str
    default: str | None
    required: bool


@dataclass(frozen=True)
class Audit:
    """A ready-made query: its title says what it shows."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    sql: str


@dataclass(frozen=True)
class Table:
    """An answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def list_audits() -> list[Audit]:
    """The ready-made queries, by name."""
    return [_read_audit(file) for file in sorted(AUDITS.glob("*.sql"))]


def get_audit(name: str) -> Audit:
    """The ready-made query of that name."""
    audits = {audit.name: audit for audit in list_audits()}
    if name not in audits:
        raise UsageProblem(f"there is no audit {name!r}; there are {', '.join(audits)}")
    return audits[name]


def run_audit(database: Database, name: str, parameters: Mapping[str, str]) -> Table:
    """What a ready-made query answers, with these values for its parameters."""
    audit = get_audit(name)
    known = [parameter.name for parameter in audit.parameters]
    for given in parameters:
        if given not in known:
            raise UsageProblem(f"audit {name} has no parameter {given!r}; it has {', '.join(known) or 'none'}")
    values = {parameter.name: _value(database, audit, parameter, parameters) for parameter in audit.parameters}
    return _ask(database, audit.sql, values, timeout_s=TIMEOUT_S, max_rows=None)


def count_rows(session: Session, name: str) -> int:
    """The number of rows that a ready-made query has when none is cut off."""
    sql = f"SELECT COUNT(*) FROM ({get_audit(name).sql}) AS answer"
    return int(session.execute(text(sql), {"limit": _ALL}).scalar_one())


def run_sql(database: Database, sql: str, *, timeout_s: float = TIMEOUT_S, max_rows: int | None = None) -> Table:
    """What a person's own question answers: one statement, which may only read."""
    return _ask(database, sql, {}, timeout_s=timeout_s, max_rows=max_rows)


def _read_audit(file: Path) -> Audit:
    lines = file.read_text(encoding="utf-8").splitlines()
    height = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    title = " ".join(line.removeprefix("--").strip() for line in lines[:height] if not line.startswith("-- :"))
    found = [_PARAMETER.fullmatch(line) for line in lines[:height]]
    parameters = tuple(
        Parameter(match["name"], match["description"], match["default"] or None, match["default"] is None)
        for match in found
        if match is not None
    )
    return Audit(file.stem, title, parameters, "\n".join(lines[height:]))


def _value(database: Database, audit: Audit, parameter: Parameter, given: Mapping[str, str]) -> str | None:
    """The value to bind for a parameter."""
    name, value = parameter.name, given.get(parameter.name, parameter.default)
    if value is None:
        if parameter.required:
            raise UsageProblem(
                f"audit {audit.name} needs {parameter.description}; type: "
                f"{command_line('audit', audit.name, f'{name}=VALUE')}"
            )
        return None
    if name == "image":
        with database.read() as session:
            return str(get_image_id(session, value))
    if f"CAST(:{name} AS INTEGER)" in audit.sql and not re.fullmatch("[0-9]{1,9}", value):
        raise UsageProblem(f"audit {audit.name}: {name} is {value!r}; give a whole number")
    return value


def _ask(
    database: Database, sql: str, values: Mapping[str, str | None], *, timeout_s: float, max_rows: int | None
) -> Table:
    ask = _ask_server if database.path is None else _ask_file
    table = ask(database, sql, values, timeout_s=timeout_s, max_rows=max_rows)
    if table is None:
        raise UsageProblem("the query asks for nothing; type for example: SELECT * FROM audit_cameras")
    return table


def _ask_file(
    database: Database, sql: str, values: Mapping[str, str | None], *, timeout_s: float, max_rows: int | None
) -> Table | None:
    # The session outlives the reader: whoever closes a database last and may only read leaves its -wal and -shm behind.
    with database.read() as session:
        session.connection()
        try:
            with _reader(database.path or Path(), timeout_s=timeout_s) as reader:
                cursor = reader.execute(sql, values)
                if cursor.description is None:
                    return None
                rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows)
        except (sqlite3.Error, sqlite3.Warning, ValueError) as problem:
            raise _said_by_file(database, problem, timeout_s=timeout_s) from problem
    return Table(tuple(column[0] for column in cursor.description), tuple(map(_plain_row, rows)))


@contextmanager
def _reader(path: Path, *, timeout_s: float) -> Iterator[sqlite3.Connection]:
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=timeout_s, isolation_level=None)
    try:
        reader.execute("PRAGMA query_only = ON")
        reader.execute("PRAGMA trusted_schema = OFF")
        reader.text_factory = lambda stored: stored.decode(errors="backslashreplace")
        reader.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE_BYTES)
        reader.set_authorizer(_authorize)
        deadline = monotonic() + timeout_s
        reader.set_progress_handler(lambda: monotonic() > deadline, _TICK)
        yield reader
    finally:
        reader.close()


_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_READING_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
_UNSAFE_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}


def _authorize(action: int, first: str | None, second: str | None, *_where: str | None) -> int:
    """Whether SQLite may do one step of a statement; https://sqlite.org/c3ref/c_alter_table.html lists them."""
    admitted = action in _READING
    if action == sqlite3.SQLITE_FUNCTION:
        admitted = (second or "").lower() not in _UNSAFE_FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        admitted = (first or "").lower() in _READING_PRAGMAS
    return sqlite3.SQLITE_OK if admitted else sqlite3.SQLITE_DENY


def _said_by_file(database: Database, problem: Exception, *, timeout_s: float) -> IndexerError:
    code = getattr(problem, "sqlite_errorcode", None)
    said = str(problem)
    if code in {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY} or re.search("authoriz|prohibited", said):
        return _only_reads(said)
    if code == sqlite3.SQLITE_INTERRUPT:
        return _too_slow(timeout_s)
    if code in {None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH}:
        return _not_understood(said)
    return database.problem(DBAPIError(None, None, problem))


def _ask_server(
    database: Database, sql: str, values: Mapping[str, str | None], *, timeout_s: float, max_rows: int | None
) -> Table | None:
    # As a named cursor psycopg sends `DECLARE … CURSOR FOR` and the question as one statement of the extended protocol:
    # nothing but a SELECT can stand there, and no second statement after it (a COMMIT would end the transaction). All
    # rows come by one FETCH: a question may change the timeout, but only that of the statement after its own.
    driver = database.engine.dialect.loaded_dbapi
    said = str(text(sql).compile(database.engine)) if values else sql
    limit = f"SET LOCAL statement_timeout = {max(1, int(timeout_s * 1000))}"
    try:
        if "\0" in sql:
            raise ValueError("it has a NUL in it")  # the driver would send what stands before it
        with database.engine.connect().execution_options(postgresql_readonly=True) as connection:
            connection.exec_driver_sql(limit)
            with _only_for_this(connection).cursor("audit") as cursor:
                cursor.execute(said, values or None)
                rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows)
                return Table(tuple(column.name for column in cursor.description), tuple(map(_plain_row, rows)))
    except driver.Error as problem:
        raise _said_by_server(database, DBAPIError(None, None, problem), timeout_s=timeout_s) from problem
    except DBAPIError as problem:
        raise _said_by_server(database, problem, timeout_s=timeout_s) from problem
    except ValueError as problem:
        raise _not_understood(str(problem)) from problem


def _only_for_this(connection: Connection) -> Any:
    """The driver's connection, which ends with the question: an advisory lock that it took would outlive a rollback."""
    connection.detach()
    return connection.connection.dbapi_connection


def _said_by_server(database: Database, problem: DBAPIError, *, timeout_s: float) -> IndexerError:
    """One sentence for a code of https://www.postgresql.org/docs/current/errcodes-appendix.html."""
    code = str(getattr(problem.orig, "sqlstate", None) or "")
    said = str(problem.orig).splitlines()[0]
    if code[:2] == "25" or code in {"0A000", "42601", "42P11"}:  # where a SELECT must stand, writing is a syntax error
        return _only_reads(said)
    if code == "57014":
        return _too_slow(timeout_s)
    if code[:2] in {"22", "42", "54"} or isinstance(problem.orig, database.engine.dialect.loaded_dbapi.DataError):
        return _not_understood(said)
    return database.problem(problem)


def _only_reads(said: str) -> UsageProblem:
    return UsageProblem(f"audit --sql only reads, with one SELECT statement ({said})")


def _too_slow(timeout_s: float) -> IndexerError:
    return DatabaseProblem(f"the query took longer than {timeout_s:g} s; ask for less of it")


def _not_understood(said: str) -> UsageProblem:
    return UsageProblem(f"the query cannot be run: {said}")


def _plain_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(_plain, row))


def _plain(value: Any) -> Any:
    """A value that any page or JSON can show."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
