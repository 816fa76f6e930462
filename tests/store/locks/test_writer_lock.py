"""The writer's lock: one command at a time, the second is told who the first is, and a dead one holds nothing."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.errors import DatabaseError, IndexInUseError
from indexer.store import runs
from indexer.store.database import Database
from indexer.store.locks import writer_lock as locking
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import open_database
from tests.support.connections import END_OTHERS
from tests.support.databases import execute, on_postgresql, on_sqlite

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from datetime import UTC, datetime
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import open_database
with writer_lock(open_database(sys.argv[1]), command="ingest /frames", since=datetime(2026, 1, 1, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(database: Database) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until the end of the block."""
    command = [sys.executable, "-c", HOLD, database.url.render_as_string(hide_password=False)]
    surroundings = os.environ | {"PYTHONPATH": str(PROJECT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=surroundings, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


@on_sqlite
def test_second_writer_learns_who_has_the_lock(database: Database) -> None:
    """A second writer is refused at once, with the command, process and time of the first."""
    with held_elsewhere(database) as process:
        since = r"20\d\d-\d\d-\d\dT[\d:]+[+-]\d\d:\d\d"
        told = rf"is being written by 'ingest /frames' \(process {process.pid} on .*, since {since}\)"
        with pytest.raises(DatabaseError, match=told), writer_lock(database, command="compare", since=SINCE):
            pass


def test_lock_ends_with_its_process(database: Database) -> None:
    """The lock of a process that was killed is free, whatever its file says."""
    with held_elsewhere(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 60  # a server takes a moment to notice
        while time.monotonic() < deadline:
            with suppress(DatabaseError), writer_lock(database, command="compare", since=SINCE):
                return
    pytest.fail("it is held still")


@on_sqlite
@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_lock_ends_with_its_block(database: Database, error: type[BaseException] | None) -> None:
    """The lock is free after its block, however the block ends, and the next holder is the one who is named."""
    try:
        with writer_lock(database, command="a command with a long name", since=SINCE):
            raise error() if error is not None else StopIteration
    except (StopIteration, ZeroDivisionError, KeyboardInterrupt):
        pass
    named = pytest.raises(DatabaseError, match=r"written by 'prune' \(process")
    with writer_lock(database, command="prune", since=SINCE), named, writer_lock(database, command="x", since=SINCE):
        pass


def test_readers_do_not_wait(database: Database) -> None:
    """Who only reads is not held up by the lock."""
    with writer_lock(database, command="ingest", since=SINCE), database.read() as session:
        assert session.connection().exec_driver_sql("SELECT COUNT(*) FROM images").scalar() == 0


@on_sqlite
@pytest.mark.parametrize("said", ["", "not json", "[]", '{"command": "ingest"}'])
def test_unreadable_holder(database: Database, said: str) -> None:
    """A lock whose file does not say who holds it is a lock all the same."""
    with Path(f"{database.path}.lock").open("w") as file:
        file.write(said)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        told = pytest.raises(DatabaseError, match="is being written by another command")
        with told, writer_lock(database, command="compare", since=SINCE):
            pass


@on_sqlite
def test_holder_that_writes_its_name_a_moment_later(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused in the moment between the lock and its record learns all the same whose batch it is; a lock that
    was released names nobody."""
    with writer_lock(database, command="prune", since=SINCE):
        pass
    record = {"command": "watch", "pid": 7, "host": "h", "since": SINCE.isoformat(), "batch": True}
    with Path(f"{database.path}.lock").open("r+") as file:
        assert file.read() == ""
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(time, "sleep", lambda _pause_s: (file.write(json.dumps(record)), file.flush()))
        with (
            pytest.raises(IndexInUseError, match="'watch'") as refused,
            writer_lock(database, command="a", since=SINCE),
        ):
            pass
    assert refused.value.is_batch


@on_sqlite
def test_lock_that_cannot_be_made(database: Database) -> None:
    """A lock file that cannot be made is a sentence that says where and why."""
    Path(f"{database.path}.lock").mkdir()
    told = pytest.raises(DatabaseError, match=r"the lock .*indexer\.db\.lock cannot be made \(Is a directory\)")
    with told, writer_lock(database, command="compare", since=SINCE):
        pass


@on_sqlite
def test_an_index_by_a_link_is_the_same_index(database: Database, tmp_path: Path) -> None:
    """Who comes by a link to the index, or to its folder, meets the lock of who came by its own name."""
    (tmp_path / "link.db").symlink_to(database.path or "")
    (tmp_path / "folder").symlink_to((database.path or Path()).parent)
    for name in (tmp_path / "link.db", tmp_path / "folder" / "indexer.db"):
        other = open_database(str(name))
        told = pytest.raises(DatabaseError, match=r"written by 'ingest' \(process")
        with writer_lock(database, command="ingest", since=SINCE), told, writer_lock(other, command="x", since=SINCE):
            pass
        other.close()
    assert list(tmp_path.glob("*.lock")) == []


def write_a_run(database: Database) -> None:
    """A transaction that leaves a row."""
    with database.write() as session:
        runs.start_run(session, "ingest", arguments={}, at=SINCE)


@on_sqlite
@pytest.mark.parametrize("harm", ["removed", "made anew", "another index"])
def test_a_lost_lock_is_found_out_before_a_commit(database: Database, harm: str) -> None:
    """Whose lock, or whose index, was removed or replaced commits nothing more, and says why."""
    path = database.path or Path()
    with writer_lock(database, command="prune", since=SINCE) as right:
        write_a_run(database)
        gone = path if harm == "another index" else Path(f"{path}.lock")
        gone.rename(f"{gone}.gone")
        if harm != "removed":
            gone.write_bytes(b"")
        told = pytest.raises(DatabaseError, match="was removed or replaced during this command")
        with told:
            right.raise_if_lost()
        with told:
            write_a_run(database)
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT COUNT(*) FROM runs").scalar() == 1


@on_sqlite
def test_an_index_with_two_names_is_not_written_to(database: Database, tmp_path: Path) -> None:
    """An index with a hard link has two locks and two logs: no command writes to it until one name is gone."""
    os.link(database.path or "", tmp_path / "other.db")
    told = pytest.raises(DatabaseError, match="has 2 names")
    with told, writer_lock(database, command="ingest", since=SINCE):
        pass
    (tmp_path / "other.db").unlink()
    with writer_lock(database, command="ingest", since=SINCE):
        pass


@on_sqlite
def test_an_index_that_is_mounted_as_a_file_is_not_written_to(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that is mounted without its log and its lock, as into a container, is refused with the way out."""
    monkeypatch.setattr(locking, "is_mount_point", lambda path: path == str(database.path))
    told = pytest.raises(DatabaseError, match="mount the folder it lies in")
    with told, writer_lock(database, command="ingest", since=SINCE):
        pass


@on_sqlite
@pytest.mark.parametrize("kind", ["link", "hard link", "file"])
def test_a_file_that_is_no_lock_is_not_written_to(database: Database, tmp_path: Path, kind: str) -> None:
    """What lies in the place of the lock and is not one, or leads elsewhere, is refused and keeps every byte."""
    precious, lock = tmp_path / "precious", Path(f"{database.path}.lock")
    precious.write_bytes(b"the only copy")
    {"link": lock.symlink_to, "hard link": lock.hardlink_to, "file": lambda one: lock.write_bytes(one.read_bytes())}[
        kind
    ](precious)
    with pytest.raises(DatabaseError, match=r"the (file|lock) "), writer_lock(database, command="x", since=SINCE):
        pass
    assert (precious.read_bytes(), lock.read_bytes()) == (b"the only copy",) * 2


@on_sqlite
def test_a_lock_that_was_cut_in_the_middle_of_its_words_is_taken(database: Database) -> None:
    """A lock file that a crash left with half of its words is a lock."""
    Path(f"{database.path}.lock").write_bytes(b'{"comm')
    with writer_lock(database, command="ingest", since=SINCE):
        pass


@on_postgresql
def test_an_ended_connection_is_found_out_before_a_file_goes(database: Database) -> None:
    """On a server, a command that lost the connection with its lock gets an error when it asks, and commits nothing."""
    told = pytest.raises(DatabaseError, match="the connection that held the lock has ended")
    with writer_lock(database, command="prune", since=SINCE) as right:
        right.raise_if_lost()
        execute(database, f"{END_OTHERS} AND application_name LIKE 'indexer prune%'")
        with told:
            right.raise_if_lost()
        with told:
            write_a_run(database)
