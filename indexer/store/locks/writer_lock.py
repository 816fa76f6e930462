"""The right to write: one command at a time on a SQLite index, one at a time on each camera of a server's.

It promises that a second writer is refused at once and told who holds the lock, and that a lock ends with its process,
however that ends: the operating system (or the server) holds it, not a file's existence. A lock whose file somebody
removed, so that another command could make it anew, is lost: its holder commits nothing more and takes no file away.

Decision: the lock is a file beside the index and not the index itself, as closing any descriptor of a SQLite file drops
the locks that SQLite has on it. An index with two names (a hard link, a single file that is mounted elsewhere) has two
locks and, worse, two logs: it is refused. Enforced by tests/store/locks/test_writer_lock.py.
"""

import errno
import fcntl
import json
import os
import platform
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from indexer.errors import DatabaseError
from indexer.files.filesystems import is_mount_point
from indexer.files.private import mode_of_new, open_file
from indexer.store.database import Database
from indexer.store.index_disk import DISK_ADVICE
from indexer.store.locks.holders import UNKNOWN_HOLDER, describe_holder, in_use_error
from indexer.store.locks.postgresql import server_lock


class WriteLock(Protocol):
    """What a command holds. `whole`: the index; else cameras, each from when it is taken until it is left."""

    exclusive: bool

    def acquire_all(self) -> None:
        """Takes everything, and raises if any other command is at work."""

    def downgrade(self) -> None:
        """Lets other commands work on cameras that this one does not take."""

    def try_acquire_all(self) -> None:
        """Takes everything if nobody else is at work, or is so no more after a moment."""

    def acquire(self, camera: str) -> str | None:
        """Who else is at work on a camera; None where it is this command's from now on."""

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """Takes those of a few cameras that nobody else is at work on, with one question."""

    def list_locked_by_others(self, cameras: Sequence[str]) -> set[str]:
        """Those of the cameras that another command is at work on now, with one question."""

    def release(self, cameras: Sequence[str]) -> None:
        """Lets others work on cameras again; those that were not taken stay what they are."""

    def raise_if_lost(self) -> None:
        """Raises `DatabaseError` if the right was lost: others may be at work on the same by now."""


class _FileLock:
    """The right on a SQLite index, which has one writer: there is no less than everything."""

    exclusive = True

    def __init__(self, database: Database, lock_path: Path, descriptor: int) -> None:
        self._database, self._lock_path, self._descriptor = database, lock_path, descriptor
        self._index_identity = _find_file_identity(database.path)

    def raise_if_lost(self) -> None:
        """Raises if the file of the lock, or of the index, is another one by now."""
        status = os.fstat(self._descriptor)
        if _find_file_identity(self._lock_path) != (status.st_dev, status.st_ino):
            raise _lock_lost_error(self._database, f"its lock {self._lock_path}")
        if self._index_identity is not None and _find_file_identity(self._database.path) != self._index_identity:
            raise _lock_lost_error(self._database, "its file")

    def acquire_all(self) -> None:
        """Has it."""

    def downgrade(self) -> None:
        """Cannot."""

    def try_acquire_all(self) -> None:
        """Has it."""

    def acquire(self, camera: str) -> None:
        """Has it."""

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """Has them."""
        return set(cameras)

    def list_locked_by_others(self, _cameras: Sequence[str]) -> set[str]:
        """Nobody."""
        return set()

    def release(self, _cameras: Sequence[str]) -> None:
        """Keeps them."""


@contextmanager
def writer_lock(
    database: Database, *, command: str, since: datetime, by_camera: bool = False, recovering: bool = False
) -> Iterator[WriteLock]:
    """Holds the right to write until the end of the block; raises if another process has it.

    `by_camera`: the command takes cameras as it comes to them, where that is possible, and others may work on others.
    It begins with everything all the same where it is `recovering` what a cut left open and nobody else is at work.
    """
    if database.path is not None:
        with _file_lock(database, database.path, command=command, since=since) as lock:
            yield lock
        return
    with server_lock(database, command=command) as lock:
        if not by_camera:
            lock.acquire_all()
        elif recovering:
            lock.try_acquire_all()
        if not lock.exclusive:
            lock.downgrade()
        yield lock


