"""Reading a file once: its bytes with their hash, and a file that changes meanwhile refused.

It knows no images. Whoever decodes the bytes does not open the file again.
"""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass

_OPEN_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_PIECE_BYTES = 2**20


@dataclass(frozen=True)
class FileContents:
    """The facts of a file that was read to its end, and its bytes if they are not more than the limit."""

    size_bytes: int
    mtime_ns: int
    content_hash: str
    data: bytes | None  # None: over the limit, so it was hashed in pieces and not kept


def read_file(path: str, *, max_bytes: int) -> FileContents:
    """The size, modification time, sha256 (hexadecimal) and bytes of a file.

    Raises
    ------
    OSError
        If the file cannot be read, is not a regular file, or changes while it is read.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as problem:
        if problem.errno == errno.ELOOP:  # O_NOFOLLOW: the last part of the path is a link
            raise OSError(errno.ELOOP, "not a regular file", path) from problem
        raise
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        digest, pieces, read_bytes = hashlib.sha256(), [], 0
        while read_bytes <= before.st_size and (piece := os.read(descriptor, _PIECE_BYTES)):
            digest.update(piece)
            read_bytes += len(piece)
            if before.st_size <= max_bytes:
                pieces.append(piece)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns, read_bytes) != (after.st_size, after.st_mtime_ns, before.st_size):
        raise OSError(errno.EBUSY, "the file changed while it was read", path)
    data = b"".join(pieces) if before.st_size <= max_bytes else None
    return FileContents(before.st_size, before.st_mtime_ns, digest.hexdigest(), data)


def os_error_message(problem: OSError) -> str:
    """The message of an error with a file, without its path."""
    return problem.strerror or str(problem)
