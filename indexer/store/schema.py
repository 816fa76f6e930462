"""The schema of the database: made and changed by the Alembic migrations and by nothing else.

It promises that a reader never creates a database, and that no database is upgraded silently. It refuses a file that is
no database, and a database of another program or of a newer version, before any other query.
"""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, exc, inspect, text
from sqlalchemy.orm import Session

from indexer.domain.profiles import BUILT_IN, DEFAULT
from indexer.errors import DatabaseError, NoIndexError
from indexer.escaping import command_line, quoted
from indexer.files.private import create_file
from indexer.store import profiles
from indexer.store.database import Database, parse_database
from indexer.store.driver_errors import primary_code
from indexer.store.index_identity import ensure_identity
from indexer.store.locks.postgresql import lock_schema
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.postgresql_check import iter_server_problems
from indexer.store.transfer.backup import back_up, free_backup_path

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_WHEEL = _PACKAGE / "migrations"
MIGRATIONS = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "migrations"
_REVISION = re.compile(r"\d{4}")
_CORE_TABLES = {"runs", "images", "scorings", "preparations"}  # tables that every revision has


class SchemaState(Enum):
    """The schema of a database, compared with the schema of this version; `FOREIGN`: of another program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Health:
    """The result of a check of the database; `problems` has one sentence for each problem."""

    database: str
    revision: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Upgrade:
    """The revision that a database has now; `backup`: the path of what it was before, if a backup was made.

    `upgraded_from`: the revision of before; None if it was new, or not older.
    """

    revision: str
    backup: str | None
    upgraded_from: str | None = None


def open_database(name: str, *, create: bool = False) -> Database:
    """The index at that URL or path, with the current schema; with `create` it is made if there is none.

    Raises
    ------
    NoIndexError
        If there is no index, or an empty database, and `create` is False.
    DatabaseError
        If the schema is older or newer, if the database belongs to another program, or if it cannot be opened or made.
    UsageError
        If the URL cannot be read.
    """
    database = resolve_database(name, create=create)
    if create:
        create_database_file(database)
    with _closed_on_error(database):
        with database.read() as session:
            state = schema_state(session.connection())
        if state is SchemaState.EMPTY and create:
            _create_schema(database)
        elif state is SchemaState.EMPTY:
            raise NoIndexError(refusal_message(database, state))
        elif state is not SchemaState.CURRENT:
            raise DatabaseError(refusal_message(database, state))
    return database


def find_database(name: str) -> Database | None:
    """The index at that URL or path, with the current schema; None if there is none yet.

    Raises `DatabaseError` and `UsageError` as `open_database`.
    """
    try:
        return open_database(name)
    except NoIndexError:
        return None


def open_any_revision(name: str) -> tuple[Database, str]:
    """The index at that URL or path, of an older or newer version too, and its revision.

    Raises `NoIndexError`, `DatabaseError` and `UsageError` as `open_database`.
    """
    database = resolve_database(name, create=False)
    with _closed_on_error(database), database.read() as session:
        state = schema_state(session.connection())
        if state is SchemaState.EMPTY:
            raise NoIndexError(refusal_message(database, state))
        if state is SchemaState.FOREIGN:
            raise DatabaseError(refusal_message(database, state))
        return database, _read_revision(session.connection())


def upgrade_database(name: str, *, make_backup: bool = False) -> Upgrade:
    """Upgrades an older database, or makes a missing one. Returns what was done.

    `make_backup`: a SQLite index is first copied to a new file beside it. The upgrade is one transaction: if it fails,
    the database is as it was.

    Raises
    ------
    DatabaseError
        If the database is newer, or belongs to another program. If another command is writing to it. If it cannot be
        opened or made. If the backup cannot be written.
    UsageError
        If the URL cannot be read.
    """
    backup_path = upgraded_from = None
    database = resolve_database(name, create=True)
    create_database_file(database)
    with _closed_on_error(database):
        with database.read() as session:
            state = schema_state(session.connection())
            if state is SchemaState.OLDER:
                upgraded_from = _read_revision(session.connection())
        if state in {SchemaState.NEWER, SchemaState.FOREIGN}:
            raise DatabaseError(refusal_message(database, state))
        # An older version may be at work on an older database, between two of its transactions.
        upgrade_lock = writer_lock(database, command="db upgrade", since=datetime.now(UTC))
        with upgrade_lock if state is SchemaState.OLDER else nullcontext():
            if state is SchemaState.OLDER and make_backup and database.path is not None:
                backup_path = _back_up_before_upgrade(database, database.path)
            _create_schema(database)
    database.close()
    return Upgrade(head_revision(), backup_path, upgraded_from)


def _back_up_before_upgrade(database: Database, path: Path) -> str:
    """The path of a new backup beside an index."""
    with database.read() as session:
        revision = _read_revision(session.connection())
    target = free_backup_path(path, revision=revision)
    try:
        back_up(database, target, advance=lambda _done, _total: None)
    except DatabaseError as problem:
        without = command_line("--db", str(path), "db", "upgrade", "--no-backup")
        raise DatabaseError(f"{problem}; nothing was upgraded; if you have a backup, type: {without}") from problem
    return target


def check_database(database: Database) -> Health:
    """The result of a check that the database is intact.

    On SQLite it checks pages and references; on a server, whether all indexes and constraints exist and are valid. If
    they are, so are the references. The pages of a server are left to its own tool, `pg_amcheck`. Raises
    `DatabaseError` if the database cannot be read.
    """
    problems: list[str] = []
    with database.read() as session:
        if database.path is not None:
            problems += _iter_damage(session)
            problems += _iter_orphans(session) if not problems else []
        else:
            problems += iter_server_problems(session)
    return Health(database.name, head_revision(), tuple(problems))


def _iter_damage(session: Session) -> Iterator[str]:
    """What SQLite finds damaged in its pages: at most 20 problems, up to a page that it cannot read."""
    try:
        for (line,) in session.execute(text("PRAGMA integrity_check(20)")):
            if line != "ok":
                yield f"damaged: {' '.join(line.split())}"
    except exc.DatabaseError as problem:
        if primary_code(problem.orig) != sqlite3.SQLITE_CORRUPT:
            raise
        yield f"damaged: {problem.orig}"


def _iter_orphans(session: Session) -> Iterator[str]:
    """The references to rows that are missing."""
    for table, row, other, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield f"orphan: row {row} of {table} refers to a missing row of {other}"


def schema_state(connection: Connection) -> SchemaState:
    """The state of the schema behind a connection."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return SchemaState.EMPTY
    if "alembic_version" not in tables:
        return SchemaState.FOREIGN
    revision = _read_revision(connection)
    if not revision and tables == {"alembic_version"}:
        return SchemaState.EMPTY
    if not _REVISION.fullmatch(revision) or not tables >= _CORE_TABLES:
        return SchemaState.FOREIGN
    if revision == head_revision():
        return SchemaState.CURRENT
    return SchemaState.OLDER if revision < head_revision() else SchemaState.NEWER


