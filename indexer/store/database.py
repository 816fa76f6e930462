"""Opens the database of an index, and its transactions.

It promises that SQLite enforces foreign keys, waits for a busy database and uses a write-ahead log, and that every
error of the database becomes one sentence of this program. It does not know any table.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session as Session

from indexer.errors import DatabaseError, IndexerError, RowRefusedError, UsageError
from indexer.interrupts import uninterrupted
from indexer.store.columns import stored_text
from indexer.store.driver_errors import DAMAGED_ADVICE, find_advice, is_row_error, may_be_disk_limitation
from indexer.store.index_disk import find_disk_limitation

BUSY_TIMEOUT_MS = 10_000
_CACHE_PRAGMA = "cache_size = -65536"  # kB of pages, where 2 MB are the default: half the time for a million images
_MAX_PATH_BYTES = 2600  # PostgreSQL's indexes take 2 704 bytes, with their overhead
_MAX_URI_BYTES_PER_CHAR = 12  # bytes of one character in a file URI


class Database:
    """An open index: `read` and `write` open sessions; a `write` commits all of its changes at its end, or none.

    `name` is the text that is shown. `address` is the text that names the database on the command line, without a
    password. `before_commit` is called before each commit, and raises if the changes must not be committed any more.

    Raises
    ------
    DatabaseError
        If the driver for the URL is missing.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.address = _address(url)
        self.name = _without_passwords(url) if self.path is None else str(self.path)
        self.engine = _make_engine(url)
        self.before_commit: Callable[[], None] | None = None

    @property
    def path(self) -> Path | None:
        """The file of a SQLite index; None for a server."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    def is_at(self, name: str) -> bool:
        """Whether that URL or path names this database; raises `UsageError` for a URL that cannot be read."""
        url = parse_database(name)
        other_path = Path(url.database or "")
        if self.path is not None and url.get_backend_name() == "sqlite" and other_path.exists():
            return self.path.samefile(other_path)
        return self.url == url

    def can_store_path(self, path: str) -> bool:
        """Whether a path can be stored: a database index of PostgreSQL takes at most some 2 600 bytes."""
        if self.path is not None or len(path) * _MAX_URI_BYTES_PER_CHAR <= _MAX_PATH_BYTES:
            return True
        return len(stored_text(path).encode()) <= _MAX_PATH_BYTES

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one point in time and changes nothing.

        Ctrl-C is delayed until the end, because it could break the connection. Raises `DatabaseError` as
        `translated_errors`.
        """
        with uninterrupted(), self.translated_errors(), Session(self._snapshot_engine()) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end; Ctrl-C is delayed until then.

        Raises `DatabaseError` as `translated_errors`; then nothing is committed.
        """
        with (
            uninterrupted(),
            self.translated_errors(),
            Session(self.engine.execution_options(begin="BEGIN IMMEDIATE")) as session,
        ):
            yield session
            if self.before_commit is not None:
                self.before_commit()
            session.commit()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees one point in time, for long reads of many rows.

        Rows can be streamed, and Ctrl-C is not delayed. Raises `DatabaseError` as `translated_errors`.
        """
        with self.translated_errors(), self._snapshot_engine().connect() as connection:
            yield connection

    @contextmanager
    def long_read(self) -> Iterator[Session]:
        """As `read`, for long reads of many rows: Ctrl-C is not delayed.

        Raises `DatabaseError` as `translated_errors`.
        """
        with self.snapshot() as connection, Session(connection) as session:
            yield session

    @contextmanager
    def write_connection(self) -> Iterator[Connection]:
        """A connection in a write transaction, which is committed at the end, for migrations and copies.

        Ctrl-C is not delayed. Raises `DatabaseError` as `translated_errors`; then nothing is committed.
        """
        with self.translated_errors(), self.engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            yield connection
            if self.before_commit is not None:
                self.before_commit()

    def use_write_ahead_log(self) -> None:
        """Lets readers work while a writer writes. SQLite stores this setting in the file; a server needs none.

        Raises `DatabaseError`, which `translated_errors` makes of the `DBAPIError`.
        """
        if self.path is not None:
            with self.translated_errors(), self.engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert isinstance(raw, sqlite3.Connection)
                connection.rollback()
                try:
                    raw.execute("PRAGMA journal_mode = WAL")
                except sqlite3.Error as problem:
                    raise DBAPIError(None, None, problem) from problem

    @contextmanager
    def maintenance(self) -> Iterator[Connection]:
        """A connection without a transaction, for statements that allow none around them (VACUUM)."""
        options = {"begin": "SELECT 1"} if self.path is not None else {"isolation_level": "AUTOCOMMIT"}
        with (
            uninterrupted(),
            self.translated_errors(),
            self.engine.execution_options(**options).connect() as connection,
        ):
            yield connection

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()

    def free_caches(self) -> None:
        """Closes the idle connections of a SQLite index, each of which may cache 64 MB of pages."""
        if self.path is not None:
            self.engine.dispose()

    def _snapshot_engine(self) -> Engine:
        """The engine for transactions that see one point in time: SQLite's always do, a server needs options."""
        if self.path is not None:
            return self.engine
        return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Translates the errors of the database in the block into errors of this program.

        Raises
        ------
        RowRefusedError
            If the database refuses one value or one row.
        DatabaseError
            For every other error of the database, and for an error whose cause is a damaged SQLite file.
        """
        try:
            yield
        except DBAPIError as problem:
            raise self.translate_error(problem) from problem
        except IndexerError:
            raise
        except (OverflowError, UnicodeEncodeError) as problem:  # drivers do not wrap these
            raise RowRefusedError(f"database {self.name}: {problem}", reason=str(problem)) from problem
        except Exception as problem:  # invalid rows may be the cause: look for damage first
            if finding := self._find_damage():
                raise self.corruption_error(finding) from problem
            raise

    def _find_damage(self) -> str | None:
        """The first damage that SQLite finds in its file; None if there is none, or if this is a server."""
        if self.path is None:
            return None
        try:
            with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as connection:
                (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as problem:
            finding = str(problem)
        return None if finding == "ok" else " ".join(finding.split())

    def corruption_error(self, finding: str) -> DatabaseError:
        """The error for a damaged database; `finding` is what a check of it says."""
        return DatabaseError(f"database {self.name}: {DAMAGED_ADVICE} ({finding})")

    def translate_error(self, error: DBAPIError) -> IndexerError:
        """The error of this program for an error of the database driver, with advice if there is any."""
        message = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
        limitation = find_disk_limitation(self.path) if self.path and may_be_disk_limitation(error) else None
        advice = limitation or find_advice(error)
        reason = message if advice is None else f"{advice} ({message})"
        if is_row_error(error):
            return RowRefusedError(f"database {self.name}: {reason}", reason=reason)
        return DatabaseError(f"database {self.name}: {reason}")


def parse_database(text: str) -> URL:
    """The URL of a database from a URL or the path of a SQLite file; raises `UsageError` for an unreadable URL.

    Symbolic links in the path are resolved, because the lock and the log must lie beside the real file.
    """
    if "://" not in text:
        return URL.create("sqlite", database=os.path.realpath(text))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(
            "the database URL cannot be read; type a path, or sqlite:////path, or postgresql+psycopg://…"
        ) from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise UsageError("an index in memory would be lost at once; give a path")
        url = url.set(database=os.path.realpath(url.database))
    return url


def parse_address(text: str) -> str:
    """The address of a database from a URL or a path: equal for the same database, and without a password.

    Raises `UsageError` as `parse_database`.
    """
    return _address(parse_database(text))


def _address(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    query = {name: value for name, value in url.query.items() if "password" not in name.lower()}
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return bare.render_as_string(hide_password=False)


def _without_passwords(url: URL) -> str:
    """The URL as it may be shown: drivers accept passwords in the query parameters as well."""
    query = {name: "hidden" if "password" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


def _make_engine(url: URL) -> Engine:
    try:
        # A server may have been restarted since a connection was last used, between two batches or two queries: a ping
        # detects this before the next query. Within a transaction nothing is retried.
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    except (NoSuchModuleError, ImportError, ArgumentError) as problem:
        kind = url.get_backend_name()
        raise DatabaseError(
            f"no driver for {kind} databases ({problem}); for PostgreSQL: pip install 'psycopg[binary]' and "
            "postgresql+psycopg://…"
        ) from problem
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not commit before DDL; `_begin_sqlite` begins
    for pragma in (
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "synchronous = FULL",
        "secure_delete = ON",  # what a person asked to forget is overwritten at once
        _CACHE_PRAGMA,
    ):
        connection.execute(f"PRAGMA {pragma}")


def _set_up_postgresql(connection: Any, _record: Any) -> None:
    # JIT compilation takes the server most of a second, several times as long as any query here takes.
    connection.execute("SET jit = off")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock when it begins: if it read first, it could be refused later, after its work.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
