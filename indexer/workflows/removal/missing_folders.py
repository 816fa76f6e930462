"""Folders that the index names and that are not there: what was renamed or moved, and what to type then."""

import os

from indexer.escaping import command_line
from indexer.files.absence import find_read_refusal, is_folder_absent
from indexer.files.quarantine import is_quarantine_missing, quarantine_of
from indexer.store.removals import JournalEntry


def find_missing_folder(path: str) -> str | None:
    """The outermost folder above a path that does not exist; None if the file's folder is there, or nobody can tell."""
    missing, folder = None, os.path.dirname(path)
    while is_folder_absent(folder) and folder != os.path.dirname(folder):
        missing, folder = folder, os.path.dirname(folder)
    return missing


def find_quarantine_problem(removal: JournalEntry) -> str | None:
    """Why a removed file cannot be reached, and what to do, if its quarantine cannot be read or is not there; else
    None."""
    path = removal.quarantine_path or ""
    if (refusal := find_read_refusal(path)) is not None:
        return f"the quarantine {quarantine_of(path)!r} cannot be read: {refusal}; change its rights, or mount its disk"
    return _describe_missing_quarantine(removal) if is_quarantine_missing(path) else None


def _describe_missing_quarantine(removal: JournalEntry) -> str:
    quarantine, folder = quarantine_of(removal.quarantine_path or ""), find_missing_folder(removal.path)
    hint = "" if folder is None else f"; {relocate_hint(folder)}"
    gone = command_line("purge", "--gone", names=[quarantine])
    run_folder = os.path.dirname(os.path.dirname(removal.quarantine_path or ""))
    missing = (
        f"the folder {os.path.basename(run_folder)!r} of its run in the quarantine {quarantine!r}"
        if os.path.isdir(quarantine)
        else f"the quarantine {quarantine!r}"
    )
    return f"{missing} is not there; mount its disk, or if it was deleted: {gone}{hint}"


def relocate_hint(folder: str) -> str:
    """What to type if a folder that is not there was renamed or moved."""
    return f"if {folder!r} was renamed or moved: {command_line('relocate', names=[folder, 'NEW'])}"


def forget_hint(removal: JournalEntry) -> str:
    """What to type if neither a removed file nor its keeper is there any more."""
    return f"if both files are gone for good: {command_line('forget', names=[removal.path])}"
