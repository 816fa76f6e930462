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

from indexer.errors import DatabaseError
from indexer.interrupts import uninterrupted
from indexer.store.database import Database
from indexer.store.locks.holders import UNKNOWN_HOLDER, describe_holder, in_use_error

_LOCK_CLASS = 0x1DE8E5  # the first number of all locks of indexer: any that only indexer uses
_INDEX_LOCK = 0
_SCHEMA_LOCK = 2  # cameras have odd numbers
_LOCK_TIMEOUT = "2s"  # for another command that settles what a cut left open
_MAX_NAME_LENGTH = 63  # of a connection


class ServerLock:
    """What one command holds of a server's index: everything (`whole`), or a share of it and some cameras."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._cameras: set[str] = set()
        self._is_shared = False
        self._connection_lock = threading.Lock()  # a batch is written in a thread
        self.exclusive = False

    def acquire_all(self) -> None:
        """Takes everything, and raises if any other command is at work."""
        self.exclusive = self._call("pg_try_advisory_lock", _INDEX_LOCK)
        if not self.exclusive:
            raise self._in_use_error()

    def downgrade(self) -> None:
        """Lets other commands work on cameras that this one does not take; raises if one of them has everything."""
        if not self._is_shared:
            self._is_shared = self._wait_for_index("pg_advisory_lock_shared")
            if not self._is_shared:
                raise self._in_use_error()
        if self.exclusive:
            self._call("pg_advisory_unlock", _INDEX_LOCK)
            self.exclusive = False

    def try_acquire_all(self) -> None:
        """Takes everything if nobody else is at work, or is so no more after a moment."""
        self.exclusive = self._wait_for_index("pg_advisory_lock")

    def acquire(self, camera: str) -> str | None:
        """Who else is at work on a camera; None where it is this command's from now on."""
        if self.exclusive or camera in self._cameras:
            return None
        if self._call("pg_try_advisory_lock", _lock_number(camera)):
            self._cameras.add(camera)
            return None
        return self._get_holder(_lock_number(camera))

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """Takes those of a few cameras that nobody else is at work on, with one question."""
        if self.exclusive:
            return set(cameras)
        not_acquired = [camera for camera in cameras if camera not in self._cameras]
        answers = self._call_each("pg_try_advisory_lock", not_acquired)
        self._cameras |= {camera for camera, free in zip(not_acquired, answers, strict=True) if free}
        return {camera for camera in cameras if camera in self._cameras}

    def list_locked_by_others(self, cameras: Sequence[str]) -> set[str]:
        """Those of the cameras that another command is at work on now, with one question."""
        if self.exclusive:
            return set()
        with self._using_connection():
            locked_numbers = set(self._connection.scalars(_LOCKED_NUMBERS, {"ours": _LOCK_CLASS}))
        return {camera for camera in cameras if _lock_number(camera) in locked_numbers}

    def release(self, cameras: Sequence[str]) -> None:
        """Lets others work on cameras again; those that were not taken stay what they are."""
        to_release = [camera for camera in cameras if camera in self._cameras]
        if to_release:
            self._cameras -= set(to_release)
            self._call_each("pg_advisory_unlock", to_release)

    def raise_if_lost(self) -> None:
        """Raises if the server holds nothing for this command any more: others may be at work on the same by now."""
        with self._using_connection():
            self._connection.execute(text("SELECT 1"))

    @contextmanager
    def _using_connection(self) -> Iterator[None]:
        """Says that the right is lost where the connection is; a new one in its place would hold nothing."""
        try:
            with uninterrupted(), self._connection_lock:
                yield
        except SQLAlchemyError as problem:
            raise DatabaseError(
                f"database {self._database.name}: the connection that held the right to write has ended; nothing more "
                "was written; run the command again, it goes on where it stopped"
            ) from problem

    def _call(self, function: str, number: int) -> bool:
        with self._using_connection():
            return bool(self._connection.scalar(text(f"SELECT {function}(:ours, :number)"), _lock_parameters(number)))

    def _call_each(self, function: str, cameras: Sequence[str]) -> list[bool]:
        """The answer for each camera, all with one question."""
        # Two cameras may have one number: asked for each, so that each time that it is held it is also left.
        query = text(
            f"SELECT {function}(:ours, number) FROM unnest(CAST(:numbers AS int[])) WITH ORDINALITY "
            "AS listed (number, place) ORDER BY place"
        )
        with self._using_connection():
            answers = self._connection.scalars(query, {"ours": _LOCK_CLASS, "numbers": [*map(_lock_number, cameras)]})
            return [bool(answer) for answer in answers]

    def _wait_for_index(self, function: str) -> bool:
        """Whether the lock on the whole could be had within a moment."""
        with self._using_connection():
            self._connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
            try:
                self._connection.execute(text(f"SELECT {function}(:ours, :number)"), _lock_parameters(_INDEX_LOCK))
            except OperationalError as problem:
                if getattr(problem.orig, "sqlstate", None) not in _LOCK_REFUSED_CODES:
                    raise
                return False
            return True

    def _in_use_error(self) -> DatabaseError:
        return in_use_error(self._database.name, self._get_holder(_INDEX_LOCK))

    def _get_holder(self, number: int) -> str:
        """Who holds a lock, as far as the server tells."""
        with self._using_connection():
            row = self._connection.execute(_HOLDER, _lock_parameters(number)).first()
        match = None if row is None else _APPLICATION_NAME.fullmatch(row.application_name or "")
        if row is None or match is None:
            return UNKNOWN_HOLDER
        command, process, host = match.groups()
        return describe_holder(
            command, process=process, host=host, since=row.backend_start.isoformat(timespec="seconds")
        )


