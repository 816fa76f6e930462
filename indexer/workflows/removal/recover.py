"""recover: settle the removals that a cut left open, and nothing else.

Every writing command does so first; this one says what it did, and takes a person's word where locks cannot tell
whether another host is at work on a file.
"""

import os
from dataclasses import dataclass

from indexer.store import removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run
from indexer.workflows.witnesses import record_legacy_removals


@dataclass(frozen=True)
class RecoverReport:
    """How many removals that a cut left open were finished, and undone; paths and acts of those that are open still."""

    finished: int
    undone: int
    left_open: tuple[tuple[str, str], ...]


def recover(database: Database, *, nobody_else: bool, clock: Clock) -> RecoverReport:
    """Settles what is open; `nobody_else`: no other command is at work on these files, a person says."""
    arguments = {"nobody_else": nobody_else}
    with record_run(database, "recover", arguments=arguments, clock=clock, nobody_else=nobody_else) as run:
        record_legacy_removals(database, run=run, at=clock())
        with database.read() as session:
            unresolved = removals.list_pending(session)
        return RecoverReport(
            run.recovery.finished,
            run.recovery.undone,
            tuple(
                (removal.path, _describe_unresolved(removal, run.recovery.problems.get(removal.image_id)))
                for removal in unresolved
            ),
        )


def _describe_unresolved(removal: JournalEntry, problem: str | None) -> str:
    if removal.aside_path is not None and os.path.lexists(removal.aside_path) and os.path.lexists(removal.path):
        return f"it waits at {removal.aside_path!a}, as another file has its name; move that away first"
    reason = "" if problem is None else f": {problem}"
    return f"{removal.pending} was cut off; nobody can tell how far it came{reason}"
