"""Whether the file of an index is still the one that a command without end opened."""

import os


def file_identity(path: os.PathLike[str] | None) -> tuple[int, int] | None:
    """What the file of an index is known by; None for one on a server, and for a file that is not there."""
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
