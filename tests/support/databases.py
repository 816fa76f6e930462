"""Indexes for tests, on both databases: made empty from one that was migrated once, copied, and asked past the tool.

A test that takes the fixture `maker`, or one that rests on it (`database`, `index`, ...), runs on SQLite and on
PostgreSQL if it is a test of the store or of a workflow; `@on_sqlite` and `@on_postgresql` are for what is about one of
them. The server is the one that `INDEXER_TEST_POSTGRES` names: the URL of any database on it, with a user who may make
others.

Decision: on the server every index is a database of its own, so that nothing a test leaves behind meets another. One
that is done with is emptied and lent again if its tables are still those of the template (15 ms). To make and drop a
database is to make and delete 300 files, for which ext4 soon takes 300 ms, as it will not use what was just deleted.
A connection costs the server 6 ms: what is asked past the tool goes over connections that stay open (`connections.py`).

A server may give rows without an order in any order, but does so seldom: a test that relies on one fails by chance.
With INDEXER_TEST_REVERSED=1 such rows come the other way round: here (`rows`), and on SQLite in the tool that is tested
(`reversed_rows` in conftest.py).
"""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url

from indexer.store import reader_roles
from indexer.store.columns import PathText
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.store.tables import Base
from tests.support.connections import END_OTHERS, connected, open_connections, url_text

SQLITE, POSTGRESQL = "sqlite", "postgresql"
MIGRATED = sqlalchemy.Table("alembic_version", sqlalchemy.MetaData())
PATHS = [
    ("runs", "arguments"),
    *(
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, PathText)
    ),
]
"""The columns that name paths."""
SERVER = os.environ.get("INDEXER_TEST_POSTGRES", "")
READER_PASSWORD = "only-for-tests"
FILLED_BY_TRIGGERS = ("open_images", "twins")
REVERSED = "INDEXER_TEST_REVERSED" in os.environ
"""Whether rows of queries without an order come the other way round."""

_NO_SERVER = pytest.mark.skip(reason="needs PostgreSQL: INDEXER_TEST_POSTGRES does not name a server")
SERVER_OR_SKIP = pytest.param(POSTGRESQL, marks=() if SERVER else _NO_SERVER)

_NUMBERS = itertools.count()  # of databases, whichever maker makes them: two of them must not meet

on_both = pytest.mark.parametrize("maker", [SQLITE, SERVER_OR_SKIP], indirect=True, scope="session")
on_sqlite = pytest.mark.parametrize("maker", [SQLITE], indirect=True, scope="session")
on_postgresql = pytest.mark.parametrize("maker", [SERVER_OR_SKIP], indirect=True, scope="session")


class CompiledStatements(dict[Any, Any]):
    """What SQLAlchemy compiled, for all engines of one dialect, where SQLAlchemy itself keeps it for one engine.

    Every test has an engine of its own; a third of the time of a test on SQLite went into compiling what the test
    before had compiled.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The compiled statement; the first part of the key is the dialect of an engine."""
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


_compiled_statements = CompiledStatements()


@event.listens_for(Engine, "engine_connect")
def _share_compiled_statements(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled_statements)


class ReplayedMigrations:
    """Does what `migrate` does to an empty database, by the statements that it executed the first time.

    Alembic takes 100 ms for them, and many tests of commands begin an index. `test_schema.py` compares the two.
    """

    def __init__(self, migrate: Callable[..., None]) -> None:
        self._migrate = migrate
        self._statements: dict[str, list[tuple[str, Any]]] = {}

    def __call__(self, connection: Connection, *, revision: str = "head") -> None:
        """Brings the database behind a connection to a revision, in the transaction of the caller."""
        kind = connection.dialect.name
        if revision != "head" or sqlalchemy.inspect(connection).get_table_names():
            self._migrate(connection, revision=revision)
        elif kind in self._statements:
            with closing(connection.connection.cursor()) as cursor:
                for statement, parameters in self._statements[kind]:
                    cursor.execute(statement, parameters)
        else:
            self._statements[kind] = self._recorded(connection)

    def _recorded(self, connection: Connection) -> list[tuple[str, Any]]:
        made: list[tuple[str, Any]] = []

        def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
                made.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", record)
        try:
            self._migrate(connection)
        finally:
            event.remove(connection, "before_cursor_execute", record)
        return made


