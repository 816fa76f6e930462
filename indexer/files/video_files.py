"""A video file as bytes: opened without following links, and known again by a few of its bytes.

It reads no container, and it never writes. A pipe, a device or a link is refused before anything is read.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

_OPEN_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_END_BYTES = 2**20


@dataclass(frozen=True)
class VideoIdentity:
    """What a video file is known again by.

    `fingerprint`: the sha256, in hex, of its size and of its first and last MiB. A long file is not read whole for it.
    """

    size_bytes: int
    mtime_ns: int
    fingerprint: str


@contextmanager
def open_video_file(path: str) -> Iterator[BinaryIO]:
    """A regular file open for reading, at its start.

    Raises
    ------
    OSError
        If the file cannot be read, or is not a regular file.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as problem:
        if problem.errno in {errno.ELOOP, errno.ENXIO}:  # a link; a socket
            raise OSError(problem.errno, "not a regular file", path) from problem
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    with os.fdopen(descriptor, "rb") as file:
        yield file


def identify_video(file: BinaryIO) -> VideoIdentity:
    """The identity of an open file; afterwards it is at its start again. Raises `OSError` if it cannot be read."""
    status = os.fstat(file.fileno())
    return VideoIdentity(status.st_size, status.st_mtime_ns, fingerprint_of(file, size_bytes=status.st_size))


def fingerprint_of(file: BinaryIO, *, size_bytes: int) -> str:
    """The fingerprint of the first `size_bytes` of an open file: that of the whole file when it had this size, unless
    bytes were changed since. Afterwards it is at its start. Raises `OSError` if it cannot be read."""
    digest = hashlib.sha256(f"{size_bytes}\n".encode())
    length = min(_END_BYTES, size_bytes)
    for begin in (0, size_bytes - length):
        file.seek(begin)
        digest.update(file.read(length))
    file.seek(0)
    return digest.hexdigest()
