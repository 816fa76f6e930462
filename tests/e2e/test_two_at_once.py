"""Two at once: a second writer is told who the first is, a dead one holds nothing, and readers never wait."""

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.store import database as store
from indexer.store.database import Database, parse_database
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import migrate
from tests.support.apart import answer, facts, images, left_behind, rows, shoot, started, until
from tests.support.command import Run

HOLD = """
import sys
from datetime import UTC, datetime
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.runs.run import record_run
from sqlalchemy import text
database = open_database(sys.argv[1])
with record_run(database, "ingest", arguments={}, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)):
    with database.write() as session:
        session.execute(text("DELETE FROM decisions"))
        session.execute(text("UPDATE images SET state = 'missing'"))
        print("held", flush=True)
        sys.stdin.read()
"""
"""A writing command in the middle of a transaction that changes everything."""

WRITERS: list[list[Any]] = [
    ["ingest", "frames"],
    ["compare"],
    ["prune", "--yes"],
    ["restore", "--all"],
    ["purge", "--all", "--yes"],
    ["pin", "1"],
    ["unpin", "1"],
    ["profile", "make", "mine", "--max-score", "5"],
]
READERS: list[list[Any]] = [
    ["status"],
    ["audit", "unwitnessed"],
    ["explain", 1],
    ["explain", 1, 2],
    ["db", "check"],
    ["profile", "list"],
    ["prune", "--dry-run"],
]


@pytest.fixture
def lot(own_home: Path, run: Run) -> Path:
    """A folder with frames and an index of them, decided; commands of this process work in it."""
    shoot(own_home / "frames", cameras=1, frames=8)
    assert [run(*words, "--processes", 1).code for words in (["ingest", "frames"], ["compare"])] == [0, 0]
    return own_home


@contextmanager
def held(lot: Path) -> Iterator[subprocess.Popen[str]]:
    """A writing command in the middle of its transaction, in a process of its own."""
    with started(lot / "indexer.db", folder=lot, program=HOLD) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_second_writer_is_refused_and_readers_are_not(lot: Path, run: Run) -> None:
    """While one command is in the middle of a transaction, no other writes, and all who read see what was before."""
    index = lot / "indexer.db"
    before, files = facts(index), images(lot / "frames")
    with held(lot) as holder:
        said = f"'ingest' (process {holder.pid} on "
        for words in WRITERS:
            refused = run(*words)
            assert (refused.code, refused.err.count("\n")) == (1, 1), (words, refused)
            assert said in refused.err, words
            assert "since 2026-01-01T00:00:00+00:00); wait for it" in refused.err, words
        assert [(words, run(*words).code) for words in READERS] == [(words, 0) for words in READERS]
        decided = run("audit", "--sql", "SELECT COUNT(*) FROM audit_decisions", "--json")
        assert decided.document["rows"] == [[8]]
    assert (facts(index), images(lot / "frames")) == (before, files)


def test_lock_of_a_killed_command_is_taken_over(lot: Path, run: Run) -> None:
    """A command that was killed holds nothing, though its name still stands in the lock; its half change is gone."""
    before = facts(lot / "indexer.db")
    with held(lot) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert json.loads((lot / "indexer.db.lock").read_text())["pid"] == holder.pid
        assert (facts(lot / "indexer.db"), run("pin", 1).code) == (before, 0)
    assert run("unpin", 1).code == 0


def test_two_real_commands_start_at_once(tmp_path: Path) -> None:
    """Of two commands that start together at least one does its work; the other is refused or has nothing to do."""
    shoot(tmp_path / "frames", cameras=2, frames=40)
    assert answer("db", "upgrade", folder=tmp_path).code == 0
    with started("ingest", "frames", folder=tmp_path) as first, started("ingest", "frames", folder=tmp_path) as second:
        ends = [(process.communicate(timeout=120), process.returncode) for process in (first, second)]
    codes = sorted(code for _, code in ends)
    assert codes in ([0, 0], [0, 1])
    assert all(code == 0 or "'ingest' (process" in err for (_, err), code in ends)
    assert rows(tmp_path / "indexer.db", "SELECT COUNT(*), COUNT(DISTINCT path) FROM images") == [(80, 80)]
    assert until(lambda: left_behind(tmp_path) == [])


def test_two_commands_make_one_index(tmp_path: Path) -> None:
    """Where there is no index yet, two that start together make one, and nobody sees half of it."""
    shoot(tmp_path / "frames", cameras=1, frames=4)
    with started("ingest", "frames", folder=tmp_path) as first, started("ingest", "frames", folder=tmp_path) as second:
        ends = [(process.communicate(timeout=120), process.returncode) for process in (first, second)]
    assert {code for _, code in ends} <= {0, 1}, ends
    assert answer("ingest", "frames", folder=tmp_path).code == 0
    assert answer("db", "check", folder=tmp_path).code == 0
    assert rows(tmp_path / "indexer.db", "SELECT COUNT(*) FROM images") == [(4,)]


def test_another_program_in_the_database(lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another program writes to the database and does not end, a command gives up with one sentence."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 100)
    before = facts(lot / "indexer.db")
    with closing(sqlite3.connect(lot / "indexer.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = run("pin", 1)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "try again when" in refused.err
    assert facts(lot / "indexer.db") == before


def test_an_index_is_not_upgraded_under_a_writer(own_home: Path, run: Run) -> None:
    """While a command of an older version is at work, the upgrade is refused and told who that is."""
    older = Database(parse_database("indexer.db"))
    with older.write_connection() as connection:
        migrate(connection, revision="0002")
    with writer_lock(older, command="ingest", since=datetime(2026, 1, 1, tzinfo=UTC)):
        refused = run("db", "upgrade")
        assert rows(own_home / "indexer.db", "SELECT version_num FROM alembic_version") == [("0002",)]
    assert (refused.code, "'ingest' (process" in refused.err) == (1, True)
    assert run("db", "upgrade").code == 0
    older.close()


def test_workers_do_not_hold_the_lock(lot: Path) -> None:
    """The lock's file closes where a program is executed: workers that outlive a killed command do not hold it."""
    with held(lot) as holder:
        lock = next(fd for fd in Path(f"/proc/{holder.pid}/fd").iterdir() if fd.readlink().name == "indexer.db.lock")
        said = dict(
            line.split(":\t") for line in Path(f"/proc/{holder.pid}/fdinfo/{lock.name}").read_text().splitlines()
        )
    assert int(said["flags"], 8) & os.O_CLOEXEC
