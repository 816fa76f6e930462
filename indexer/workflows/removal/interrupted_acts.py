"""Acts with a removed file that were cut off: what is known of them before a run recovers them, and after."""

import os

from indexer.escaping import command_line
from indexer.files.moving import aside_path
from indexer.store.removals import JournalEntry
from indexer.workflows.runs.run import ActiveRun


def describe_interrupted(removal: JournalEntry, *, run: ActiveRun | None) -> str | None:
    """Why nothing can be done with a file, as an act with it was cut off, and what to type; None if nothing hinders.

    `run`: the run that recovered what was open; None before there is one. It will recover what has its file at one of
    its names.
    """
    if removal.pending is None:
        return None
    if run is not None:
        return f"what was begun with it {run.recovery.describe_unresolved(removal.image_id)}"
    path = removal.quarantine_path or ""
    if any(map(os.path.lexists, (removal.path, path, aside_path(path)))):
        return None
    return f"what was begun with it was cut off; type: {command_line('recover')}"


def has_come_back(removal: JournalEntry) -> bool:
    """Whether a return that was cut off had moved the file already, so that a run has only to write that down."""
    is_return = removal.pending is not None and removal.pending.startswith("restore")
    return is_return and os.path.lexists(removal.path) and not os.path.lexists(removal.quarantine_path or "")
