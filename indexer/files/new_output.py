"""A new file or folder that appears at its name complete, or not at all.

It promises that

- nothing that exists is replaced;
- what fails leaves nothing at the name; and
- files are closed to others (`indexer.files.private`).

A kill can leave a part under the name with `.partial-` and eight digits. It does not know what is in a file.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from indexer.errors import FolderError
from indexer.files import io_steps, private
from indexer.files.moving import move_no_replace
from indexer.files.verification import (
    ContentDigest,
    MismatchError,
    UnreadableFileError,
    identity_of,
    regular_status,
    verify,
)
from indexer.interrupts import uninterrupted

_NO_HARD_LINK = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
_TARGET_REFUSES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_CHUNK_BYTES = 1 << 20


class NoHardLinkError(FolderError):
    """A file cannot get a second name in a folder: it lies on another disk, or the disk has no hard links."""


@contextmanager
def new_file(target: str) -> Iterator[IO[bytes]]:
    """A file to write. It gets its name at the end of the block; if the block raises, it is gone.

    Raises `FolderError` if something is at the target, if its folder does not exist, or if the disk refuses.
    """
    target = free_target(target)
    partial = _partial_name(target)
    try:
        with os.fdopen(private.create_file(partial), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        move_no_replace(partial, target, expected=identity_of(os.lstat(partial)))
    except OSError as problem:
        raise _not_written(target, problem) from problem
    finally:
        with suppress(OSError):
            os.unlink(partial)


@contextmanager
def new_folder(target: str) -> Iterator[str]:
    """The path of a folder to fill. It gets its name at the end of the block; if the block raises, it is gone.

    All names in it are synced before that; its files are synced by who writes them.

    Raises `FolderError` as `new_file`.
    """
    target = free_target(target)
    partial = _partial_name(target)
    try:
        private.make_folder(partial)
        yield partial
        _sync_folders(partial)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        os.rename(partial, target)  # onto nothing, or onto an empty folder that somebody made meanwhile
        io_steps.sync_folder(target)
    except OSError as problem:
        raise _not_written(target, problem) from problem
    finally:
        with uninterrupted():
            shutil.rmtree(partial, ignore_errors=True)


def link_file(source: str, target: str, *, mtime_ns: int, expected: ContentDigest) -> None:
    """Gives a file a second name, `target`, which must be free. It is read only if its time is not `mtime_ns`.

    Raises
    ------
    MismatchError
        If the source is missing, is a link or no regular file, is not what was expected, or cannot be linked.
    NoHardLinkError
        If the target is on another disk, or if the disk has no hard links.
    OSError
        If the disk of the target is full or read-only, so that no other file can be linked either.
    """
    status = regular_status(source)
    if (status.st_size, status.st_mtime_ns) != (expected.size_bytes, mtime_ns):
        verify(source, expected=expected)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as problem:
        if problem.errno in _TARGET_REFUSES:
            raise
        if problem.errno not in _NO_HARD_LINK:
            raise UnreadableFileError(f"The file cannot be linked: {problem.strerror}.") from problem
        raise NoHardLinkError(
            f"{source!r} cannot get a second name in {os.path.dirname(target)!r} ({problem.strerror})"
        ) from problem


def copy_file(source: str, target: str, *, expected: ContentDigest) -> None:
    """Copies a file to a free name, with its time, and syncs it. If it raises, nothing is at the target.

    Raises
    ------
    MismatchError
        If the source is missing, is a link or no regular file, cannot be read, or has other bytes.
    OSError
        If the disk of the target refuses.
    """
    status = regular_status(source)
    try:
        reading = io_steps.open_to_read(source)
    except OSError as problem:
        raise UnreadableFileError(f"The file cannot be read: {problem.strerror}.") from problem
    try:
        _copy_open(reading, target, expected=expected, mtime_ns=status.st_mtime_ns)
    except BaseException:
        with suppress(OSError):
            os.unlink(target)
        raise
    finally:
        os.close(reading)


def _copy_open(reading: int, target: str, *, expected: ContentDigest, mtime_ns: int) -> None:
    """Copies an open file, as `copy_file`; if it raises, a part of it may be at the target."""
    digest, size_bytes = hashlib.sha256(), 0
    with os.fdopen(private.create_file(target), "wb") as copy:
        while chunk := _read_chunk(reading):
            digest.update(chunk)
            size_bytes += len(chunk)
            copy.write(chunk)
        copy.flush()
        os.utime(copy.fileno(), ns=(mtime_ns, mtime_ns))
        io_steps.sync_file(copy.fileno())
    if ContentDigest(size_bytes, digest.hexdigest()) != expected:
        raise MismatchError("The file has other bytes than the index knows.")


def _read_chunk(reading: int) -> bytes:
    try:
        return os.read(reading, _CHUNK_BYTES)
    except OSError as problem:
        raise UnreadableFileError(f"The file cannot be read: {problem.strerror}.") from problem


def _sync_folders(folder: str) -> None:
    """Syncs the names in a folder and in all folders below it, the innermost first."""
    for parent, _, _ in os.walk(folder, topdown=False):
        io_steps.sync_folder(os.path.join(parent, ""))


def free_target(target: str) -> str:
    """The path with its folder resolved; raises `FolderError` if it is not free, or has no folder."""
    if not os.path.basename(target.rstrip("/")):
        raise FolderError(f"{target!r} is not the name of a new file or folder; give one")
    path = target.rstrip("/")
    folder = os.path.realpath(os.path.dirname(path) or os.curdir)
    if not os.path.isdir(folder):
        raise FolderError(f"the folder {folder!r} does not exist; make it first")
    if os.path.lexists(path):
        raise FolderError(f"{target!r} exists, and nothing is overwritten; name a new one")
    return os.path.join(folder, os.path.basename(path))


def _partial_name(target: str) -> str:
    return f"{target}.partial-{secrets.token_hex(4)}"


def _not_written(target: str, problem: OSError) -> FolderError:
    return FolderError(f"{target!r} cannot be written ({problem.strerror or problem}); nothing was left there")
