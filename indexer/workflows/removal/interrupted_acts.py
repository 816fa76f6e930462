"""Acts with a removed file that were cut off: what is known of them before a run recovers them, and after."""

from indexer.escaping import command_line
from indexer.files.absence import is_absent
from indexer.files.lost_files import is_lost
from indexer.files.moving import aside_path
from indexer.store.removals import JournalEntry
from indexer.workflows.runs.run import ActiveRun


def describe_interrupted(removal: JournalEntry, *, run: ActiveRun | None) -> str | None:
    """Why nothing can be done with a file, as an act with it was cut off, and what to type; None if nothing hinders.

    `run`: the run that recovered what was open; None before there is one. It will recover what is not lost.
    """
    if removal.pending is None:
        return None
    if run is not None:
        return f"what was begun with it {run.recovery.describe_unresolved(removal.image_id)}"
    return f"what was begun with it was cut off; type: {command_line('recover')}" if _is_lost(removal) else None


def has_left_quarantine(removal: JournalEntry) -> bool:
    """Whether an act that was cut off had taken a file out of quarantine already: a run has only to write that down."""
    path = removal.quarantine_path or ""
    has_left = is_absent(path) and is_absent(aside_path(path))
    return removal.pending is not None and has_left and not _is_lost(removal)


def _is_lost(removal: JournalEntry) -> bool:
    return is_lost(removal.path, aside=removal.aside_path, quarantine_path=removal.quarantine_path)
