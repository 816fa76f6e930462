"""The long runs that were cut off. It writes nothing, and loads nothing of what recovers removals."""

from indexer.store import runs
from indexer.store.database import Database
from indexer.store.locks.run_lock import list_running
from indexer.store.runs import UnfinishedRun


def list_killed_runs(database: Database) -> list[UnfinishedRun]:
    """The long runs that were cut off, and that no later command recorded as interrupted; it writes nothing."""
    with database.read() as session:
        unfinished = runs.list_unfinished(session)
    running = list_running(database, [run.id for run in unfinished])
    return [run for run in unfinished if run.id not in running]
