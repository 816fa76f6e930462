"""One file at a time in a quarantine: the lock lies in the folder itself, whatever index a command uses.

It promises that only one command on this host has the lock of a folder at a time. A lock ends with its process, and its
file is never removed. The module does not know what is done under a lock.

Decision 0008: flock on a file in the folder, and not in the index, held for one file at a time.
"""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from indexer.files import io_steps
from indexer.files.filesystems import is_shared
from indexer.files.refusals import LOCKING, translate_refusal

LOCK_NAME = "lock"
LOCK_TIMEOUT_S = 30.0
"""How long to wait for another command that moves a file: it may be copying a large file to a slow disk."""
_POLL_INTERVAL_S = 0.001
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
    """A lock was lost before it was released: somebody removed its file."""


@dataclass(frozen=True)
class FolderLocks:
    """The locks of some folders. If `exclusive`, no other command on any host can have one of them."""

    exclusive: bool
    _files: tuple[tuple[str, int], ...]

    def require(self) -> None:
        """Raises `LockLostError` if a lock file was removed, so that others may hold a new one."""
        for path, descriptor in self._files:
            if not _names_open_file(path, descriptor):
                raise LockLostError(errno.ESTALE, "the lock was removed while it was held", path)


@contextmanager
def lock_folders(
    folders: Iterable[str], *, skip_unwritable: bool = False, timeout_s: float = LOCK_TIMEOUT_S
) -> Iterator[FolderLocks]:
    """Takes the locks of existing folders, all of them, until the block ends.

    `skip_unwritable`: a folder that this user may not write to is left out, and the locks are not exclusive.

    Raises
    ------
    TimeoutError
        If another command has one of the locks for longer than `timeout_s`.
    OSError
        If a lock file cannot be opened.
    """
    with ExitStack() as stack:
        files: list[tuple[str, int]] = []
        exclusive = True
        for folder in _lock_order(folders):
            try:
                path, descriptor, locked = _acquire(folder, acquired=files, timeout_s=timeout_s)
            except OSError as problem:
                if not (skip_unwritable and problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}):
                    raise
                exclusive = False
                continue
            stack.callback(os.close, descriptor)
            files.append((path, descriptor))
            exclusive = exclusive and locked and not is_shared(folder)
        yield FolderLocks(exclusive and bool(files), tuple(files))


def _lock_order(folders: Iterable[str]) -> list[str]:
    """The real folders, each once, in an order that all commands share. Two paths of one folder are adjacent."""

    def key(folder: str) -> tuple[int, int, str]:
        status = os.stat(folder)
        return status.st_ino, status.st_dev, folder

    return sorted({os.path.realpath(folder) for folder in folders}, key=key)


def _acquire(folder: str, *, acquired: Sequence[tuple[str, int]], timeout_s: float) -> tuple[str, int, bool]:
    """Path and descriptor of the lock file, and whether the file system supports locks."""
    path = os.path.join(folder, LOCK_NAME)
    deadline_s = time.monotonic() + timeout_s
    while True:
        descriptor = io_steps.open_lock(path)
        try:
            locked = _wait_for_lock(descriptor, path, acquired=acquired, deadline_s=deadline_s)
            if _names_open_file(path, descriptor):
                return path, descriptor, locked
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its file was removed while we waited: there is a new one, or there will be
        if time.monotonic() > deadline_s:
            raise TimeoutError(errno.ETIMEDOUT, "another program removes the lock again and again", path)


def _wait_for_lock(descriptor: int, path: str, *, acquired: Sequence[tuple[str, int]], deadline_s: float) -> bool:
    """Waits until this process has the lock of an open file. Returns whether the file system supports locks."""
    try:
        while not _try_lock(descriptor, path):
            if any(_is_same_file(descriptor, other) for _, other in acquired):
                return True  # a folder that is mounted twice: its lock is already held under its other path
            if time.monotonic() > deadline_s:
                raise TimeoutError(errno.ETIMEDOUT, "another command is moving a file there", path)
            time.sleep(_POLL_INTERVAL_S)
    except OSError as problem:
        if problem.errno in _NO_LOCKS:
            return False
        raise
    return True


def _try_lock(descriptor: int, path: str) -> bool:
    with translate_refusal(LOCKING, path):
        return io_steps.take_lock(descriptor)


def _is_same_file(descriptor: int, other: int) -> bool:
    """Whether two open files are one, even if two mounts of it report different devices."""
    status, other_status = os.fstat(descriptor), os.fstat(other)
    return (status.st_ino, status.st_ctime_ns) == (other_status.st_ino, other_status.st_ctime_ns)


def _names_open_file(path: str, descriptor: int) -> bool:
    """Whether a path still names the open file."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False
