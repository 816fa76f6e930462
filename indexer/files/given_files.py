"""Files of a person's own that a command reads whole: lists of labels and of verdicts.

It promises that nothing but a regular file of a size that such a list may have is read: no pipe, no device without end.
"""

import errno
import os
import stat

MAX_BYTES = 1 << 28
"""Of a list; one of a million lines has a third of it."""


def read_user_file(path: str) -> bytes:
    """The bytes of a file, by a link if need be. Raises `OSError`, also for what is no file or too long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_BYTES} bytes", path)
    return data
