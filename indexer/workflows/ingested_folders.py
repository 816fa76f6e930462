"""Whether an ingest would read a folder: files that a command writes must not come back as new images."""

import os

from indexer.files.markers import QUARANTINE_NAME
from indexer.store import images
from indexer.store.database import Database


def find_ingested_parent(database: Database, folder: str) -> str | None:
    """The real path of the ingested folder that contains `folder` or is it; None if no ingest would read `folder`.

    A folder inside a quarantine is never read.
    """
    real = os.path.realpath(folder)
    if QUARANTINE_NAME in real.split(os.sep):
        return None
    with database.read() as session:
        roots = sorted({os.path.realpath(root) for root in images.list_roots(session)})
    return next((root for root in roots if os.path.commonpath([real, root]) == root), None)
