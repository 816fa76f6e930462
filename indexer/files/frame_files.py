"""A stored frame as a file: written elsewhere and moved to its path, so that a crash leaves the whole file or none.

It promises that no existing file is overwritten, and that a frame which was written survives a power failure. Files are
their owner's alone, as `indexer.files.private` makes them.
"""

import errno
import hashlib
import os
from contextlib import suppress

from indexer.files.private import create_file, make_folders
from indexer.files.reading import read_file


def write_partial_frame(path: str, data: bytes, *, sync: bool = True) -> int:
    """Writes a file that `place_frame` moves later, and returns its modification time in nanoseconds.

    A file that an earlier attempt left there is replaced. `sync`: whether it is to survive a power failure. Raises
    `OSError` if the disk refuses.
    """
    with suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = create_file(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_mtime_ns


def place_frame(partial: str, path: str, *, content_hash: str) -> bool:
    """Gives a written frame its path. Returns False if there is a file with the same bytes already, which stays.

    Folders above the path are made. The partial name stays where the file system has hard links, so that
    `take_back_frame` can undo it; the caller syncs the folder, once for many frames, and unlinks the partial then. A
    frame that lost its partial name, and is at its path, counts as there already.

    Raises
    ------
    FileExistsError
        If another file has that path.
    FileNotFoundError
        If the frame has neither name.
    OSError
        If the disk refuses, or if the written frame does not have the expected sha256.
    """
    try:
        with open(partial, "rb") as file:  # noqa: PTH123
            data = file.read()
    except FileNotFoundError:
        if not os.path.lexists(path):
            raise
        if _has_hash(path, content_hash):
            return False
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
    if hashlib.sha256(data).hexdigest() != content_hash:
        raise OSError(errno.EIO, "the frame is not what was written", partial)
    make_folders(os.path.dirname(path))
    return _move_without_overwriting(partial, path, data)


def take_back_frame(partial: str, path: str) -> None:
    """Undoes `place_frame` where it returned True: the frame has its partial name alone. Raises `OSError`."""
    if os.path.lexists(partial):
        os.unlink(path)
    else:
        os.rename(path, partial)


def has_frame(path: str, data: bytes) -> bool:
    """Whether a path is a regular file with exactly these bytes."""
    try:
        file = read_file(path, max_bytes=len(data))
    except OSError:
        return False
    return file.data == data


def _has_hash(path: str, content_hash: str) -> bool:
    """Whether a path is a regular file with this sha256."""
    try:
        return read_file(path, max_bytes=0).content_hash == content_hash
    except OSError:
        return False


def _move_without_overwriting(partial: str, path: str, data: bytes) -> bool:
    """Gives a file its name; False if there is a file with the same bytes already."""
    try:
        os.link(partial, path, follow_symlinks=False)
    except FileExistsError:
        if has_frame(path, data):
            return False
        raise
    except OSError as problem:
        if problem.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}:
            raise
        if os.path.lexists(path):  # a file system without hard links
            if has_frame(path, data):
                return False
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from problem
        os.rename(partial, path)
    return True
