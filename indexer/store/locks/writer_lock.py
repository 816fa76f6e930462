"""The writer lock: one command at a time on a SQLite index; on a server, one command at a time on each camera.

It promises that a second writer gets at once an error that names the first, and that a lock ends with its process,
however that ends. The operating system or the server keeps the lock: that a lock file exists means nothing. If somebody
removes the lock file, another command could make a new one. So the lock is then lost, and the command that had it
commits nothing more and removes no file.

Decision 0026: the lock is a file beside the index and not the index itself.
"""

import errno
import fcntl
import json
import os
import platform
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from indexer.domain.plurals import counted
from indexer.errors import DatabaseError
from indexer.files.filesystems import is_mount_point
from indexer.files.private import mode_of_new, open_file
from indexer.store.database import Database
from indexer.store.index_disk import DISK_ADVICE
from indexer.store.locks.holders import UNKNOWN_HOLDER, describe_holder, in_use_error
from indexer.store.locks.postgresql import server_lock


class WriteLock(Protocol):
    """The lock of one command: on the whole index if `exclusive`, else on cameras, each from `acquire` to `release`.

    A method raises `DatabaseError` if it finds that the lock was lost.
    """

    exclusive: bool

    def acquire_all(self) -> None:
        """Locks the whole index; raises `IndexInUseError` if any other command has a lock."""

    def downgrade(self) -> None:
        """Lets other commands lock the cameras that this command has not locked."""

    def try_acquire_all(self) -> None:
        """Locks the whole index if all other commands release their locks within two seconds; sets `exclusive`."""

    def acquire(self, camera: str) -> str | None:
        """Locks a camera. Returns None if this command has the lock now, else a text for the command that has it."""

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """Locks, with one query, those of these cameras that no other command has locked.

        Returns those of them that this command has locked now.
        """

    def list_locked_by_others(self, cameras: Sequence[str]) -> set[str]:
        """Those of these cameras that another command has locked now, with one query."""

    def release(self, cameras: Sequence[str]) -> None:
        """Releases the locks of these cameras. A camera that this command has not locked is ignored."""

    def raise_if_lost(self) -> None:
        """Raises `DatabaseError` if the lock was lost, because others may be writing now."""


class _FileLock:
    """The lock on a SQLite index, which has only one writer: it is always the whole index."""

    exclusive = True

    def __init__(self, database: Database, lock_path: Path, descriptor: int) -> None:
        self._database, self._lock_path, self._descriptor = database, lock_path, descriptor
        self._index_identity = _find_file_identity(database.path)

    def raise_if_lost(self) -> None:
        """Raises `DatabaseError` if the lock file or the index was removed or replaced."""
        status = os.fstat(self._descriptor)
        if _find_file_identity(self._lock_path) != (status.st_dev, status.st_ino):
            raise _lock_lost_error(self._database, f"its lock {self._lock_path}")
        if self._index_identity is not None and _find_file_identity(self._database.path) != self._index_identity:
            raise _lock_lost_error(self._database, "its file")

    def acquire_all(self) -> None:
        """Nothing to do: the whole index is locked."""

    def downgrade(self) -> None:
        """Nothing to do: the lock of a file cannot be shared."""

    def try_acquire_all(self) -> None:
        """Nothing to do: the whole index is locked."""

    def acquire(self, camera: str) -> None:
        """Nothing to do: the whole index is locked."""

    def acquire_free(self, cameras: Sequence[str]) -> set[str]:
        """All cameras."""
        return set(cameras)

    def list_locked_by_others(self, _cameras: Sequence[str]) -> set[str]:
        """No camera."""
        return set()

    def release(self, _cameras: Sequence[str]) -> None:
        """Nothing to do: the whole index stays locked."""


@contextmanager
def writer_lock(
    database: Database,
    *,
    command: str,
    since: datetime,
    by_camera: bool = False,
    recovering: bool = False,
    is_batch: bool = False,
) -> Iterator[WriteLock]:
    """Holds the writer lock until the end of the block.

    `by_camera`: on a server the command locks each camera when it comes to it, and other commands may lock other
    cameras. `recovering`: a crash left unfinished acts, so the command first tries to lock the whole index. `is_batch`:
    a long command locks for a batch of its work, as it tells those whom it refuses.

    Raises
    ------
    IndexInUseError
        If another command has the lock.
    DatabaseError
        If the lock cannot be made or taken. Also if the index has two names.
    """
    if database.path is not None:
        with _file_lock(database, database.path, command=command, since=since, is_batch=is_batch) as lock:
            yield lock
        return
    with server_lock(database, command=command, is_batch=is_batch) as lock:
        if not by_camera:
            lock.acquire_all()
        elif recovering:
            lock.try_acquire_all()
        if not lock.exclusive:
            lock.downgrade()
        yield lock