def _read_revision(connection: Connection) -> str:
    """The revision that a database has by its own table of revisions; empty if it does not name one."""
    revisions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(revisions[0]) if len(revisions) == 1 else ""


def head_revision() -> str:
    """The revision that this version works with: the last of the migrations, which are numbered."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(connection: Connection, *, revision: str = "head") -> None:
    """Brings the database behind a connection to a revision, in the transaction of the caller."""
    # Imported here, as only making and upgrading need it: it takes longer to load than most commands run.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _create_schema(database: Database) -> None:
    """Makes the tables and the built-in profiles in one transaction: a crash leaves all of it or nothing."""
    database.use_write_ahead_log()
    with database.write_connection() as connection:
        lock_schema(connection)
        migrate(connection)
        profiles.add_built_in(connection, BUILT_IN, active=DEFAULT)
        ensure_identity(connection)


@contextmanager
def _closed_on_error(database: Database) -> Iterator[None]:
    """Closes a database that cannot be opened: SQLite removes its -wal and -shm files with the last reader."""
    try:
        yield
    except BaseException:
        database.close()
        raise


def resolve_database(name: str, *, create: bool) -> Database:
    """The database at that URL or path, after a check of the path: SQLite would make an empty file at a mistyped path.

    Raises
    ------
    NoIndexError
        If there is no file and `create` is False.
    DatabaseError
        If the path is a folder, if its folder does not exist, if its log is a link, or if the driver is missing.
    UsageError
        If the URL cannot be read.
    """
    database = Database(parse_database(name))
    path = database.path
    if path is None:
        return database
    if path.is_dir():
        example = " ".join(("--db", quoted(str(path / "indexer.db"))))
        raise DatabaseError(f"database {path} is a folder; name a file in it, for example {example}")
    if not path.parent.is_dir():
        raise DatabaseError(f"database {path}: the folder {path.parent} does not exist; make it first")
    if not path.exists() and not create:
        make = command_line("--db", str(path), "ingest", "FOLDER")
        raise NoIndexError(f"there is no index at {path}; make one with: {make}")
    _require_no_aliases(path)
    return database


def create_database_file(database: Database) -> None:
    """Makes the file of a SQLite index if it is missing, with the access rights of `indexer.files.private`.

    SQLite itself would give the index the rights that the umask leaves. It gives its log the rights of the index.
    Raises `DatabaseError` if the file cannot be made.
    """
    if database.path is None or database.path.exists():
        return
    try:
        os.close(create_file(str(database.path)))
    except FileExistsError:
        return  # another command made it meanwhile
    except OSError as problem:
        raise DatabaseError(
            f"database {database.path}: it cannot be made ({problem.strerror}); check the rights of its folder"
        ) from problem


def _require_no_aliases(path: Path) -> None:
    """Refuses an index whose log files are symbolic links, or have a second name: SQLite would write into that file."""
    for side_file in (f"{path}{ending}" for ending in ("-wal", "-shm", "-journal")):
        try:
            status = os.lstat(side_file)
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise DatabaseError(f"the file {side_file} is a link, or has a second name (a hard link); remove it")


def refusal_message(database: Database, state: SchemaState) -> str:
    """Why a database with this schema state is not opened, and what to type; not for `CURRENT`."""
    return {
        SchemaState.EMPTY: f"database {database.name} is empty; fill it with: "
        f"{command_line('--db', database.name, 'ingest', 'FOLDER')}",
        SchemaState.OLDER: f"database {database.name} is of an older version; "
        f"{'back it up, then ' if database.path is None else ''}type: "
        f"{command_line('--db', database.name, 'db', 'upgrade')}",
        SchemaState.NEWER: f"database {database.name} was made by a newer version of indexer; update indexer to use it",
        SchemaState.FOREIGN: f"database {database.name} belongs to another program; name another file with --db",
    }[state]
