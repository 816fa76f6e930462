"""Indexes for tests, on both databases: made empty from one that was migrated once, copied, and asked past the tool.

A test that takes the fixture `maker`, or one that rests on it (`database`, `index`, ...), runs on SQLite and on
PostgreSQL if it is a test of the store or of a workflow; `@on_sqlite` and `@on_postgresql` are for what is about one of
them. The server is the one that `INDEXER_TEST_POSTGRES` names: the URL of any database on it, with a user who may make
others.

Decision: on the server every index is a database of its own, copied from a template: 13 ms, and nothing that a test
leaves behind meets another. They are dropped when the next one is made: by then the server knows that nobody is
connected, which it looks at only every 100 ms once it has to wait.
"""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import URL, make_url

from indexer.store.database import Database
from indexer.store.schema import open_database

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SERVER = os.environ.get("INDEXER_TEST_POSTGRES", "")

_NO_SERVER = pytest.mark.skip(reason="needs PostgreSQL: INDEXER_TEST_POSTGRES does not name a server")
_SERVER_OR_SKIP = pytest.param(POSTGRESQL, marks=() if SERVER else _NO_SERVER)

on_both = pytest.mark.parametrize("maker", [SQLITE, _SERVER_OR_SKIP], indirect=True, scope="session")
on_sqlite = pytest.mark.parametrize("maker", [SQLITE], indirect=True, scope="session")
on_postgresql = pytest.mark.parametrize("maker", [_SERVER_OR_SKIP], indirect=True, scope="session")


class Maker(Protocol):
    """What makes indexes on one kind of database; `folder` is one of the test's own, for what is a file."""

    kind: str

    def place(self, folder: Path) -> str:
        """The name of a database that is not there yet, or empty."""

    def new(self, folder: Path) -> Database:
        """An empty index."""

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows."""

    def drop(self, database: Database) -> None:
        """Lets go of an index: it may be taken away."""

    def close(self) -> None:
        """Takes away all that was made."""


class Files:
    """SQLite: an index is a file, and a copy of it another."""

    kind = SQLITE

    def __init__(self, home: Path) -> None:
        self.template = home / "migrated" / "indexer.db"
        self.template.parent.mkdir(parents=True)
        open_database(str(self.template), create=True).close()
        self._number = itertools.count()

    def place(self, folder: Path) -> str:
        """The path of a file that is not there yet, in a folder that is."""
        path = folder / f"index-{next(self._number)}" / "indexer.db"
        path.parent.mkdir(parents=True)
        return str(path)

    def new(self, folder: Path) -> Database:
        """An empty index (0.4 ms instead of 180 ms)."""
        return self._copied(self.template, folder)

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows, with what is still in its log."""
        rows(database, "PRAGMA wal_checkpoint(TRUNCATE)")
        return self._copied(database.path or Path(), folder)

    def _copied(self, path: Path, folder: Path) -> Database:
        return open_database(shutil.copy(path, self.place(folder)))

    def drop(self, database: Database) -> None:
        """Closes it; the file goes with the test's folder."""
        database.close()

    def close(self) -> None:
        """Nothing to do: pytest clears its folders."""


class Server:
    """PostgreSQL: an index is a database of a server, and a copy of it another."""

    kind = POSTGRESQL

    def __init__(self, url: str) -> None:
        psycopg = pytest.importorskip("psycopg")
        self.url = make_url(url)
        self._connection = psycopg.connect(_for_driver(self.url), autocommit=True)
        self._names = (f"indexer_test_{os.getpid()}_{number}" for number in itertools.count())
        self._made: set[str] = set()
        self._left: set[str] = set()
        database = open_database(self.place(Path()), create=True)
        database.close()
        self._template = database.url.database or ""

    def place(self, folder: Path) -> str:
        """The URL of an empty database."""
        return self._create("template1").render_as_string(hide_password=False)

    def new(self, folder: Path) -> Database:
        """An empty index."""
        return self._copied(self._template)

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows."""
        database.close()  # a database can be copied while nobody is connected to it
        return self._copied(database.url.database or "")

    def _copied(self, name: str) -> Database:
        return open_database(self._create(name).render_as_string(hide_password=False))

    def _create(self, template: str) -> URL:
        name = next(self._names)
        self._take_away(self._left)
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.add(name)
        return self.url.set(database=name)

    def drop(self, database: Database) -> None:
        """Closes it; it goes when the next one is made."""
        database.close()
        self._left.add(database.url.database or "")

    def close(self) -> None:
        """Drops every database that was made."""
        self._take_away(self._made)
        self._connection.close()

    def _take_away(self, names: set[str]) -> None:
        for name in list(names):
            self._connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._made.discard(name)
            self._left.discard(name)


def rows(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query answers, asked past the tool; `?` stands for a value, and times are text as SQLite stores them."""
    if database.path is not None:
        with closing(sqlite3.connect(str(database.path))) as connection:
            return connection.execute(sql, values).fetchall()
    return _on_server(database, lambda cursor: cursor.execute(_marked(sql), values).fetchall())


def execute(database: Database, sql: str, *values: Any) -> None:
    """Changes the database past the tool."""
    execute_many(database, sql, [values])


def execute_many(database: Database, sql: str, values: list[tuple[Any, ...]]) -> None:
    """Changes the database past the tool, once with each of these values."""
    if database.path is not None:
        with closing(sqlite3.connect(str(database.path))) as connection, connection:
            connection.executemany(sql, values)
    else:
        _on_server(database, lambda cursor: cursor.executemany(_marked(sql), values) or [])


def _on_server(database: Database, ask: Callable[[Any], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(_for_driver(database.url)) as connection:
        return [tuple(map(_as_sqlite_has_it, row)) for row in ask(connection.cursor())]


def _for_driver(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _marked(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _as_sqlite_has_it(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
