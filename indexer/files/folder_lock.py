"""One file at a time in a quarantine: the lock that lies in the folder itself, whatever index a command came by.

It promises that of all commands that hold the locks of one folder one is at work, on this host; a lock ends with its
process. The lock file is never removed. What is done under a lock is not known here.

Decision: flock on a file in the folder, and not in the index, as two indexes, or one that was restored from a backup,
may name the same files. It is held for one file: check, journal, move, journal. All folders that bear on a file are
locked together, in the order of their inodes, so that no two commands wait for each other, by whatever names they come.
On a network file system a lock need not be seen by other hosts, and an overlay does not show its locks to who comes by
the folder beneath: `exclusive` is False then, and nobody may unlink one of two copies for it.
Enforced by tests/files/test_folder_lock.py.
"""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from indexer.files import io_steps
from indexer.files.filesystems import is_shared
from indexer.files.refusals import LOCKING, needing

LOCK_NAME = "lock"
PATIENCE_S = 30.0
"""How long to wait for another command that moves a file: the copy of a large one to a slow disk takes its time."""
_PAUSE_S = 0.001
_NO_LOCKS = {
    errno.ENOLCK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EBADF,  # of old NFS
    errno.ENOTTY,
}


class LockLostError(OSError):
    """A lock that was held is not any more: somebody removed its file."""


@dataclass(frozen=True)
class HeldLocks:
    """The locks of some folders, until the block ends; `exclusive`: no other command can have them, on any host."""

    exclusive: bool
    _files: tuple[tuple[str, int], ...]

    def require(self) -> None:
        """Raises `LockLostError` if the file of a lock was removed, so that others may hold it anew."""
        for path, descriptor in self._files:
            if not _is_at(path, descriptor):
                raise LockLostError(errno.ESTALE, "the lock was removed while it was held", path)


@contextmanager
def hold_folders(
    folders: Iterable[str], *, skip_closed: bool = False, patience_s: float = PATIENCE_S
) -> Iterator[HeldLocks]:
    """Holds the locks of folders that are there, all together.

    Raises `TimeoutError` if another command holds one for too long, another `OSError` if a lock file cannot be opened;
    `skip_closed`: a folder that this user may not write to is left out, and the locks are not exclusive.
    """
    with ExitStack() as stack:
        files: list[tuple[str, int]] = []
        exclusive = True
        for folder in _in_order(folders):
            try:
                path, descriptor, locked = _acquire(folder, held=files, patience_s=patience_s)
            except OSError as problem:
                if not (skip_closed and problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}):
                    raise
                exclusive = False
                continue
            stack.callback(os.close, descriptor)
            files.append((path, descriptor))
            exclusive = exclusive and locked and not is_shared(folder)
        yield HeldLocks(exclusive and bool(files), tuple(files))


def _in_order(folders: Iterable[str]) -> list[str]:
    """The real folders, each once, in an order that all commands share: two names of one stand side by side."""

    def key(folder: str) -> tuple[int, int, str]:
        status = os.stat(folder)
        return status.st_ino, status.st_dev, folder

    return sorted({os.path.realpath(folder) for folder in folders}, key=key)


def _acquire(folder: str, *, held: Sequence[tuple[str, int]], patience_s: float) -> tuple[str, int, bool]:
    """Path, descriptor and whether the system knows locks there."""
    path = os.path.join(folder, LOCK_NAME)
    until = time.monotonic() + patience_s
    while True:
        descriptor = io_steps.open_lock(path)
        try:
            locked = _lock(descriptor, path, held=held, until=until)
            if _is_at(path, descriptor):
                return path, descriptor, locked
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its file was removed while we waited: there is a new one, or will be
        if time.monotonic() > until:
            raise TimeoutError(errno.ETIMEDOUT, "the lock is removed again and again", path)


def _lock(descriptor: int, path: str, *, held: Sequence[tuple[str, int]], until: float) -> bool:
    """Whether the system knows locks there, when this process has the one of an open file."""
    try:
        while not _take(descriptor, path):
            if any(_is_one_file(descriptor, other) for _, other in held):
                return True  # a folder that is mounted twice: its lock is held already, by its other name
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "another command is moving a file there", path)
            time.sleep(_PAUSE_S)
    except OSError as problem:
        if problem.errno in _NO_LOCKS:
            return False
        raise
    return True


def _take(descriptor: int, path: str) -> bool:
    with needing(LOCKING, path):
        return io_steps.take_lock(descriptor)


def _is_one_file(descriptor: int, other: int) -> bool:
    """Whether two open files are one, also if two mounts of it report different devices."""
    one, two = os.fstat(descriptor), os.fstat(other)
    return (one.st_ino, one.st_ctime_ns) == (two.st_ino, two.st_ctime_ns)


def _is_at(path: str, descriptor: int) -> bool:
    """Whether a path still names the open file."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False
