"""Reads whole files that a person passes to a command: lists of labels and of verdicts, drawings.

It promises to read only regular files, and no more of them than the caller admits: no pipe, no endless device.
"""

import errno
import os
import stat

MAX_LIST_BYTES = 1 << 28
"""The largest list that is read; a list of a million lines has a third of this size."""


def read_user_file(path: str, *, max_bytes: int, refusal: str = "not a regular file") -> bytes:
    """The bytes of a file; a symbolic link is followed.

    Of a file with more than `max_bytes`, the first `max_bytes` + 1, so that the caller sees that it is too large.

    Raises
    ------
    OSError
        If the file cannot be read. If it is not a regular file, the text of the error is `refusal`.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:  # refuses a folder
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, refusal, path)
        return file.read(max_bytes + 1)


def read_user_list(path: str) -> bytes:
    """The bytes of a list. Raises `OSError` as `read_user_file`, and for more than `MAX_LIST_BYTES`."""
    data = read_user_file(path, max_bytes=MAX_LIST_BYTES, refusal="it is no regular file")
    if len(data) > MAX_LIST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_LIST_BYTES} bytes; split it", path)
    return data
