"""The writer lock on PostgreSQL: advisory locks, one for the whole index and one for each camera.

They belong to one connection. If a command crashes, they are free at once; if its host disappears, within a minute. If
the server drops a lock, for example in a restart, this is detected before anything is committed. The module does not
know what is written.

Decision 0025: camera by camera: the index lock shared, and camera locks exclusively.
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

from indexer.errors import DatabaseError, IndexInUseError
from indexer.interrupts import uninterrupted
from indexer.store.database import Database
from indexer.store.locks.holders import UNKNOWN_HOLDER, describe_holder, in_use_error

_LOCK_CLASS = 0x1DE8E5  # the first number of all locks of indexer: arbitrary, but only indexer uses it
_RUN_LOCK_CLASS = 0x1DE8E6  # the first number of the locks that show which long runs are at work
_INDEX_LOCK = 0
_SCHEMA_LOCK, _NAMING_LOCK = 2, 4  # cameras have odd numbers
_LOCK_TIMEOUT = "2s"  # another command may be recovering after a crash
_MAX_NAME_LENGTH = 63  # of a connection's application_name


class ServerLock:
    """The locks of one command: the index lock (`exclusive`), or a share of it and the locks of some cameras.

    Every method raises `DatabaseError` if the connection is lost, because all locks are lost with it.
    """

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._cameras: set[str] = set()
        self._is_shared = False
        self._connection_lock = threading.Lock()  # a batch is written in another thread
        self.exclusive = False

    def acquire_all(self) -> None:
        """Takes the index lock; raises `IndexInUseError` if any other command holds a lock."""
        self.exclusive = self._call("pg_try_advisory_lock", _INDEX_LOCK)
        if not self.exclusive:
            raise self._in_use_error()

    def downgrade(self) -> None:
        """Takes the index lock shared in place of exclusive, so that other commands may lock cameras.

        Raises `IndexInUseError` if another command has it exclusively.
        """
        if not self._is_shared:
            self._is_shared = self._wait_for_index("pg_advisory_lock_shared")
            if not self._is_shared:
                raise self._in_use_error()
        if self.exclusive:
            self._call("pg_advisory_unlock", _INDEX_LOCK)
            self.exclusive = False

    def try_acquire_all(self) -> None:
        """Takes the index lock if all other commands release their locks within `_LOCK_TIMEOUT`; sets `exclusive`."""
        self.exclusive = self._wait_for_index("pg_advisory_lock")

    def acquire(self, camera: str) -> str | None:
        """Locks a camera. Returns None if this command has the lock now, else a text for the command that has it."""
        if self.exclusive or camera in self._cameras:
            return None
        if self._call("pg_try_advisory_lock", lock_number(camera)):
            self._cameras.add(camera)
            return None
        return self._get_holder(lock_number(camera))

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """Locks, with one query, those of these cameras that no other command has locked.

        Returns those of them that this command has locked now.
        """
        if self.exclusive:
            return set(cameras)
        not_acquired = [camera for camera in cameras if camera not in self._cameras]
        answers = self._call_each("pg_try_advisory_lock", not_acquired)
        self._cameras |= {camera for camera, free in zip(not_acquired, answers, strict=True) if free}
        return {camera for camera in cameras if camera in self._cameras}

    def list_locked_by_others(self, cameras: Sequence[str]) -> set[str]:
        """Those of these cameras that another command has locked now, with one query."""
        if self.exclusive:
            return set()
        with self._using_connection():
            locked_numbers = set(self._connection.scalars(_LOCKED_NUMBERS, {"ours": _LOCK_CLASS}))
        return {camera for camera in cameras if lock_number(camera) in locked_numbers}

    def release(self, cameras: Sequence[str]) -> None:
        """Releases the locks of these cameras. A camera that this command has not locked is ignored."""
        to_release = [camera for camera in cameras if camera in self._cameras]
        if to_release:
            self._cameras -= set(to_release)
            self._call_each("pg_advisory_unlock", to_release)

    def raise_if_lost(self) -> None:
        """Raises `DatabaseError` if the connection, and so all locks, are lost: others may be writing by now."""
        with self._using_connection():
            self._connection.execute(text("SELECT 1"))

    @contextmanager
    def _using_connection(self) -> Iterator[None]:
        """Lets one thread use the connection. Raises `DatabaseError` if it is lost: a new connection has no locks."""
        try:
            with uninterrupted(), self._connection_lock:
                yield
        except SQLAlchemyError as problem:
            raise DatabaseError(
                f"database {self._database.name}: the connection that held the lock has ended; nothing more was "
                "written; run the command again: it goes on where it stopped"
            ) from problem

    def _call(self, function: str, number: int) -> bool:
        with self._using_connection():
            return bool(self._connection.scalar(text(f"SELECT {function}(:ours, :number)"), _lock_parameters(number)))

    def _call_each(self, function: str, cameras: Sequence[str]) -> list[bool]:
        """The result of a lock function for each camera, with one query."""
        # Two cameras may have one number. It is called for each, as every lock taken must be released once.
        query = text(
            f"SELECT {function}(:ours, number) FROM unnest(CAST(:numbers AS int[])) WITH ORDINALITY "
            "AS listed (number, place) ORDER BY place"
        )
        with self._using_connection():
            answers = self._connection.scalars(query, {"ours": _LOCK_CLASS, "numbers": [*map(lock_number, cameras)]})
            return [bool(answer) for answer in answers]

    def _wait_for_index(self, function: str) -> bool:
        """Whether the index lock was taken within `_LOCK_TIMEOUT`."""
        with self._using_connection():
            self._connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
            try:
                self._connection.execute(text(f"SELECT {function}(:ours, :number)"), _lock_parameters(_INDEX_LOCK))
            except OperationalError as problem:
                if getattr(problem.orig, "sqlstate", None) not in _LOCK_REFUSED_CODES:
                    raise
                return False
            return True

    def _in_use_error(self) -> IndexInUseError:
        holder, is_batch = self._find_holder(_INDEX_LOCK)
        return in_use_error(self._database.name, holder, is_batch=is_batch)

    def _get_holder(self, number: int) -> str:
        """The text for the command that has a lock, as far as the server knows it."""
        return self._find_holder(number)[0]

    def _find_holder(self, number: int) -> tuple[str, bool]:
        """The text for the command that has a lock, and whether it has it for a batch of its work."""
        with self._using_connection():
            row = self._connection.execute(_HOLDER, _lock_parameters(number)).first()
        match = None if row is None else _APPLICATION_NAME.fullmatch(row.application_name or "")
        if row is None or match is None:
            return UNKNOWN_HOLDER, False
        command, batch, process, host = match.groups()
        since = row.backend_start.isoformat(timespec="seconds")
        return describe_holder(command, process=process, host=host, since=since), batch is not None


@contextmanager
def server_lock(database: Database, *, command: str, is_batch: bool = False) -> Iterator[ServerLock]:
    """The locks of one command, none of them taken yet. All end with the block, or with this process.

    `is_batch`: they are taken for a batch of its work.

    Raises `DatabaseError` if the server cannot be reached.
    """
    with (
        database.translated_errors(),
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        _set_up(connection, application=_application_name(command, is_batch=is_batch))
        lock = ServerLock(connection, database)
        database.before_commit = lock.raise_if_lost
        try:
            yield lock
        finally:
            database.before_commit = None
            with suppress(SQLAlchemyError):  # at once: the server may notice a closed connection late
                connection.execute(text("SELECT pg_advisory_unlock_all()"))


@contextmanager
def server_run_lock(database: Database, run_id: int) -> Iterator[None]:
    """Shows to others, until the block or this process ends, that a long run is at work.

    Raises `DatabaseError` if the server cannot be reached.
    """
    with (
        database.translated_errors(),
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        _set_up(connection, application=_application_name(f"run {run_id}", is_batch=False))
        connection.execute(text("SELECT pg_try_advisory_lock(:ours, :number)"), _run_parameters(run_id))
        yield


def list_server_run_locks(database: Database, run_ids: Sequence[int]) -> set[int]:
    """Those of these runs that a process shows to be at work."""
    with database.translated_errors(), database.engine.connect() as connection:
        numbers = set(connection.scalars(_LOCKED_RUNS, {"ours": _RUN_LOCK_CLASS}))
    return {run_id for run_id in run_ids if run_id in numbers}


def _set_up(connection: Connection, *, application: str) -> None:
    """Makes a connection one that holds locks: it does not go back to the pool, and the server notices its end."""
    connection.detach()  # back in the pool, the connection would keep the locks
    connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": application})
    for setting, seconds in _KEEPALIVE_SETTINGS.items():
        connection.execute(text(f"SET {setting} = {seconds}"))


def lock_schema(connection: Connection) -> None:
    """Takes the schema lock until the transaction ends; waits while another command makes or changes tables.

    Does nothing on SQLite, where the write transaction itself excludes others.
    """
    _lock_until_commit(connection, _SCHEMA_LOCK)


def lock_naming(connection: Connection) -> None:
    """Takes the lock of the naming rules, which belong to no camera; waits and ends as `lock_schema`."""
    _lock_until_commit(connection, _NAMING_LOCK)


def _lock_until_commit(connection: Connection, number: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:ours, :number)"), _lock_parameters(number))


def lock_number(camera: str) -> int:
    """The number of a camera's lock: 31 bits and odd, so never that of the index or the schema."""
    return (zlib.crc32(camera.encode(errors="surrogatepass")) >> 1) | 1


def _run_parameters(run_id: int) -> dict[str, int]:
    return {"ours": _RUN_LOCK_CLASS, "number": run_id}


def _lock_parameters(number: int) -> dict[str, int]:
    return {"ours": _LOCK_CLASS, "number": number}


def _application_name(command: str, *, is_batch: bool) -> str:
    """The name of the connection on the server: for an administrator, and for the error message of a second command."""
    ending = f"{' (batch)' if is_batch else ''} {os.getpid()}@{platform.node()}"
    return f"indexer {command}"[: max(9, _MAX_NAME_LENGTH - len(ending))] + ending


_LOCK_REFUSED_CODES = {"55P03", "40P01"}  # timeout; or deadlock with another sharer that wants the index lock
_KEEPALIVE_SETTINGS = {
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
}  # a dead host is noticed after a minute, not two hours
_APPLICATION_NAME = re.compile(r"indexer (.+?)( \(batch\))? (\d+)@(.*)")
_LOCKED_NUMBERS = text(
    """
    SELECT objid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND classid = :ours AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)
_LOCKED_RUNS = text(
    """
    SELECT objid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = :ours AND objsubid = 2
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
