"""How much there is to decide: whether starting workers is worth it, as they need most of a second to be ready.

It does not import `indexer.imaging`, so that it can be asked before that is loaded.
"""

from indexer.store import open_images
from indexer.store.database import Database

MAX_SERIAL_IMAGES = 500
"""Undecided images: up to this number they are decided before workers would be ready."""

PRELOADED_MODULES = ("indexer.workflows.compare.camera_task", "indexer.imaging.kernel.preloaded")
"""Modules that the workers of a comparison need, loaded once for all of them."""


def should_start_workers(database: Database) -> bool:
    """Whether so many images are undecided that workers should be started."""
    with database.read() as session:
        return open_images.count_undecided(session) > MAX_SERIAL_IMAGES
