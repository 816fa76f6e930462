"""Why a file in quarantine must not be deleted, or not count as gone, as far as that is known before it is read."""

from indexer.domain.decisions import ordered_pair
from indexer.domain.images import ImageState
from indexer.escaping import command_line
from indexer.files.quarantine import find_read_refusal
from indexer.files.system_folders import is_in_separate_system_folder
from indexer.files.verification import ContentDigest, MismatchError, is_same_file, verify
from indexer.store import verdicts
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.removal.missing_folders import find_quarantine_problem, forget_hint
from indexer.workflows.runs.run import ActiveRun


def find_obstacle(database: Database, removal: JournalEntry, *, run: ActiveRun | None) -> str | None:
    """Why a file is not deleted, as far as this is known before any file is read, and what to type; else None.

    `run`: the run that recovered what was open; None before there is one.
    """
    quarantine_path = removal.quarantine_path or ""
    if removal.pending is not None and run is None:
        return f"what was begun with it was cut off; type: {command_line('recover')}"
    if removal.pending is not None and run is not None:
        return f"what was begun with it {run.recovery.describe_unresolved(removal.image_id)}"
    if (problem := find_quarantine_problem(removal)) is not None:
        return problem
    if is_same_file(quarantine_path, removal.keeper_path):
        # A link on the way can do that: the keeper's path then leads to the very file that would be deleted.
        return f"it is the same file as its keeper {removal.keeper_path!r}"
    if (objection := _find_objection(database, removal)) is not None:
        return objection
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!r} is {removal.keeper_state}"
    if is_in_separate_system_folder(removal.keeper_path, removal.path):
        return (
            f"its keeper {removal.keeper_path!r} lies in a hidden folder, a bin, a snapshot or the like, and may be "
            f"gone tomorrow; bring it back with: {command_line('restore', names=[removal.path])}"
        )
    return None


def find_reason_not_to_close(removal: JournalEntry) -> str | None:
    """Why a file must not count as gone: nobody can tell, nothing stands for it, or its disk is away; else None."""
    if removal.quarantine_path is not None and find_read_refusal(removal.quarantine_path) is not None:
        return find_quarantine_problem(removal)
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!r} is {removal.keeper_state}; {forget_hint(removal)}"
    try:
        verify(removal.keeper_path, expected=ContentDigest(removal.keeper_size_bytes, removal.keeper_hash))
    except MismatchError as problem:
        return f"its keeper {removal.keeper_path!r}: {problem.reason}; mount its disk, or {forget_hint(removal)}"
    return None


def _find_objection(database: Database, removal: JournalEntry) -> str | None:
    """Why a person's later verdict speaks against the removal of a file, which then must not be deleted; else None."""
    with database.read() as session:
        verdict = verdicts.find_verdict(session, ordered_pair(removal.image_id, removal.keeper_id))
    if verdict is None or verdict.verdict == "same":
        return None
    return (
        f"{verdict.by} said that its keeper shows something different; "
        f"bring it back with: {command_line('restore', names=[removal.path])}"
    )
