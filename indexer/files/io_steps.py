"""Each access to the disk that moving, checking and quarantine consist of, as a function of its own.

It promises that

- every public function does one thing that may fail or be interrupted;
- none calls another; and
- nothing else here is public: the functions of this module are the list of the points where the work can break.

Callers write `io_steps.link(...)` and never import a name, so that a test can replace a step. Every step raises
`OSError` if the disk refuses. The module does not know what a step is for, in which order the steps come, or which
failures do no harm.
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
# Not blocking, so that a pipe in place of a file does not stop us. The other flags differ between systems.
_READ_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_to_read(path: str) -> int:
    """Descriptor of a file to read. A link is refused, and opening a pipe does not block."""
    return os.open(path, _READ_FLAGS)


def create(path: str) -> int:
    """Descriptor of a new file to write and read, closed to others."""
    return os.open(path, _CREATE_FLAGS, 0o600)


def read_hash(descriptor: int) -> str:
    """sha256 of everything from here to the end of the file, hexadecimal."""
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def read_bytes(descriptor: int, *, most: int) -> bytes:
    """The bytes from here on, at most `most`."""
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
    """Sets owner, mode and attributes of a copy as far as its file system can, and always its mtime.

    `plain`: sets only the rights to read, write and execute, and no attributes.
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
    """Sets the mtime of a file. A link is not followed."""
    os.utime(path, ns=(os.lstat(path).st_atime_ns, mtime_ns), follow_symlinks=False)


def link(source: str, target: str) -> None:
    """Gives a file a second name, which must be free. A link is not followed."""
    if os.link in os.supports_follow_symlinks:
        os.link(source, target, follow_symlinks=False)
    else:
        os.link(source, target)


def rename(source: str, target: str) -> None:
    """Gives a file another name. Replaces the file that has that name."""
    os.rename(source, target)


def unlink(path: str) -> None:
    """Removes one name of a file."""
    os.unlink(path)


def make_folder(path: str, *, closed: bool = True) -> None:
    """Makes a folder that does not exist: closed to others, or with the rights of the folder above.

    One that root makes becomes that of the owner of the folder above, who can then restore files without root.
    """
    mode = None if closed else private.mode_like(os.path.dirname(path))
    private.make_folder(path, mode=mode, follow_owner=True)


def remove_empty_folder(path: str) -> None:
    """Removes an empty folder."""
    os.rmdir(path)


def append(path: str, data: bytes) -> None:
    """Appends bytes to one of the tool's own files and syncs them. A missing file is made, closed to others.

    One that root makes becomes that of the owner of its folder. A link or a pipe with that name is refused.
    """
    descriptor = private.open_file(path, flags=os.O_WRONLY | os.O_APPEND, follow_owner=True)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_lock(path: str) -> int:
    """Descriptor of a lock file, which is made if it is missing, closed to others. Nothing is ever written to it."""
    return private.open_file(path, flags=os.O_RDWR, single_link=False, follow_owner=True)


def take_lock(descriptor: int) -> bool:
    """Tries to lock an open file without waiting. Returns whether this process has the lock now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_file(descriptor: int) -> None:
    """Syncs the bytes and the state of an open file to the disk."""
    os.fsync(descriptor)


def sync_folder(path: str) -> None:
    """Syncs the names in the folder of `path` to the disk, if the system allows it."""
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
