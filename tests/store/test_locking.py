"""The writer's lock: one command at a time, the second is told who the first is, and a dead one holds nothing."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from indexer.errors import DatabaseProblem
from indexer.store.database import Database
from indexer.store.locking import writer_lock
from tests.databases import on_sqlite

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from datetime import UTC, datetime
from indexer.store.locking import writer_lock
from tests.databases import on_sqlite
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
def test_second_writer_is_told_who_holds_it(database: Database) -> None:
    """A second writer is refused at once, with the command, process and time of the first."""
    with held_elsewhere(database) as process:
        since = r"20\d\d-\d\d-\d\dT[\d:]+[+-]\d\d:\d\d"
        told = rf"is being written by 'ingest /frames' \(process {process.pid} on .*, since {since}\)"
        with pytest.raises(DatabaseProblem, match=told), writer_lock(database, command="compare", since=SINCE):
            pass


def test_lock_ends_with_its_process(database: Database) -> None:
    """The lock of a process that was killed is free, whatever its file says."""
    with held_elsewhere(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = monotonic() + 10  # a server takes a moment to notice
        while monotonic() < deadline:
            with suppress(DatabaseProblem), writer_lock(database, command="compare", since=SINCE):
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
    named = pytest.raises(DatabaseProblem, match=r"written by 'prune' \(process")
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
        told = pytest.raises(DatabaseProblem, match="is being written by another command")
        with told, writer_lock(database, command="compare", since=SINCE):
            pass


@on_sqlite
def test_lock_that_cannot_be_made(database: Database) -> None:
    """A lock file that cannot be made is a sentence that says where and why."""
    Path(f"{database.path}.lock").mkdir()
    told = pytest.raises(DatabaseProblem, match=r"the lock .*indexer\.db\.lock cannot be made \(Is a directory\)")
    with told, writer_lock(database, command="compare", since=SINCE):
        pass
