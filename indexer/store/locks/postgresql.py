"""The right to write on a server: advisory locks, one for the whole index and one for each camera.

They belong to one connection, so that a command that dies frees them, and a host that vanishes does within a minute.
It does not know what is written. A lock that the server has given up, as when it was restarted, is found out before
anything is committed.

Decision: commands that work camera by camera share the whole and hold cameras alone; all others hold the whole alone.
A camera's lock has a number made of its name, as a camera may be new; where two names make one number, the two cameras
wait for each other and nothing worse. Enforced by tests/store/locks/test_postgresql.py.
"""

import os
import platform
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from indexer.errors import DatabaseProblem
from indexer.interrupts import uninterrupted
from indexer.store.database import Database
from indexer.store.locks.holders import UNKNOWN, holder, taken

_OURS = 0x1DE8E5  # the first number of all locks of indexer: any that only indexer uses
_WHOLE = 0
_SHAPE = 2  # cameras have odd numbers
_PATIENCE = "2s"  # for another command that settles what a cut left open
_LONGEST_NAME = 63  # of a connection


class ServerRight:
    """What one command holds of a server's index: everything (`whole`), or a share of it and some cameras."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._cameras: set[str] = set()
        self._shares = False
        self._one_at_a_time = threading.Lock()  # a batch is written in a thread
        self.whole = False

    def take_all(self) -> None:
        """Takes everything, and raises if any other command is at work."""
        self.whole = self._ask("pg_try_advisory_lock", _WHOLE)
        if not self.whole:
            raise self._taken()

    def share(self) -> None:
        """Lets other commands work on cameras that this one does not take; raises if one of them has everything."""
        if not self._shares:
            self._shares = self._wait("pg_advisory_lock_shared")
            if not self._shares:
                raise self._taken()
        if self.whole:
            self._ask("pg_advisory_unlock", _WHOLE)
            self.whole = False

    def try_all(self) -> None:
        """Takes everything if nobody else is at work, or is so no more after a moment."""
        self.whole = self._wait("pg_advisory_lock")

    def take(self, camera: str) -> str | None:
        """Who else is at work on a camera; None where it is this command's from now on."""
        if self.whole or camera in self._cameras:
            return None
        if self._ask("pg_try_advisory_lock", _number(camera)):
            self._cameras.add(camera)
            return None
        return self._holder(_number(camera))

    def take_free(self, cameras: Sequence[str]) -> set[str]:
        """Takes those of a few cameras that nobody else is at work on, with one question."""
        if self.whole:
            return set(cameras)
        wanted = [camera for camera in cameras if camera not in self._cameras]
        got = self._ask_each("pg_try_advisory_lock", wanted)
        self._cameras |= {camera for camera, free in zip(wanted, got, strict=True) if free}
        return {camera for camera in cameras if camera in self._cameras}

    def others(self, cameras: Sequence[str]) -> set[str]:
        """Those of the cameras that another command is at work on now, with one question."""
        if self.whole:
            return set()
        with self._connected():
            taken = set(self._connection.scalars(_TAKEN, {"ours": _OURS}))
        return {camera for camera in cameras if _number(camera) in taken}

    def leave(self, cameras: Sequence[str]) -> None:
        """Lets others work on cameras again; those that were not taken stay what they are."""
        left = [camera for camera in cameras if camera in self._cameras]
        if left:
            self._cameras -= set(left)
            self._ask_each("pg_advisory_unlock", left)

    def require(self) -> None:
        """Raises if the server holds nothing for this command any more: others may be at work on the same by now."""
        with self._connected():
            self._connection.execute(text("SELECT 1"))

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Says that the right is lost where the connection is; a new one in its place would hold nothing."""
        try:
            with uninterrupted(), self._one_at_a_time:
                yield
        except SQLAlchemyError as problem:
            raise DatabaseProblem(
                f"database {self._database.name}: the connection that held the right to write has ended; nothing more "
                "was written; run the command again, it goes on where it stopped"
            ) from problem

    def _ask(self, function: str, number: int) -> bool:
        with self._connected():
            return bool(self._connection.scalar(text(f"SELECT {function}(:ours, :number)"), _key(number)))

    def _ask_each(self, function: str, cameras: Sequence[str]) -> list[bool]:
        """The answer for each camera, all with one question."""
        # Two cameras may have one number: asked for each, so that each time that it is held it is also left.
        query = text(
            f"SELECT {function}(:ours, number) FROM unnest(CAST(:numbers AS int[])) WITH ORDINALITY "
            "AS listed (number, place) ORDER BY place"
        )
        with self._connected():
            answers = self._connection.scalars(query, {"ours": _OURS, "numbers": [*map(_number, cameras)]})
            return [bool(answer) for answer in answers]

    def _wait(self, function: str) -> bool:
        """Whether the lock on the whole could be had within a moment."""
        with self._connected():
            self._connection.execute(text(f"SET lock_timeout = '{_PATIENCE}'"))
            try:
                self._connection.execute(text(f"SELECT {function}(:ours, :number)"), _key(_WHOLE))
            except OperationalError as problem:
                if getattr(problem.orig, "sqlstate", None) not in _REFUSED:
                    raise
                return False
            return True

    def _taken(self) -> DatabaseProblem:
        return taken(self._database.name, self._holder(_WHOLE))

    def _holder(self, number: int) -> str:
        """Who holds a lock, as far as the server tells."""
        with self._connected():
            found = self._connection.execute(_HOLDER, _key(number)).first()
        named = None if found is None else _NAME.fullmatch(found.application_name or "")
        if found is None or named is None:
            return UNKNOWN
        command, process, host = named.groups()
        return holder(command, process=process, host=host, since=found.backend_start.isoformat(timespec="seconds"))


@contextmanager
def server_right(database: Database, *, command: str) -> Iterator[ServerRight]:
    """A right that holds nothing yet; all that it comes to hold ends with the block, or with this process."""
    with (
        database.translated(),
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.detach()  # the locks are the connection's: back in the pool it would go on holding them
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": _name(command)})
        for setting, seconds in _KEPT_ALIVE.items():
            connection.execute(text(f"SET {setting} = {seconds}"))
        right = ServerRight(connection, database)
        database.guard = right.require
        try:
            yield right
        finally:
            database.guard = None
            with suppress(SQLAlchemyError):  # at once: the server takes its time to see that a connection is closed
                connection.execute(text("SELECT pg_advisory_unlock_all()"))


def hold_shape(connection: Connection) -> None:
    """Waits until no other command makes or changes the tables, and keeps others waiting until the transaction ends.

    On SQLite the transaction itself does so.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:ours, :number)"), _key(_SHAPE))


def _number(camera: str) -> int:
    """The number of a camera's lock: 31 bits, none of them the whole's."""
    return (zlib.crc32(camera.encode(errors="surrogatepass")) >> 1) | 1


def _key(number: int) -> dict[str, int]:
    return {"ours": _OURS, "number": number}


def _name(command: str) -> str:
    """What the connection is called on the server, for a person who looks there and for who is told to wait."""
    ending = f" {os.getpid()}@{platform.node()}"
    return f"indexer {command}"[: max(9, _LONGEST_NAME - len(ending))] + ending


_REFUSED = {"55P03", "40P01"}  # not in that time, or as another that shares waits for the same
_KEPT_ALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}  # not two hours
_NAME = re.compile(r"indexer (.+) (\d+)@(.*)")
_TAKEN = text(
    """
    SELECT objid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND classid = :ours AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)
_HOLDER = text(
    """
    SELECT activity.application_name, activity.backend_start
    FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted AND held.pid <> pg_backend_pid()
        AND held.classid = :ours AND held.objid = :number AND held.objsubid = 2
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY activity.backend_start LIMIT 1
    """
)
