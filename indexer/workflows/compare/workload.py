"""How much there is to decide: whether it is worth workers, which take most of a second to be ready.

It knows no pixels, so that it can be asked before these are loaded.
"""

from indexer.store import decisions
from indexer.store.database import Database

MAX_SERIAL_IMAGES = 500
"""Undecided images: fewer are decided before workers are ready."""

PRELOADED_MODULES = ("indexer.workflows.compare.camera_task", "indexer.imaging.kernel.preloaded")
"""What workers that compare need, to be loaded once for all of them."""


def should_start_workers(database: Database) -> bool:
    """Whether so much is undecided that workers should begin to get ready."""
    with database.read() as session:
        return decisions.count_undecided(session) > MAX_SERIAL_IMAGES
