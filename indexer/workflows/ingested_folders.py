"""Whether a folder lies where an ingest would look: what is put there must not come back as new images."""

import os

from indexer.files.markers import QUARANTINE_NAME
from indexer.store import images
from indexer.store.database import Database


def find_ingested_parent(database: Database, folder: str) -> str | None:
    """The ingested folder in which a folder lies, if there is one and the walk would see it."""
    real = os.path.realpath(folder)
    if QUARANTINE_NAME in real.split(os.sep):
        return None
    with database.read() as session:
        roots = sorted({os.path.realpath(root) for root in images.list_roots(session)})
    return next((root for root in roots if os.path.commonpath([real, root]) == root), None)
