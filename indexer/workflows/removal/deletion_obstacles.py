"""Why a file in quarantine must not be deleted, or not count as gone, as far as that is known before it is read."""

import os

from indexer.domain.images import ImageState
from indexer.escaping import command_line
from indexer.files.absence import find_read_refusal
from indexer.files.system_folders import is_in_separate_system_folder
from indexer.files.verification import ContentDigest, MismatchError, is_same_file, sized_status, verify
from indexer.store.removals import JournalEntry
from indexer.store.verdicts import JudgedPair
from indexer.workflows.removal.interrupted_acts import describe_interrupted
from indexer.workflows.removal.missing_folders import find_quarantine_problem, forget_hint
from indexer.workflows.runs.run import ActiveRun


def find_obstacle(removal: JournalEntry, *, verdict: JudgedPair | None, run: ActiveRun | None) -> str | None:
    """Why a file is not deleted, as far as this is known before any file is read, and what to type; else None.

    `verdict`: the one that holds on the file and its keeper, if any. `run`: the run that recovered what was open; None
    before there is one.
    """
    quarantine_path = removal.quarantine_path or ""
    if (problem := describe_interrupted(removal, run=run) or find_quarantine_problem(removal)) is not None:
        return problem
    if is_same_file(quarantine_path, removal.keeper_path):
        # A link on the way can do that: the keeper's path then leads to the very file that would be deleted.
        return f"it is the same file as its keeper {removal.keeper_path!r}"
    if (objection := _describe_objection(removal, verdict)) is not None:
        return objection
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!r} is {removal.keeper_state}"
    if is_in_separate_system_folder(removal.keeper_path, removal.path):
        return (
            f"its keeper {removal.keeper_path!r} lies in a hidden folder, a bin, a snapshot or the like, and may be "
            f"gone tomorrow; bring it back with: {command_line('restore', names=[removal.path])}"
        )
    return _find_mismatch(removal)


def find_reason_not_to_close(removal: JournalEntry, *, reads: bool) -> str | None:
    """Why a file must not count as gone: nobody can tell, nothing stands for it, or its disk is away; else None.

    `reads`: the bytes of its keeper are read, too.
    """
    if removal.quarantine_path is not None and find_read_refusal(removal.quarantine_path) is not None:
        return find_quarantine_problem(removal)
    if removal.keeper_state is not ImageState.READY:
        return f"its keeper {removal.keeper_path!r} is {removal.keeper_state}; {forget_hint(removal)}"
    check = verify if reads else sized_status
    try:
        check(removal.keeper_path, expected=ContentDigest(removal.keeper_size_bytes, removal.keeper_hash))
    except MismatchError as problem:
        reason = problem.reason.removesuffix(".")
        return f"its keeper {removal.keeper_path!r}: {reason}; mount its disk, or {forget_hint(removal)}"
    return None


def find_other_size(removal: JournalEntry) -> str | None:
    """Why a file in quarantine is not what was put there, as far as this is seen without reading it; else None."""
    path = removal.quarantine_path or ""
    try:
        if os.path.lexists(path):  # else it may wait under its second name
            sized_status(path, expected=ContentDigest(removal.size_bytes, removal.content_hash))
    except MismatchError as problem:
        return problem.reason
    return None


def _find_mismatch(removal: JournalEntry) -> str | None:
    """Why keeper or file are not what the index knows, as far as this is seen without reading them; else None."""
    try:
        sized_status(removal.keeper_path, expected=ContentDigest(removal.keeper_size_bytes, removal.keeper_hash))
    except MismatchError as problem:
        return f"its keeper {removal.keeper_path!r}: {problem.reason}"
    return find_other_size(removal)


def _describe_objection(removal: JournalEntry, verdict: JudgedPair | None) -> str | None:
    """Why a person's later verdict speaks against the removal of a file, which then must not be deleted; else None."""
    if verdict is None or verdict.verdict == "same":
        return None
    return (
        f"{verdict.by} said that its keeper shows something different; "
        f"bring it back with: {command_line('restore', names=[removal.path])}"
    )
