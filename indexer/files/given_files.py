"""Reads whole files that a person passes to a command: lists of labels and of verdicts.

It promises to read only regular files of a size that such a list may have: no pipe, no endless device.
"""

import errno
import os
import stat

MAX_BYTES = 1 << 28
"""The largest list that is read; a list of a million lines has a third of this size."""


def read_user_file(path: str) -> bytes:
    """The bytes of a file, also behind a link. Raises `OSError`, also if it is not a regular file or too long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_BYTES} bytes", path)
    return data
