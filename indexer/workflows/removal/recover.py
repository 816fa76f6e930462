"""recover: resolve the removals that a crash left open, and nothing else.

Every writing command does this first. This command reports what it did. It also accepts a person's confirmation where
locks cannot tell whether another host works on a file.
"""

import os
from dataclasses import dataclass

from indexer.files.verification import ContentDigest
from indexer.store import removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock
from indexer.workflows.removal.return_obstacles import is_there
from indexer.workflows.runs.run import record_run
from indexer.workflows.witnesses import record_legacy_removals


@dataclass(frozen=True)
class RecoverReport:
    """How many interrupted removals were finished and undone; path and reason of those that are still open."""

    finished: int
    undone: int
    left_open: tuple[tuple[str, str], ...]


def recover(database: Database, *, nobody_else: bool, clock: Clock) -> RecoverReport:
    """Resolves open removals; `nobody_else`: a person confirms that no other command works on these files."""
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
    aside, expected = removal.aside_path, ContentDigest(removal.size_bytes, removal.content_hash)
    is_blocked = aside is not None and os.path.lexists(aside) and os.path.lexists(removal.path)
    if is_blocked and not is_there(removal.path, expected=expected):
        return f"it waits at {aside!r}, as another file has its name; move that away first"
    reason = "" if problem is None else f": {problem}"
    return f"{removal.pending} was cut off and is open still{reason}"
