"""Whether an ingest would read a folder: files that a command writes must not come back as new images."""

import os
from collections.abc import Iterable

from indexer.files.markers import QUARANTINE_NAME
from indexer.store import image_folders
from indexer.store.database import Database


def find_ingested_parent(database: Database, folder: str) -> str | None:
    """The real path of the ingested folder that contains `folder` or is it; None if no ingest would read `folder`.

    A folder inside a quarantine is never read.
    """
    with database.read() as session:
        return find_parent(folder, image_folders.list_roots(session))


def find_parent(folder: str, roots: Iterable[str]) -> str | None:
    """As `find_ingested_parent`, among these folders."""
    real = os.path.realpath(folder)
    if QUARANTINE_NAME in real.split(os.sep):
        return None
    real_roots = sorted({os.path.realpath(root) for root in roots})
    return next((root for root in real_roots if os.path.commonpath([real, root]) == root), None)