@contextmanager
def _file_lock(database: Database, path: Path, *, command: str, since: datetime) -> Iterator[_FileLock]:
    _require_single_name(database, path)
    lock_path = Path(f"{path}.lock")
    descriptor = _open_lock_file(lock_path, index=path)
    try:
        _flock(descriptor, database, lock_path)
        _require_lock_file(descriptor, lock_path)
        record = {"command": command, "pid": os.getpid(), "host": platform.node(), "since": since.isoformat()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode(), 0)
        write_lock = _FileLock(database, lock_path, descriptor)
        database.before_commit = write_lock.raise_if_lost
        try:
            yield write_lock
        finally:
            database.before_commit = None
    finally:
        os.close(descriptor)


_LOCK_FILE_START = b'{"command": '
_MAX_LOCK_FILE_BYTES = 65536


def _open_lock_file(lock_path: Path, *, index: Path) -> int:
    """Descriptor of the lock's file, which is made if need be. A link of that name is not followed."""
    try:
        mode = mode_of_new(str(lock_path.parent)) | _writer_mode_bits(index)
        return open_file(str(lock_path), flags=os.O_RDWR, mode=mode, single_link=False)
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            raise DatabaseError(f"the lock {lock_path} is a symbolic link; take the link away") from problem
        raise DatabaseError(
            f"the lock {lock_path} cannot be made ({problem.strerror}); check the rights of its folder"
        ) from problem


def _writer_mode_bits(index: Path) -> int:
    """The rights that a lock gives besides: whoever may write to the index can take it."""
    try:
        write_bits = index.stat().st_mode & 0o022
    except OSError:
        return 0
    return write_bits | write_bits << 1


def _flock(descriptor: int, database: Database, lock_path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise in_use_error(database.name, _parse_holder(os.pread(descriptor, _MAX_LOCK_FILE_BYTES, 0))) from None
    except OSError as problem:
        raise DatabaseError(
            f"database {database.name}: the disk of its folder cannot lock files (flock of {lock_path}: "
            f"{problem.strerror}), so that two commands could write at once; {DISK_ADVICE}"
        ) from problem
    if _find_file_identity(lock_path) != (os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino):
        raise DatabaseError(f"the lock {lock_path} was removed just now; run the command again")


def _require_lock_file(descriptor: int, lock_path: Path) -> None:
    """Refuses to write into a file that is no lock: another name of somebody's file, or one with other content."""
    status = os.fstat(descriptor)
    head = os.pread(descriptor, len(_LOCK_FILE_START), 0)
    if (
        not stat.S_ISREG(status.st_mode)
        or status.st_nlink != 1
        or not _LOCK_FILE_START.startswith(head[: len(_LOCK_FILE_START)])
    ):
        raise DatabaseError(f"the file {lock_path} is no lock of indexer; move it away")


def _require_single_name(database: Database, path: Path) -> None:
    """Refuses an index with a second name: who comes by that has another lock, and SQLite another log."""
    if path.exists() and path.stat().st_nlink > 1:
        raise DatabaseError(
            f"database {database.name} has {path.stat().st_nlink} names (hard links); delete all but one, as each has "
            "a log of its own"
        )
    if is_mount_point(str(path)):
        raise DatabaseError(
            f"database {database.name} is mounted as a single file, and its log is not; mount the folder it lies in"
        )


def _find_file_identity(path: Path | None) -> tuple[int, int] | None:
    """Which file a path names; None if there is none."""
    try:
        status = os.lstat(path or "")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lock_lost_error(database: Database, what: str) -> DatabaseError:
    return DatabaseError(
        f"database {database.name}: {what} was removed or replaced while this command was at work; nothing more was "
        "written; run the command again, it goes on where it stopped"
    )


def _parse_holder(lock_bytes: bytes) -> str:
    try:
        record = json.loads(lock_bytes)
        return describe_holder(record["command"], process=record["pid"], host=record["host"], since=record["since"])
    except (ValueError, KeyError, TypeError):
        return UNKNOWN_HOLDER
