"""How much there is to decide: whether it is worth workers, which take most of a second to be ready.

It knows no pixels, so that it can be asked before these are loaded.
"""

from indexer.store import decisions
from indexer.store.database import Database

WORTH_WORKERS = 500
"""Undecided images: fewer are decided before workers are ready."""

PRELOADED = ("indexer.workflows.compare.camera_task", "indexer.imaging.kernel.preloaded")
"""What workers that compare need, to be loaded once for all of them."""


def is_worth_workers(database: Database) -> bool:
    """Whether so much is undecided that workers should begin to get ready."""
    with database.read() as session:
        return decisions.count_undecided(session) > WORTH_WORKERS
