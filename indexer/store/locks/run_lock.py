"""Which long runs are at work: a lock of each that ends with its process, however that ends.

A long run has the writer lock only for its batches. Between them, this lock tells a run at work from one that was
killed. Beside a SQLite index it is a file of the run, on a server an advisory lock. Nobody is kept from writing by it.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from indexer.errors import DatabaseError
from indexer.files.private import mode_of_new, open_file
from indexer.store.database import Database
from indexer.store.locks.postgresql import list_server_run_locks, server_run_lock


@contextmanager
def run_lock(database: Database, run_id: int) -> Iterator[None]:
    """Shows until the end of the block that a run is at work.

    Raises `DatabaseError` if the lock cannot be made.
    """
    if database.path is None:
        with server_run_lock(database, run_id):
            yield
        return
    path = _lock_path(database.path, run_id)
    try:
        descriptor = open_file(str(path), flags=os.O_RDWR, mode=mode_of_new(str(path.parent)), single_link=False)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as problem:
        raise DatabaseError(f"the lock {path} cannot be made ({problem.strerror})") from problem
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def list_running(database: Database, run_ids: Sequence[int]) -> set[int]:
    """Those of these runs that are at work."""
    if database.path is None:
        return list_server_run_locks(database, run_ids) if run_ids else set()
    return {run_id for run_id in run_ids if _is_locked(_lock_path(database.path, run_id))}


def discard_run_locks(database: Database, run_ids: Sequence[int]) -> None:
    """Deletes the files that killed runs left; to be called while the writer lock is held."""
    for run_id in run_ids if database.path is not None else ():
        with suppress(OSError):
            _lock_path(database.path or Path(), run_id).unlink()


def _lock_path(index: Path, run_id: int) -> Path:
    return Path(f"{index}.run{run_id}.lock")


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # of another user, say: it is not known to be dead
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
