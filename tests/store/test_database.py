"""The database: what SQLite is told on connecting, what a transaction leaves behind, and what its errors say."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, func, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from indexer.errors import DatabaseError, IndexerError, UsageError
from indexer.store.database import Database, parse_database
from indexer.store.schema import open_database
from indexer.store.tables import CameraRow, PinRow
from tests.support.databases import on_sqlite

PASSWORD = "hunter2"  # what no message may say


def count_cameras(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CameraRow)) or 0


def set_up(database: Database, *statements: str) -> None:
    """Executes this on every later connection."""

    def say(connection: sqlite3.Connection, _record: Any) -> None:
        for statement in statements:
            connection.execute(statement)

    database.close()
    event.listen(database.engine, "connect", say)


@on_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("foreign_keys", 1), ("busy_timeout", 10_000), ("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1)],
)
def test_every_connection_is_set_up(database: Database, pragma: str, value: object) -> None:
    """SQLite enforces references, waits for others, writes ahead, and syncs every commit."""
    database.close()  # what the tests used does not sync
    with closing(database.engine.raw_connection()) as connection:
        assert connection.cursor().execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_orphans_are_refused(database: Database) -> None:
    """A row that refers to a missing row is not written."""
    with pytest.raises(DatabaseError, match=r"(?i)foreign key"), database.write() as session:
        session.execute(text("INSERT INTO pins VALUES (1, 999, 'pin', '2026-01-01', NULL, 999)"))
    with database.read() as session:
        assert session.scalars(select(PinRow)).all() == []


def test_write_commits_at_its_end(database: Database) -> None:
    """What a write did is there for the next reader."""
    with database.write() as session:
        session.execute(insert(CameraRow).values(name="gate"))
    with database.read() as session:
        assert count_cameras(session) == 1


def test_write_that_fails_leaves_nothing(database: Database) -> None:
    """An exception in a write takes back all it did, and passes on as it is."""

    def fail(session: Session) -> None:
        session.execute(insert(CameraRow).values(name="gate"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.write() as session:
        fail(session)
    with database.read() as session:
        assert count_cameras(session) == 0


def test_read_leaves_nothing(database: Database) -> None:
    """What is written in a read is not kept; a server refuses it."""
    with suppress(DatabaseError), database.read() as session:
        session.execute(insert(CameraRow).values(name="gate"))
    with database.read() as session:
        assert count_cameras(session) == 0


def test_read_sees_one_moment(database: Database) -> None:
    """A reader goes on seeing what was there when it began, while a writer commits beside it."""
    with database.read() as reader:
        before = count_cameras(reader)
        with database.write() as writer:
            writer.execute(insert(CameraRow).values(name="gate"))
        assert (before, count_cameras(reader)) == (0, 0)


@on_sqlite
def test_two_writers_do_not_meet(database: Database) -> None:
    """A write that begins while another is under way is refused before it did anything, and told what to do."""
    set_up(database, "PRAGMA busy_timeout = 1")
    with database.write() as first:
        first.execute(insert(CameraRow).values(name="gate"))
        busy = pytest.raises(DatabaseError, match="another program is writing to it; try again")
        with busy, database.write() as second:
            second.execute(insert(CameraRow).values(name="lot"))
    with database.read() as session:
        assert session.scalars(select(CameraRow.name)).all() == ["gate"]


@on_sqlite
@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("PRAGMA query_only = ON", "it cannot be written to; check the rights of the file and of its folder"),
        ("PRAGMA max_page_count = 1", "the disk is full; free some space and run the command again"),
    ],
)
def test_what_sqlite_says_is_translated(database: Database, statement: str, advice: str) -> None:
    """A read-only file and a full disk are one sentence that names the database and says what to do."""
    set_up(database, statement)
    with pytest.raises(DatabaseError, match=advice) as problem, database.write() as session:
        session.execute(insert(CameraRow).values(name="gate" * 100_000))
    assert str(problem.value).startswith(f"database {database.path}: ")
    assert "\n" not in str(problem.value)


@on_sqlite
def test_vanished_folder(database: Database) -> None:
    """A database whose folder is gone cannot be opened, and the sentence says so."""
    database.close()
    assert database.path is not None
    database.path.parent.rename(database.path.parent.with_name("elsewhere"))
    with (
        pytest.raises(DatabaseError, match="cannot be opened; check that its folder exists"),
        database.read() as session,
    ):
        count_cameras(session)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("indexer.db", "{home}/indexer.db"),
        ("a b/ä?#%41.db", "{home}/a b/ä?#%41.db"),
        ("/srv/indexer.db", "/srv/indexer.db"),
        ("sqlite:///indexer.db", "{home}/indexer.db"),
        ("sqlite:////srv/indexer.db", "/srv/indexer.db"),
    ],
)
def test_paths_and_urls_of_files(own_home: Path, given: str, path: str) -> None:
    """A path or a SQLite URL becomes the absolute path of a file."""
    url = parse_database(given)
    assert (url.get_backend_name(), url.database) == ("sqlite", path.format(home=own_home))


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///:memory:"])
def test_memory_is_no_place(given: str) -> None:
    """An index in memory is refused: it would be lost at the end of the command."""
    with pytest.raises(UsageError, match="would be lost at once; give a path"):
        parse_database(given)


@pytest.mark.parametrize("name", ["ä b?#%41.db", "caf\udce9.db"])
def test_odd_file_names(tmp_path: Path, name: str) -> None:
    """A database may be called what a file may be called, bytes that are not UTF-8 included."""
    open_database(str(tmp_path / name), create=True).close()
    assert [path.name for path in tmp_path.glob("*.db")] == [name]
    open_database(str(tmp_path / name)).close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:{}@127.0.0.1:1/index",
        "postgresql://ada:{}@127.0.0.1:port/index",
        "nonsense://ada:{}@host/index",
        "postgresql+nonsense://ada:{}@host/index",
        "mysql://ada:{}@127.0.0.1:1/index",
    ],
)
def test_passwords_are_never_shown(url: str) -> None:
    """Whatever is wrong with a URL, no message says its password."""
    with pytest.raises(IndexerError) as problem:
        open_database(url.format(PASSWORD))
    assert PASSWORD not in str(problem.value)


def test_a_server_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server says goes out under the URL of the database, without its password."""
    engine = create_engine("sqlite://")  # the driver of a server may be missing
    monkeypatch.setattr("indexer.store.database.create_engine", lambda _url, **_: engine)
    database = Database(parse_database(f"postgresql+psycopg://ada:{PASSWORD}@host/index"))
    said = str(database.translate_error(OperationalError("SELECT 1", {}, Exception("out of\nsorts"))))
    assert said == "database postgresql+psycopg://ada:***@host/index: out of"


def test_a_missing_driver_is_named() -> None:
    """A URL whose driver is not installed says what to install."""
    with pytest.raises(DatabaseError, match=r"no driver for nonsense databases .* pip install 'psycopg\[binary\]'"):
        Database(parse_database("nonsense://host/index"))
