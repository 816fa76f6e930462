"""All rows of an index as plain values, read table by table in the order of their keys and written to an empty index.

It promises bounded memory whatever the size of a table, and values that are the same on every database: numbers, text
as it is stored (a path that is not UTF-8 stays its file URI), times without a zone, bytes. It does not know how a new
index is made and completed (`indexer.store.transfer.new_index`).

Decision 0030: rows are written by `INSERT`, many at a time, into SQLite and PostgreSQL alike.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, LargeBinary, Select, TableClause, column, delete, func, insert, select, table
from sqlalchemy import Table as SqlTable
from sqlalchemy.types import TypeDecorator, TypeEngine

from indexer.store.columns import storable
from indexer.store.database import Database
from indexer.store.tables import Base, IdentityRow, OpenImageRow, TwinRow

_ROWS, _ROWS_WITH_BYTES = 2000, 100  # rows in memory at a time; of thumbnails some 4 MB

_FILLED_BY_TRIGGERS = (OpenImageRow.__tablename__, TwinRow.__tablename__)
Row = tuple[Any, ...]


@dataclass(frozen=True)
class TableContents:
    """A summary of a table: the number of its rows, and a digest of all values in the order of the keys."""

    table: str
    rows: int
    digest: str


class TableDigest:
    """Counts and hashes the rows of a table, which must be added in the order of their keys."""

    def __init__(self, name: str) -> None:
        self._name, self._rows, self._digest = name, 0, sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Adds rows to the count and the digest."""
        self._rows += len(rows)
        for row in rows:
            self._digest.update(_row_bytes(row))

    @property
    def contents(self) -> TableContents:
        """The summary of the rows that were added so far."""
        return TableContents(self._name, self._rows, self._digest.hexdigest())


class TableWriter(TableDigest):
    """A digest that also inserts every row, unchanged, into the table of that name behind a connection."""

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(name)
        self._connection, self._table = connection, _plain_table(name)
        if name in _FILLED_BY_TRIGGERS:
            connection.execute(delete(self._table))

    def add(self, rows: Sequence[Row]) -> None:
        """Adds rows to the count and the digest, and inserts them."""
        super().add(rows)
        names = [table_column.name for table_column in self._table.columns]
        if rows:
            self._connection.execute(insert(self._table), [dict(zip(names, row, strict=True)) for row in rows])


def list_tables() -> list[str]:
    """The names of the tables to copy, each after those it refers to, and last those that triggers fill; without the
    identity, as a copy has its own."""
    names = [sql_table.name for sql_table in Base.metadata.sorted_tables if sql_table.name != IdentityRow.__tablename__]
    return sorted(names, key=lambda name: name in _FILLED_BY_TRIGGERS)


def count_rows(connection: Connection, name: str) -> int:
    """The number of rows of a table."""
    return connection.scalar(select(func.count()).select_from(_plain_table(name))) or 0


def iter_rows(database: Database, connection: Connection, name: str) -> Generator[Sequence[Row]]:
    """All rows of a table in the order of their keys, in batches; `connection` belongs to `database`.

    Raises `DatabaseError` as `Database.translated_errors`.
    """
    batch_size = _ROWS_WITH_BYTES if _has_bytes(name) else _ROWS
    query = _select_all(name).execution_options(yield_per=batch_size)
    with database.translated_errors(), connection.execute(query) as result:
        for rows in result.partitions():
            # Text in an index of an early version may contain NUL.
            yield [tuple(storable(value) if isinstance(value, str) else value for value in row) for row in rows]


def _row_bytes(row: Row) -> bytes:
    """The row as bytes, which differ if the rows differ. Numbers have all digits; bytes, which are long, are hashed."""
    return repr([_digestible_value(value) for value in row]).encode()


def _digestible_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return sha256(value).digest()
    return value + 0.0 if isinstance(value, float) else value  # SQLite has no negative zero


def _sql_table(name: str) -> SqlTable:
    return Base.metadata.tables[name]


def _has_bytes(name: str) -> bool:
    return any(isinstance(table_column.type, LargeBinary) for table_column in _sql_table(name).columns)


def _select_all(name: str) -> Select[Row]:
    plain_table = _plain_table(name)
    return select(*plain_table.columns).order_by(*(plain_table.c[key.name] for key in _sql_table(name).primary_key))


def _plain_table(name: str) -> TableClause:
    """The table with the plain types of the database, without the conversions of our own column types."""
    return table(
        name, *(column(table_column.name, _stored_type(table_column.type)) for table_column in _sql_table(name).columns)
    )


def _stored_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind
