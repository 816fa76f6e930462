"""The file that names live cameras, which may hold passwords."""

import os
import stat

from indexer.errors import FolderError
from indexer.files.reading import os_error_message

_LARGEST_BYTES = 2**20


def read_sources_file(path: str) -> str:
    """The text of the file.

    Raises `FolderError` if it is no regular file, is larger than 1 MiB, is no UTF-8, or cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FolderError(f"{path!r} is no regular file; name a file with a line NAME = SOURCE for each camera")
            data = file.read(_LARGEST_BYTES + 1)
    except OSError as problem:
        raise FolderError(f"the sources {path!r} cannot be read: {os_error_message(problem)}") from None
    if len(data) > _LARGEST_BYTES:
        raise FolderError(f"the sources {path!r} are larger than 1 MiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FolderError(f"the sources {path!r} are not in UTF-8") from None
    return text


def others_may_read(path: str) -> bool:
    """Whether others than its owner may read the file. Raises `FolderError` if that cannot be seen."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as problem:
        raise FolderError(f"the sources {path!r} cannot be read: {os_error_message(problem)}") from None
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))
