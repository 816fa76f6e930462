"""All rows of an index as plain values, read table by table in the order of their keys and put into an empty index.

It promises bounded memory whatever the size of a table, and values that are the same on every database: numbers, text
as it is stored (a path that is not UTF-8 stays its file URI), times without a zone, bytes. It does not know how a new
index begins and ends (`indexer.store.transfer.new_index`).

Decision: rows go in by `INSERT`, many at a time, into SQLite and PostgreSQL alike. PostgreSQL's COPY takes half the
time for rows of `images` and no less for thumbnails, which are most of an index: a fifth of the whole (measured with
60 000 rows and 3 000 thumbnails of 37 kB), at the price of a second way.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, LargeBinary, Select, TableClause, column, func, insert, select, table
from sqlalchemy import Table as Form
from sqlalchemy.types import TypeDecorator, TypeEngine

from indexer.store.columns import storable
from indexer.store.database import Database
from indexer.store.tables import IdentityRow, Table

_ROWS, _ROWS_WITH_BYTES = 2000, 100  # read, written and held together; of thumbnails some 4 MB

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Contents:
    """What is in a table: the number of its rows, and a digest of all their values in the order of their keys."""

    table: str
    rows: int
    digest: str


class Tally:
    """The contents of a table, told from rows in the order of their keys."""

    def __init__(self, name: str) -> None:
        self._name, self._rows, self._digest = name, 0, sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Counts some more rows."""
        self._rows += len(rows)
        for row in rows:
            self._digest.update(_said(row))

    @property
    def contents(self) -> Contents:
        """The contents so far."""
        return Contents(self._name, self._rows, self._digest.hexdigest())


class Into(Tally):
    """The same, and every row is put into the table of that name behind a connection, all its columns as they were
    read."""

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(name)
        self._connection, self._into = connection, _plain(name)

    def add(self, rows: Sequence[Row]) -> None:
        """Counts some more rows and puts them in."""
        super().add(rows)
        names = [one.name for one in self._into.columns]
        if rows:
            self._connection.execute(insert(self._into), [dict(zip(names, row, strict=True)) for row in rows])


def list_tables() -> list[str]:
    """The tables that are copied, each after those that it refers to; a copy has an identity of its own."""
    return [form.name for form in Table.metadata.sorted_tables if form.name != IdentityRow.__tablename__]


def count_rows(connection: Connection, name: str) -> int:
    """The number of rows of a table."""
    return connection.scalar(select(func.count()).select_from(_plain(name))) or 0


def iter_rows(database: Database, connection: Connection, name: str) -> Generator[Sequence[Row]]:
    """All rows of a table in the order of their keys, some at a time; `database` is the one that the connection is
    of."""
    at_once = _ROWS_WITH_BYTES if _has_bytes(name) else _ROWS
    query = _all(name).execution_options(yield_per=at_once)
    with database.translated(), connection.execute(query) as found:
        for rows in found.partitions():
            # Text of indexes made by early versions may have NUL in it.
            yield [tuple(storable(value) if isinstance(value, str) else value for value in row) for row in rows]


def _said(row: Row) -> bytes:
    """The row in words that no other row has: every digit of a number, bytes by their hash, as they are long."""
    return repr([_word(value) for value in row]).encode()


def _word(value: Any) -> Any:
    if isinstance(value, bytes):
        return sha256(value).digest()
    return value + 0.0 if isinstance(value, float) else value  # SQLite has no negative zero


def _form(name: str) -> Form:
    return Table.metadata.tables[name]


def _has_bytes(name: str) -> bool:
    return any(isinstance(one.type, LargeBinary) for one in _form(name).columns)


def _all(name: str) -> Select[Row]:
    rows = _plain(name)
    return select(*rows.columns).order_by(*(rows.c[key.name] for key in _form(name).primary_key))


def _plain(name: str) -> TableClause:
    """The table as the database has it, without what our own column types make of its values."""
    return table(name, *(column(one.name, _stored(one.type)) for one in _form(name).columns))


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind
