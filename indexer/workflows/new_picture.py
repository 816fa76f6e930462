"""The name of a picture that a command draws: a new PNG outside of the ingested folders.

It promises that no file is overwritten.
"""

import os

from indexer.errors import PictureError, UsageError
from indexer.files import private
from indexer.store.database import Database
from indexer.workflows.ingested_folders import find_ingested_parent


def require_new_picture(database: Database, out: str, *, typed: str) -> None:
    """Refuses a name that is no PNG, that exists, or that lies inside an ingested folder; `typed`: how it is named.

    Raises `UsageError` or `PictureError`.
    """
    if not out.lower().endswith(".png"):
        raise UsageError(f"the picture is a PNG, but {out!r} is not the name of a PNG; type {typed}")
    if os.path.lexists(out):
        raise PictureError(f"{out!r} exists already, and nothing is overwritten; name a new file")
    if (root := find_ingested_parent(database, os.path.dirname(out) or ".")) is not None:
        raise PictureError(
            f"{out!r} lies inside {root!r}, and the next ingest would take the picture in; name a place outside"
        )


def write_new_picture(out: str, data: bytes) -> None:
    """Writes a new file as `indexer.files.private` does, as the images may be private; raises `PictureError`."""
    try:
        private.write_new(out, data)
    except OSError as problem:
        raise PictureError(f"{out!r} cannot be written: {problem.strerror}; name another place") from problem
