"""SQL queries on the index: the ready-made ones of `audits/*.sql`, and a person's own.

It promises that no query changes anything. The database itself refuses to write; the text of a query is not inspected.
SQLite gets a second, read-only connection with an authorizer that allows only reading. A server runs the query in a
read-only transaction, and a person's own query only as a role that may do nothing but read. The module also promises
that the rows and the bytes of a result are bounded. It does not know how a result is shown.

A file of `audits` begins with one sentence that says what it shows, then has a line for each parameter:
`-- :name what it is [default]`. `[]` means NULL; without brackets the parameter is required. A parameter that the SQL
casts to INTEGER is a whole number; the parameter `image` also accepts a path; the parameter `side` is one of `SIDES`.
The line `-- first: column, column` names the columns that a person reads first, where not all of them can be shown.

Results are plain values. Times are text as SQLite stores them (UTC, `2026-01-31 12:00:00.000000`) on every database,
so that they can be typed into the next query. Paths are as they are stored: a file URI if not UTF-8. In place of bytes
their number is shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.errors import DatabaseError, UsageError
from indexer.escaping import command_line
from indexer.store.database import Database
from indexer.store.query_result import BOUNDS, QueryBounds, QueryResult

AUDITS = Path(__file__).parent / "audits"
SIDES = ("removed", "kept", "both")
"""The values of the parameter `side`."""
_NO_LIMIT = 10**9 - 1
_LARGE_BOUNDS = QueryBounds(rows=10_000_000, size_bytes=4_000_000_000, seconds=600.0)
_COUNTING_BOUNDS = QueryBounds(rows=1, seconds=0.5)

_FIRST = "-- first: "
_HEADER = re.compile(f"-- :|{_FIRST}")
_PARAMETER = re.compile(r"-- :(?P<name>\w+) (?P<description>[^\[]*[^\[ ])(?: \[(?P<default>.*)\])?")


@dataclass(frozen=True)
class AuditParameter:
    """A parameter of a ready-made query; if it is neither required nor has a default, its value is NULL."""

    name: str
    description: str
    default: str | None
    required: bool


@dataclass(frozen=True)
class Audit:
    """A ready-made query; its title is one sentence that says what it shows, its main columns what is read first."""

    name: str
    title: str
    parameters: tuple[AuditParameter, ...]
    sql: str
    main_columns: tuple[str, ...]


def list_audits() -> list[Audit]:
    """The ready-made queries, sorted by name."""
    return [_read_audit(file) for file in sorted(AUDITS.glob("*.sql"))]


def get_audit(name: str) -> Audit:
    """The ready-made query of that name; raises `UsageError` if there is none."""
    audits = {audit.name: audit for audit in list_audits()}
    if name not in audits:
        raise UsageError(f"there is no audit {name!r}; the audits are: {', '.join(audits)}")
    return audits[name]


def run_audit(database: Database, name: str, parameters: Mapping[str, str], *, everything: bool = False) -> QueryResult:
    """The result of a ready-made query with these parameters; the caller must close it.

    `everything`: no limit holds but one that is among the parameters, and the result may be large, as in a proof. The
    result says whether its limit cut it.

    Raises
    ------
    UsageError
        For an unknown query or parameter, a value that is no number, or a result over the bounds.
    ImageError
        If the parameter `image` names no image of the index.
    DatabaseError
        If the query takes too long, or the database fails.
    """
    audit = get_audit(name)
    known_names = [parameter.name for parameter in audit.parameters]
    for argument in parameters:
        if argument not in known_names:
            raise UsageError(f"audit {name} has no parameter {argument!r}; it has {', '.join(known_names) or 'none'}")
    typed = {"limit": str(_NO_LIMIT)} | dict(parameters) if everything and "limit" in known_names else parameters
    values = {parameter.name: _bound_value(database, audit, parameter, typed) for parameter in audit.parameters}
    bounds = _LARGE_BOUNDS if everything else BOUNDS
    result = _run_query(database, audit.sql, values, bounds=bounds, user_written=False)
    result.main_columns = audit.main_columns
    limit = values.get("limit")
    if limit is not None and len(result) >= int(limit):
        try:
            result.mark_cut(_count_all(database, audit, values))
        except BaseException:
            result.close()
            raise
    return result


def _count_all(database: Database, audit: Audit, values: Mapping[str, str | None]) -> int | None:
    """The number of rows without the limit; None if it takes too long to count them."""
    sql = f"SELECT COUNT(*) FROM ({audit.sql}) AS answer"
    try:
        with _run_query(
            database, sql, {**values, "limit": str(_NO_LIMIT)}, bounds=_COUNTING_BOUNDS, user_written=False
        ) as counted:
            return int(next(iter(counted))[0])
    except DatabaseError:
        return None


def count_rows(session: Session, name: str) -> int:
    """The number of rows of a ready-made query that has no parameter but its limit, without that limit.

    Raises `UsageError` if there is no such query.
    """
    sql = f"SELECT COUNT(*) FROM ({get_audit(name).sql}) AS answer"
    return int(session.execute(text(sql), {"limit": _NO_LIMIT}).scalar_one())


def run_sql(database: Database, sql: str, *, bounds: QueryBounds = BOUNDS) -> QueryResult:
    """The result of a person's own query; the caller must close it.

    Raises
    ------
    UsageError
        If the query is not one statement that only reads, cannot be run, or has a result over the bounds. On a server
        also if the role may do more than read.
    DatabaseError
        If the query takes too long, or the database fails.
    """
    return _run_query(database, sql, {}, bounds=bounds, user_written=True)


def _read_audit(file: Path) -> Audit:
    lines = file.read_text(encoding="utf-8").splitlines()
    header_length = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    title = " ".join(line.removeprefix("--").strip() for line in lines[:header_length] if not _HEADER.match(line))
    first = next(line.removeprefix(_FIRST) for line in lines[:header_length] if line.startswith(_FIRST))
    matches = [_PARAMETER.fullmatch(line) for line in lines[:header_length]]
    parameters = tuple(
        AuditParameter(match["name"], match["description"], match["default"] or None, match["default"] is None)
        for match in matches
        if match is not None
    )
    return Audit(file.stem, title, parameters, "\n".join(lines[header_length:]), tuple(first.split(", ")))


def _bound_value(
    database: Database, audit: Audit, parameter: AuditParameter, arguments: Mapping[str, str]
) -> str | None:
    """The value to bind for a parameter; None for NULL."""
    name, value = parameter.name, arguments.get(parameter.name, parameter.default)
    if value is None:
        if parameter.required:
            raise UsageError(
                f"audit {audit.name} needs {parameter.description}; type: "
                f"{command_line('audit', audit.name, f'{name}=VALUE')}"
            )
        return None
    if name == "image":
        from indexer.store.image_lookup import get_image_id

        with database.read() as session:
            return str(get_image_id(session, value))
    if f"CAST(:{name} AS INTEGER)" in audit.sql and not re.fullmatch("[0-9]{1,9}", value):
        raise UsageError(f"audit {audit.name}: {name} is {value!r}; give a whole number")
    if name == "side" and value not in SIDES:
        raise UsageError(f"audit {audit.name}: {name} is {value!r}; give {', '.join(SIDES[:-1])} or {SIDES[-1]}")
    return value


def _run_query(
    database: Database, sql: str, values: Mapping[str, str | None], *, bounds: QueryBounds, user_written: bool
) -> QueryResult:
    # Imported here, as `status` counts rows and asks nothing.
    from indexer.store.query_postgresql import query_server
    from indexer.store.query_sqlite import query_file

    if database.path is not None:
        result = query_file(database, sql, values, bounds=bounds)
    else:
        result = query_server(database, sql, values, bounds=bounds, user_written=user_written)
    if result is None:
        raise UsageError("the query is empty; type for example: SELECT * FROM audit_cameras")
    return result
