"""Questions to the memory in SQL: the ready-made ones of `audits/*.sql`, and a person's own.

It promises that a question changes nothing, whatever it says: the database refuses, not a look at the words. SQLite is
opened read-only once more, and an authorizer admits nothing but reading; a server gets the question as a cursor in a
read-only transaction, and a person's own one only from a role that may do nothing but read. It promises that an answer
is bounded, in rows and bytes. It does not know how an answer is shown.

A file of `audits` opens with one sentence that says what it shows, then a line for each of its parameters:
`-- :name what it is [default]`; `[]` is NULL, without brackets a value must be given. One that the SQL casts to INTEGER
is a whole number; for one called `image` a path will do.

Answers are plain values. Times are text as SQLite stores them (UTC, `2026-01-31 12:00:00.000000`) on every database,
so that they can be typed into the next question; paths are as stored (a file URI if not UTF-8); bytes are counted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.errors import UsageProblem
from indexer.escaping import command_line
from indexer.store.database import Database
from indexer.store.image_details import get_image_id
from indexer.store.query_postgresql import ask_server
from indexer.store.query_result import BOUNDS, Bounds, Table
from indexer.store.query_sqlite import ask_file

AUDITS = Path(__file__).parent / "audits"
_ALL = 10**9

_PARAMETER = re.compile(r"-- :(?P<name>\w+) (?P<description>[^\[]*[^\[ ])(?: \[(?P<default>.*)\])?")


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
    """What a ready-made query answers, with these values for its parameters; the caller's to close."""
    audit = get_audit(name)
    known = [parameter.name for parameter in audit.parameters]
    for given in parameters:
        if given not in known:
            raise UsageProblem(f"audit {name} has no parameter {given!r}; it has {', '.join(known) or 'none'}")
    values = {parameter.name: _value(database, audit, parameter, parameters) for parameter in audit.parameters}
    return _ask(database, audit.sql, values, bounds=BOUNDS, own=False)


def count_rows(session: Session, name: str) -> int:
    """The number of rows that a ready-made query has when none is cut off."""
    sql = f"SELECT COUNT(*) FROM ({get_audit(name).sql}) AS answer"
    return int(session.execute(text(sql), {"limit": _ALL}).scalar_one())


def run_sql(database: Database, sql: str, *, bounds: Bounds = BOUNDS) -> Table:
    """What a person's own question answers: one statement, which may only read; on a server, of a role that may only
    read. The answer is the caller's to close."""
    return _ask(database, sql, {}, bounds=bounds, own=True)


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


def _ask(database: Database, sql: str, values: Mapping[str, str | None], *, bounds: Bounds, own: bool) -> Table:
    if database.path is not None:
        table = ask_file(database, sql, values, bounds=bounds)
    else:
        table = ask_server(database, sql, values, bounds=bounds, own=own)
    if table is None:
        raise UsageProblem("the query asks for nothing; type for example: SELECT * FROM audit_cameras")
    return table