@contextmanager
def server_lock(database: Database, *, command: str) -> Iterator[ServerLock]:
    """A right that holds nothing yet; all that it comes to hold ends with the block, or with this process."""
    with (
        database.translated_errors(),
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.detach()  # the locks are the connection's: back in the pool it would go on holding them
        connection.execute(
            text("SELECT set_config('application_name', :name, false)"), {"name": _application_name(command)}
        )
        for setting, seconds in _KEEPALIVE_SETTINGS.items():
            connection.execute(text(f"SET {setting} = {seconds}"))
        lock = ServerLock(connection, database)
        database.before_commit = lock.raise_if_lost
        try:
            yield lock
        finally:
            database.before_commit = None
            with suppress(SQLAlchemyError):  # at once: the server takes its time to see that a connection is closed
                connection.execute(text("SELECT pg_advisory_unlock_all()"))


def lock_schema(connection: Connection) -> None:
    """Waits until no other command makes or changes the tables, and keeps others waiting until the transaction ends.

    On SQLite the transaction itself does so.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:ours, :number)"), _lock_parameters(_SCHEMA_LOCK))


def _lock_number(camera: str) -> int:
    """The number of a camera's lock: 31 bits, none of them the whole's."""
    return (zlib.crc32(camera.encode(errors="surrogatepass")) >> 1) | 1


def _lock_parameters(number: int) -> dict[str, int]:
    return {"ours": _LOCK_CLASS, "number": number}


def _application_name(command: str) -> str:
    """What the connection is called on the server, for a person who looks there and for who is told to wait."""
    ending = f" {os.getpid()}@{platform.node()}"
    return f"indexer {command}"[: max(9, _MAX_NAME_LENGTH - len(ending))] + ending


_LOCK_REFUSED_CODES = {"55P03", "40P01"}  # not in that time, or as another that shares waits for the same
_KEEPALIVE_SETTINGS = {
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
}  # not two hours
_APPLICATION_NAME = re.compile(r"indexer (.+) (\d+)@(.*)")
_LOCKED_NUMBERS = text(
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
