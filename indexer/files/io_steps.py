"""Each touch of the disk that moving, checking and quarantine are made of, as a function of its own.

It promises that every public function does one thing that may fail or be cut, that none calls another, and that nothing
else public lives here: the functions of this module are the list of the points where the work can break. Callers say
`steps.link(...)` and never import a name, so that a test can replace a step. It does not know what a step is good for,
in which order they come, or which failures do no harm.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil

from indexer.files import private

_CHUNK_BYTES = 1 << 20
_NO_FOLDER_SYNC = {
    errno.EINVAL,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EBADF,
    errno.ENOTTY,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
}
# Not blocking, so that a pipe put in a file's place does not stop us. The others differ between systems.
_READ_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_to_read(path: str) -> int:
    """Descriptor of a file to read, that no link and no pipe stands for."""
    return os.open(path, _READ_FLAGS)


def create(path: str) -> int:
    """Descriptor of a new file to write and read, closed to others."""
    return os.open(path, _CREATE_FLAGS, 0o600)


def read_hash(descriptor: int) -> str:
    """sha256 of what there is to read from here on, hexadecimal."""
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def read_bytes(descriptor: int, *, most: int) -> bytes:
    """What there is to read from here on, up to so many bytes."""
    pieces, left = [], most
    while left and (piece := os.read(descriptor, min(left, _CHUNK_BYTES))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def copy_bytes(source_descriptor: int, target_descriptor: int) -> str:
    """sha256 of what was read from one descriptor and written to the other, hexadecimal."""
    digest = hashlib.sha256()
    while chunk := os.read(source_descriptor, _CHUNK_BYTES):
        digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(target_descriptor, rest) :]
    return digest.hexdigest()


def keep_times_and_mode(source: str, copy: str, *, status: os.stat_result, plain: bool = False) -> None:
    """Owner, mode and attributes as well as the other file system can; mtime always.

    `plain`: of the mode only who may read, write and execute, and no attributes.
    """
    with contextlib.suppress(OSError):
        os.chown(copy, status.st_uid, status.st_gid)
    with contextlib.suppress(OSError):
        if plain:
            os.chmod(copy, status.st_mode & 0o777)
        else:
            shutil.copystat(source, copy, follow_symlinks=False)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def set_mtime(path: str, *, mtime_ns: int) -> None:
    """Give a file its time again; a link is not followed."""
    os.utime(path, ns=(os.lstat(path).st_atime_ns, mtime_ns), follow_symlinks=False)


def link(source: str, target: str) -> None:
    """Give the file a second name, which must be free. A link is not followed."""
    if os.link in os.supports_follow_symlinks:
        os.link(source, target, follow_symlinks=False)
    else:
        os.link(source, target)


def rename(source: str, target: str) -> None:
    """Give the file another name. Replaces what has that name."""
    os.rename(source, target)


def unlink(path: str) -> None:
    """Take a name away from a file."""
    os.unlink(path)


def make_folder(path: str) -> None:
    """Make a folder that is not there, closed to others."""
    private.make_folder(path)


def remove_empty_folder(path: str) -> None:
    """Remove a folder that holds nothing."""
    os.rmdir(path)


def append(path: str, data: bytes) -> None:
    """Add bytes to the end of a file of ours, made if need be and closed to others, and bring them to the disk.

    No link and no pipe stands for it.
    """
    descriptor = private.open_file(path, flags=os.O_WRONLY | os.O_APPEND)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_lock(path: str) -> int:
    """Descriptor of the file of a lock, made if need be and closed to others; nothing is ever written to it."""
    return private.open_file(path, flags=os.O_RDWR, single_link=False)


def take_lock(descriptor: int) -> bool:
    """Whether this process has the lock of an open file now; no if another one has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_file(descriptor: int) -> None:
    """Bring the bytes and the state of an open file to the disk."""
    os.fsync(descriptor)


def sync_folder(path: str) -> None:
    """Bring the names in the folder that the path lies in to the disk, where the system lets us."""
    try:
        descriptor = os.open(os.path.dirname(path) or os.curdir, os.O_RDONLY)
    except OSError as problem:
        if problem.errno not in _NO_FOLDER_SYNC:
            raise
        return
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
