"""A stored frame as a file: written elsewhere and moved to its path, so that a crash leaves the whole file or none.

It promises that no existing file is overwritten, and that a frame which was written survives a power failure. Files are
their owner's alone, as `indexer.files.private` makes them.
"""

import errno
import hashlib
import os
import secrets
from contextlib import suppress

from indexer.files.private import create_file, make_folders
from indexer.files.reading import read_file


def write_frame(path: str, data: bytes, *, partial_folder: str | None = None) -> bool:
    """Writes a new file. Returns False if there is one with the same bytes already; then nothing is written.

    The bytes are first written to a file in `partial_folder`, which must be on the same disk; None: beside the file,
    as `.<name>.part`. Folders above the file are made.

    Raises
    ------
    FileExistsError
        If another file has that path.
    OSError
        If the disk refuses.
    """
    folder, name = os.path.split(path)
    make_folders(folder)
    if partial_folder is None:
        partial = os.path.join(folder, f".{name}.part")
        with suppress(FileNotFoundError):
            os.unlink(partial)  # what a crash left
    else:
        make_folders(partial_folder)
        partial = os.path.join(partial_folder, f"{name}.{secrets.token_hex(4)}.part")
    descriptor = create_file(partial)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        is_new = _move_without_overwriting(partial, path, data)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)
    sync_folder(folder)
    return is_new


def sync_folder(folder: str) -> None:
    """Makes the names in a folder survive a power failure, where the file system can."""
    descriptor = os.open(folder or os.curdir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


def _move_without_overwriting(partial: str, path: str, data: bytes) -> bool:
    """Gives a file its name; False if there is a file with the same bytes already."""
    try:
        os.link(partial, path, follow_symlinks=False)
    except FileExistsError:
        if _has_bytes(path, data):
            return False
        raise
    except OSError as problem:
        if problem.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}:
            raise
        if os.path.lexists(path):  # a file system without hard links
            if _has_bytes(path, data):
                return False
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from problem
        os.rename(partial, path)
    return True


def _has_bytes(path: str, data: bytes) -> bool:
    """Whether a path is a regular file with these bytes."""
    try:
        file = read_file(path, max_bytes=len(data))
    except OSError:
        return False
    return file.data == data


def write_partial_frame(path: str, data: bytes) -> int:
    """Writes a file that `place_frame` moves later, and returns its modification time in nanoseconds.

    A file that an earlier attempt left there is replaced. Raises `OSError` if the disk refuses.
    """
    with suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = create_file(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_mtime_ns


def place_frame(partial: str, path: str, *, content_hash: str) -> bool:
    """Moves a written frame to its path. Returns False if there is a file with the same bytes already, which stays.

    Folders above the path are made. The caller syncs the folder, once for many frames.

    Raises
    ------
    FileExistsError
        If another file has that path.
    OSError
        If the disk refuses, or if the written frame does not have the expected sha256.
    """
    with open(partial, "rb") as file:  # noqa: PTH123
        data = file.read()
    if hashlib.sha256(data).hexdigest() != content_hash:
        raise OSError(errno.EIO, "the frame is not what was written", partial)
    make_folders(os.path.dirname(path))
    is_new = _move_without_overwriting(partial, path, data)
    with suppress(FileNotFoundError):
        os.unlink(partial)
    return is_new


def has_frame(path: str, data: bytes) -> bool:
    """Whether a path has a file with exactly these bytes."""
    return _has_bytes(path, data)
