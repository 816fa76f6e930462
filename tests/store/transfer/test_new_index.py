"""A new index: whole at the end or not there, never in the place of another, whatever kind of database it is."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.errors import DatabaseError, IndexerError
from indexer.store.database import Database, parse_database
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import SchemaState, migrate, open_database, schema_state
from indexer.store.transfer.new_index import create_index
from indexer.store.transfer.rows import TableWriter, iter_rows, list_tables
from tests.support.databases import Maker, execute, on_sqlite, rows

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]
FILL = """
import os, signal, sys
from datetime import UTC, datetime
from indexer.store.transfer.rows import TableWriter
from indexer.store.transfer.new_index import create_index
with create_index(sys.argv[1], since=datetime(2026, 1, 1, tzinfo=UTC)) as (database, connection):
    for number in range(1, 60_000, 1000):
        TableWriter(connection, "runs").add([(n, "x" * 2000, "{}", "0", datetime(2026, 1, 1), *[None] * 6)
                                      for n in range(number, number + 1000)])
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def name(maker: Maker, tmp_path: Path) -> str:
    """A database that is not there yet, or empty."""
    return maker.place(tmp_path)


def is_file(name: str) -> bool:
    """Whether a database is a file."""
    return "://" not in name


def run_row(number: int) -> tuple[object, ...]:
    """A row of `runs`."""
    return (number, "ingest", "{}", "0", datetime(2026, 1, 1), *[None] * 6)


def found_with(
    name: str, *numbers: int, then: type[BaseException] | None = None, at_most_pages: int | None = None
) -> None:
    """Makes an index with some runs."""
    with create_index(name, since=NOON) as (_, connection):
        if at_most_pages is not None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {at_most_pages}")
        TableWriter(connection, "runs").add([run_row(number) for number in numbers])
        if then is not None:
            raise then


def shape(name: str) -> SchemaState:
    """What a database looks like."""
    with closing(Database(parse_database(name))) as database, database.read() as session:
        return schema_state(session.connection())


def contents(name: str) -> dict[str, int]:
    """The number of rows of each table that has any."""
    with closing(open_database(name)) as database:
        counts = {table: rows(database, f"SELECT COUNT(*) FROM {table}")[0][0] for table in list_tables()}
    return {table: count for table, count in counts.items() if count}


def test_new_index(name: str) -> None:
    """What is put into a new index is there at the end, and nothing else, built-in profiles neither."""
    found_with(name, 1, 5)
    assert (shape(name), contents(name)) == (SchemaState.CURRENT, {"runs": 2})


def test_an_index_without_images_is_taken(name: str) -> None:
    """An index that holds only what every new one holds is as good as none."""
    open_database(name, create=True).close()
    assert contents(name) == {"preparations": 5, "scorings": 5, "profiles": 5}
    found_with(name, 1)
    assert contents(name) == {"runs": 1}


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO cameras (name) VALUES ('gate')", "UPDATE profiles SET name = 'mine' WHERE name = 'plain'"],
)
def test_nothing_is_written_over(statement: str, name: str) -> None:
    """An index with rows of a person's own is refused, and stays as it is."""
    with closing(open_database(name, create=True)) as database:
        execute(database, statement)
    before = contents(name)
    with pytest.raises(DatabaseError, match="is an index with rows already; name a new one"):
        found_with(name, 1)
    assert contents(name) == before


def test_an_older_index_is_refused(name: str) -> None:
    """An index of an older version is refused with the way to upgrade it."""
    with closing(Database(parse_database(name))) as database, database.write_connection() as connection:
        migrate(connection, revision="0002")
    with pytest.raises(DatabaseError, match=r"older version.* db upgrade"):
        found_with(name, 1)
    assert shape(name) is SchemaState.OLDER


def test_another_program_is_left_alone(name: str) -> None:
    """A database with tables of another program is refused."""
    with closing(Database(parse_database(name))) as database:
        execute(database, "CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(DatabaseError, match="belongs to another program"):
        found_with(name, 1)
    assert shape(name) is SchemaState.FOREIGN


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    """A file that is no database is refused and keeps its bytes."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 100)
    with pytest.raises(DatabaseError, match="no SQLite database"):
        found_with(str(path), 1)
    assert path.read_text() == "Dear Ada, " * 100


@pytest.mark.parametrize("cut", [KeyboardInterrupt, RuntimeError, IndexerError])
def test_what_fails_leaves_nothing(cut: type[BaseException], name: str) -> None:
    """Whatever ends the filling before its end, there is no index, and no file of one."""
    with pytest.raises(cut):
        found_with(name, *range(1, 3000), then=cut)
    assert not is_file(name) or not os.path.exists(name)
    assert shape(name) is SchemaState.EMPTY


def test_killed_in_the_middle(name: str) -> None:
    """Killed with much of it written, the index is empty for all who look, and the next attempt fills it."""
    done = subprocess.run([sys.executable, "-c", FILL, name], env=os.environ | {"PYTHONPATH": str(PROJECT)})
    assert done.returncode == -signal.SIGKILL
    assert not is_file(name) or os.path.getsize(name) > 20_000_000
    if is_file(name):
        with pytest.raises(DatabaseError, match="is empty; fill it"):
            open_database(name)
    found_with(name, 1)
    assert contents(name) == {"runs": 1}


@on_sqlite
def test_disk_full(name: str) -> None:
    """A full disk is reported in one sentence, and nothing is left of the file."""
    with pytest.raises(DatabaseError, match="the disk is full"):
        found_with(name, *range(1, 30_000), at_most_pages=200)
    assert not os.path.exists(name)


def test_nobody_else_writes_meanwhile(name: str) -> None:
    """While an index is being made no other command may write to it, nor is one made where another writes."""
    open_database(name, create=True).close()
    with (
        closing(open_database(name)) as database,
        writer_lock(database, command="ingest", since=NOON),
        pytest.raises(DatabaseError, match="written by"),
    ):
        found_with(name, 1)
    assert "runs" not in contents(name)


def test_new_rows_are_numbered_on(name: str) -> None:
    """A row that comes later has the number after the highest that was put in; in an empty table, the first."""
    found_with(name, 3, 41)
    with closing(open_database(name)) as database:
        execute(database, "INSERT INTO cameras (name) VALUES ('gate')")
        execute(
            database,
            "INSERT INTO runs (command, arguments, version, started_at) VALUES ('a', '', '', '2026-01-01')",
        )
        assert rows(database, "SELECT id FROM runs ORDER BY id") == [(3,), (41,), (42,)]
        assert rows(database, "SELECT id FROM cameras") == [(1,)]


@on_sqlite
def test_readers_and_a_writer_go_together(name: str) -> None:
    """A new file writes ahead like any other index."""
    found_with(name, 1)
    with closing(sqlite3.connect(name)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_was_put_in_can_be_read_before_it_counts(name: str) -> None:
    """The connection that fills sees its own rows, and nobody else does until the end."""
    with create_index(name, since=NOON) as (database, connection):
        TableWriter(connection, "runs").add([run_row(1)])
        assert [list(some) for some in iter_rows(database, connection, "runs")] == [[run_row(1)]]
        if not is_file(name):
            assert shape(name) is SchemaState.EMPTY