class Maker(Protocol):
    """What makes indexes on one kind of database; `folder` is one of the test's own, for what is a file."""

    kind: str

    def place(self, folder: Path) -> str:
        """The name of a database that is not there yet, or empty."""

    def new(self, folder: Path) -> Database:
        """An empty index."""

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows."""

    def reader(self, database: Database) -> Database:
        """The same index, opened by who may only read; where there are no users, the very same."""

    def snapshot(self, database: Database, folder: Path) -> Any:
        """All rows of an index; a file is made in the folder, which is new."""

    def restore(self, database: Database, snapshot: Any, *, moved: tuple[str, str]) -> None:
        """Gives an index the rows of another, whose images were moved from one folder to another meanwhile."""

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

    def place(self, folder: Path) -> str:
        """The path of a file that is not there yet, in a folder that is."""
        path = folder / f"index-{next(_NUMBERS)}" / "indexer.db"
        path.parent.mkdir(parents=True)
        return str(path)

    def new(self, folder: Path) -> Database:
        """An empty index (0.4 ms instead of 180 ms)."""
        return self._copied(self.template, folder)

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows, with what is still in its log."""
        rows(database, "PRAGMA wal_checkpoint(TRUNCATE)")
        return self._copied(database.path or Path(), folder)

    def reader(self, database: Database) -> Database:
        """The very same: SQLite knows no users."""
        return database

    def snapshot(self, database: Database, folder: Path) -> Any:
        """A copy of the file."""
        rows(database, "PRAGMA wal_checkpoint(TRUNCATE)")
        return shutil.copy(database.path or Path(), folder / "snapshot.db")

    def restore(self, database: Database, snapshot: Any, *, moved: tuple[str, str]) -> None:
        """Replaces the file, and the folder in every column that names paths."""
        database.close()
        for suffix in ("-wal", "-shm"):
            Path(f"{database.path}{suffix}").unlink(missing_ok=True)
        copy_moved(snapshot, database.path or Path(), moved=moved)

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
        self.url = make_url(url)
        self._connection = connected(self.url)
        self._names = (f"indexer_test_{os.getpid()}_{number}" for number in _NUMBERS)
        self._reader = f"indexer_reader_{os.getpid()}_{next(_NUMBERS)}"
        self._made: set[str] = set()
        self._spare: list[URL] = []
        template = open_database(self.place(Path()), create=True)
        template.close()
        self._template = template.url
        self._shape = _shape(template.url)
        self._empty = _emptying(template.url)

    def place(self, folder: Path) -> str:
        """The URL of an empty database."""
        return url_text(self._create("template1"))

    def new(self, folder: Path) -> Database:
        """An empty index."""
        while self._spare:
            url = self._spare.pop()
            if _shape(url) == self._shape:
                open_connections.ask(url, lambda connection: connection.execute(self._empty))
                return open_database(url_text(url))
            self._take_away(url.database or "")
        return self._copied(self._template)

    def copy(self, database: Database, folder: Path) -> Database:
        """Another index with the same rows."""
        database.close()  # a database can be copied while nobody is connected to it
        return self._copied(database.url)

    def reader(self, database: Database) -> Database:
        """The index as the maker's role that may only read, which is made by the tool itself."""
        reader_roles.make_reader(database, self._reader, password=READER_PASSWORD)
        return open_database(url_text(database.url.set(username=self._reader, password=READER_PASSWORD)))

    def snapshot(self, database: Database, folder: Path) -> Any:
        """The SQL that makes the rows."""
        return _refilling(database.url)

    def restore(self, database: Database, snapshot: Any, *, moved: tuple[str, str]) -> None:
        """Replaces all rows, and the folder in their text."""
        database.close()
        open_connections.ask(database.url, lambda connection: connection.execute(snapshot.replace(*moved)))

    def _copied(self, url: URL) -> Database:
        open_connections.close(url)
        return open_database(url_text(self._create(url.database or "")))

    def _create(self, template: str) -> URL:
        name = next(self._names)
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.add(name)
        return self.url.set(database=name)

    def drop(self, database: Database) -> None:
        """Closes it, for another test."""
        database.close()
        self._spare.append(database.url)

    def close(self) -> None:
        """Drops every database that was made, unless the server goes with them: to drop hundreds takes a minute."""
        open_connections.close_all()
        if "INDEXER_TEST_SERVER_GOES" not in os.environ:
            for name in list(self._made):
                self._take_away(name)
            self._connection.execute(f"DROP ROLE IF EXISTS {self._reader}")
        self._connection.close()

    def _take_away(self, name: str) -> None:
        self._connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.discard(name)


def _shape(url: URL) -> list[tuple[Any, ...]]:
    """The names of all that was made in a database."""
    found: list[tuple[Any, ...]] = open_connections.ask(url, lambda connection: connection.execute(_SHAPE).fetchall())
    return found


