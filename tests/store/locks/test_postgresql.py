"""The right to write on a server: others may work on other cameras, and a lock that is lost lets nothing be written."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from indexer.errors import DatabaseError
from indexer.store.database import Database
from indexer.store.locks.postgresql import lock_number
from indexer.store.locks.writer_lock import WriteLock, writer_lock
from tests.support.apart import until
from tests.support.connections import ADVISORY_LOCKS, END_OTHERS
from tests.support.databases import on_postgresql, rows

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from datetime import UTC, datetime
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import open_database
since = datetime(2026, 1, 1, tzinfo=UTC)
with writer_lock(open_database(sys.argv[1]), command="compare", since=since, by_camera=True) as right:
    assert right.acquire("gate") is None
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(database: Database) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on the camera `gate` until the end of the block."""
    url = database.url.render_as_string(hide_password=False)
    surroundings = os.environ | {"PYTHONPATH": str(PROJECT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], env=surroundings, stdin=pipe, stdout=pipe, text=True
    ) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        yield held


@contextmanager
def another(
    database: Database, *, command: str = "ingest", by_camera: bool = True, settling: bool = False
) -> Iterator[tuple[Database, WriteLock]]:
    """Another command on the same index: its own connections, and its right."""
    own = Database(database.url)
    try:
        with writer_lock(own, command=command, since=SINCE, by_camera=by_camera, recovering=settling) as right:
            yield own, right
    finally:
        own.close()


@on_postgresql
def test_two_work_on_two_cameras(database: Database) -> None:
    """Of two commands that work by camera each has its own, and is told of the other where they meet."""
    with another(database, command="compare") as (_, one), another(database) as (_, two):
        assert (one.acquire("gate"), two.acquire("yard"), two.acquire("yard")) == (None, None, None)
        told = one.acquire("yard") or ""
    assert told.startswith(f"'ingest' (process {os.getpid()} on ")
    assert (one.exclusive, two.exclusive) == (False, False)


@on_postgresql
def test_a_camera_that_is_left_is_free(database: Database) -> None:
    """A camera can be taken by others as soon as it is left, and by the first again after them."""
    with another(database) as (_, one), another(database) as (_, two):
        assert one.acquire("gate") is None
        one.release(["gate"])
        assert two.acquire("gate") is None
        assert one.acquire("gate") is not None
        two.release(["gate"])
        assert one.acquire("gate") is None


@on_postgresql
def test_who_needs_everything_waits_for_all(database: Database) -> None:
    """A command on the whole index is refused while another works on a camera, told who, and the other way round."""
    told = r"is being written by '{}' \(process \d+ on .*, since 20\d\d-\d\d-\d\dT[\d:]+[+-]\d\d:\d\d\); wait for it"
    for command, whole in (("compare", False), ("prune", True)):
        refused = pytest.raises(DatabaseError, match=told.format(command))
        with another(database, command=command, by_camera=not whole), refused, another(database, by_camera=whole):
            pass


@on_postgresql
def test_a_share_grows_only_alone(database: Database) -> None:
    """What concerns all cameras is done by one who shares with nobody; then it shares again."""
    with another(database) as (_, one):
        with another(database), pytest.raises(DatabaseError, match="written by 'ingest'"):
            one.acquire_all()
        one.acquire_all()
        with pytest.raises(DatabaseError, match="written by 'ingest'"), another(database):
            pass
        one.downgrade()
        with another(database) as (_, two):
            assert two.acquire("gate") is None


@on_postgresql
def test_one_settles_and_then_shares(database: Database) -> None:
    """Who is to settle begins with everything if nobody else is at work, and else with a share."""
    with another(database, settling=True) as (_, one):
        assert one.exclusive
        one.downgrade()
        with another(database, settling=True) as (_, two):
            assert (one.exclusive, two.exclusive, two.acquire("gate")) == (False, False, None)


@on_postgresql
def test_the_locks_of_a_killed_command_are_free(database: Database) -> None:
    """A command that was killed holds neither its camera nor its share."""
    with held_elsewhere(database) as process:
        with another(database) as (_, right):
            assert f"process {process.pid} on" in (right.acquire("gate") or "")
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(
            lambda: not rows(database, f"SELECT 1 FROM {ADVISORY_LOCKS} AND objid > 0")
        )  # the server sees it when it has time
        with another(database, by_camera=False) as (_, right):
            assert right.exclusive


@on_postgresql
def test_a_lost_lock_lets_nothing_be_written(database: Database) -> None:
    """Where the server has given a command's locks up, what it writes is not committed, and it is told why."""

    def write() -> None:
        with own.write() as session:
            session.execute(text("INSERT INTO cameras (name) VALUES ('gate')"))

    with another(database) as (own, _):
        rows(database, f"{END_OTHERS} AND pid IN (SELECT pid FROM {ADVISORY_LOCKS} AND objsubid = 2)")
        for _ in range(2):
            with pytest.raises(DatabaseError, match="the connection that held the lock has ended"):
                write()
    assert rows(database, "SELECT COUNT(*) FROM cameras") == [(0,)]
    with another(database, by_camera=False) as (own, _):
        write()
    assert rows(database, "SELECT COUNT(*) FROM cameras") == [(1,)]


@given(st.text())
def test_no_camera_has_the_number_of_the_whole(camera: str) -> None:
    """The lock of a camera, whatever its name, is none of the whole index, and has a number that servers take."""
    assert 0 < lock_number(camera) < 2**31