@contextmanager
def _file_lock(database: Database, path: Path, *, command: str, since: datetime, is_batch: bool) -> Iterator[_FileLock]:
    _require_single_name(database, path)
    lock_path = Path(f"{path}.lock")
    descriptor = _open_lock_file(lock_path, index=path)
    try:
        _flock(descriptor, database, lock_path)
        _require_lock_file(descriptor, lock_path)
        record = {"command": command, "pid": os.getpid(), "host": platform.node(), "since": since.isoformat()}
        record |= {_BATCH_KEY: True} if is_batch else {}
        os.ftruncate(descriptor, 0)
        with suppress(OSError):  # on a full disk others do not learn who has it, and the command may free space
            os.pwrite(descriptor, json.dumps(record).encode(), 0)
        write_lock = _FileLock(database, lock_path, descriptor)
        database.before_commit = write_lock.raise_if_lost
        try:
            yield write_lock
        finally:
            database.before_commit = None
            with suppress(OSError):
                os.ftruncate(descriptor, 0)  # so that nobody takes this command for the next holder
    finally:
        os.close(descriptor)


_BATCH_KEY = "batch"
_UNNAMED_HOLDER_S = 0.5
"""A command that just took the lock writes its name into the file within so long."""
_LOCK_FILE_START = b'{"command": '
_MAX_LOCK_FILE_BYTES = 65536


def _open_lock_file(lock_path: Path, *, index: Path) -> int:
    """Descriptor of the lock file, which is made if it is missing; a symbolic link of that name is refused."""
    try:
        mode = mode_of_new(str(lock_path.parent)) | _writer_mode_bits(index)
        return open_file(str(lock_path), flags=os.O_RDWR, mode=mode, single_link=False)
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            raise DatabaseError(f"the lock {lock_path} is a symbolic link; remove the link") from problem
        raise DatabaseError(
            f"the lock {lock_path} cannot be made ({problem.strerror}); check the rights of its folder"
        ) from problem


def _writer_mode_bits(index: Path) -> int:
    """The extra access rights of the lock file: whoever may write to the index may read and write it."""
    try:
        write_bits = index.stat().st_mode & 0o022
    except OSError:
        return 0
    return write_bits | write_bits << 1


def _flock(descriptor: int, database: Database, lock_path: Path) -> None:
    end_s = time.monotonic() + _UNNAMED_HOLDER_S
    try:
        while not _try_flock(descriptor):
            lock_bytes = os.pread(descriptor, _MAX_LOCK_FILE_BYTES, 0)
            record = _parse_record(lock_bytes)
            if lock_bytes or time.monotonic() > end_s:
                raise in_use_error(database.name, _describe(record), is_batch=record.get(_BATCH_KEY) is True)
            time.sleep(0.005)
    except OSError as problem:
        raise DatabaseError(
            f"database {database.name}: the disk of its folder cannot lock files (flock of {lock_path}: "
            f"{problem.strerror}), so that two commands could write at once; {DISK_ADVICE}"
        ) from problem
    if _find_file_identity(lock_path) != (os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino):
        raise DatabaseError(f"the lock {lock_path} was removed just now; run the command again")


def _try_flock(descriptor: int) -> bool:
    """Locks a file, if no other process has locked it. Raises `OSError` if the disk cannot lock files."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _require_lock_file(descriptor: int, lock_path: Path) -> None:
    """Refuses to write into a file that is no lock file: a hard link to another file, or one with other content."""
    status = os.fstat(descriptor)
    head = os.pread(descriptor, len(_LOCK_FILE_START), 0)
    if (
        not stat.S_ISREG(status.st_mode)
        or status.st_nlink != 1
        or not _LOCK_FILE_START.startswith(head[: len(_LOCK_FILE_START)])
    ):
        raise DatabaseError(f"the file {lock_path} is not a lock of indexer; move it away")


def _require_single_name(database: Database, path: Path) -> None:
    """Refuses an index with a second name: under that name it has another lock file, and SQLite another log."""
    if path.exists() and path.stat().st_nlink > 1:
        raise DatabaseError(
            f"database {database.name} has {counted(path.stat().st_nlink, 'name')} (hard links); delete all "
            "but one, as each has a log of its own"
        )
    if is_mount_point(str(path)):
        raise DatabaseError(
            f"database {database.name} is mounted as a single file, and its log is not; mount the folder it lies in"
        )


def _find_file_identity(path: Path | None) -> tuple[int, int] | None:
    """Device and inode of the file at a path; None if there is none."""
    try:
        status = os.lstat(path or "")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lock_lost_error(database: Database, what: str) -> DatabaseError:
    return DatabaseError(
        f"database {database.name}: {what} was removed or replaced during this command; nothing more was written; run "
        "the command again: it goes on where it stopped"
    )


def _parse_record(lock_bytes: bytes) -> dict[str, Any]:
    """What the holder of the lock wrote into its file; empty if that is not readable."""
    try:
        record = json.loads(lock_bytes)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _describe(record: Mapping[str, Any]) -> str:
    try:
        return describe_holder(record["command"], process=record["pid"], host=record["host"], since=record["since"])
    except KeyError:
        return UNKNOWN_HOLDER