_SHAPE = """
    SELECT 'class', relname, relnatts FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'in use', indexrelid::regclass::text, indisvalid::int FROM pg_index WHERE NOT indisvalid
    UNION ALL SELECT 'constraint', conname, convalidated::int FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', tgname, 0 FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, 0 FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'schema', nspname, 0 FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
    UNION ALL SELECT 'object', oid::text, 0 FROM pg_largeobject_metadata
    ORDER BY 1, 2
"""


def _emptying(url: URL) -> str:
    """The SQL that ends all other connections of a database and brings its rows back to those of a new index."""
    return f"{END_OTHERS}; {_refilling(url)}"


def _refilling(url: URL) -> str:
    """The SQL that brings the rows of a database back to what they are now."""
    from psycopg.sql import SQL, Identifier, Literal

    tables = [*Base.metadata.sorted_tables, MIGRATED]
    commands = [SQL("DELETE FROM {}").format(Identifier(table.name)) for table in reversed(tables)]
    with connected(url) as connection:
        for table in sorted(tables, key=lambda table: table.name in FILLED_BY_TRIGGERS):
            if table.name in FILLED_BY_TRIGGERS:
                commands.append(SQL("DELETE FROM {}").format(Identifier(table.name)))
            for row in connection.execute(SQL("SELECT * FROM {}").format(Identifier(table.name))):
                values = SQL(", ").join(map(Literal, row))
                commands.append(SQL("INSERT INTO {} VALUES ({})").format(Identifier(table.name), values))
        for name, last in connection.execute("SELECT sequencename, last_value FROM pg_sequences"):
            commands.append(SQL("SELECT setval({}, {}, {})").format(name, last or 1, last is not None))
        return SQL("; ").join(commands).as_string(connection)


def copy_moved(source: Path, target: Path, *, moved: tuple[str, str]) -> None:
    """Copies the file of an index, and replaces one folder by another in every column that names paths."""
    shutil.copy(source, target)
    with closing(sqlite3.connect(target)) as connection, connection:
        for table, column in PATHS:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", moved)


def rows(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query answers, asked past the tool; `?` stands for a value, and times are text as SQLite stores them."""
    if database.path is not None:
        with closing(sqlite3.connect(str(database.path))) as connection:
            answered = connection.execute(sql, values).fetchall()
    else:
        marked = _marked(sql, values)
        answered = _on_server(database, lambda cursor: cursor.execute(marked, values or None).fetchall())
    return answered[::-1] if REVERSED and "ORDER BY" not in sql.upper() else answered


def execute(database: Database, sql: str, *values: Any) -> None:
    """Changes the database past the tool."""
    if values:
        execute_many(database, sql, [values])
    elif database.path is not None:
        with closing(sqlite3.connect(str(database.path))) as connection, connection:
            connection.execute(sql)
    else:
        _on_server(database, lambda cursor: cursor.execute(sql) and [])


def execute_many(database: Database, sql: str, values: list[tuple[Any, ...]]) -> None:
    """Changes the database past the tool, once with each of these values."""
    if database.path is not None:
        with closing(sqlite3.connect(str(database.path))) as connection, connection:
            connection.executemany(sql, values)
    else:
        _on_server(database, lambda cursor: cursor.executemany(_marked(sql, values), values) or [])


def fill_up(database: Database, table: str, when: str) -> None:
    """From now on there is no room for those rows of a table for which `when` is true, which says `NEW.` of them."""
    if database.path is not None:
        # SQLite says SQLITE_FULL also of a table that has had the largest number (https://www.sqlite.org/autoinc.html).
        execute(database, "CREATE TABLE used_up (id INTEGER PRIMARY KEY AUTOINCREMENT)")
        execute(database, f"INSERT INTO used_up VALUES ({2**63 - 1})")
        act = f"WHEN {when} BEGIN INSERT INTO used_up VALUES (NULL); END"
    else:
        said = "RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'"
        body = f"BEGIN IF {when} THEN {said}; END IF; RETURN NEW; END"
        execute(database, f"CREATE FUNCTION fill_up() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        act = "FOR EACH ROW EXECUTE FUNCTION fill_up()"
    execute(database, f"CREATE TRIGGER fill_up BEFORE INSERT ON {table} {act}")


def _on_server(database: Database, ask: Callable[[Any], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    answered = open_connections.ask(database.url, lambda connection: ask(connection.cursor()))
    return [tuple(map(_as_sqlite_has_it, row)) for row in answered]


def _marked(sql: str, values: Sequence[Any]) -> str:
    return sql.replace("%", "%%").replace("?", "%s") if values else sql


def _as_sqlite_has_it(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
