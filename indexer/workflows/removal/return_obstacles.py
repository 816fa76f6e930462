"""Why a removed file cannot come back to its old path, or need not, as far as that is known before it is moved."""

import os
from collections.abc import Sequence

from indexer.domain.images import ImageState
from indexer.escaping import command_line, quoted
from indexer.files.beneath import lies_beneath
from indexer.files.quarantine import was_taken_out
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.files.witness_record import is_recorded_near
from indexer.store import images, relocation, removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.removal.missing_folders import (
    find_missing_folder,
    find_quarantine_problem,
    forget_hint,
    relocate_hint,
)
from indexer.workflows.runs.run import ActiveRun


class PresentImages:
    """Which images are back already: of one that was copied out of quarantine by hand, a copy still lies there.

    If it was removed again, two copies do, and the later one is brought back.
    """

    def __init__(self, database: Database, chosen: Sequence[JournalEntry]) -> None:
        with database.read() as session:
            image_ids = sorted({removal.image_id for removal in chosen})
            self._paths = images.list_paths(session, image_ids)
            self._quarantine_paths = removals.list_quarantine_paths(session, image_ids)
        self._restored_ids = set[int]()

    def add(self, removal: JournalEntry) -> None:
        """Notes that the image of a removal was brought back."""
        self._restored_ids.add(removal.image_id)

    def has_copy_of(self, removal: JournalEntry, *, named: bool) -> bool:
        """Whether a file may stay in quarantine without a word, as its image is back.

        A file that a person `named` stays only if another copy of it came back in this run.
        """
        if removal.image_id in self._restored_ids:
            return True
        return not named and self._find_present(removal) is not None

    def describe(self, removal: JournalEntry) -> str | None:
        """Why a file cannot come back to its old path, as its image has another path by now; None if it can.

        It can if nothing of the image is at the other path, or in quarantine since it was removed from there.
        """
        path, state = self._paths[removal.image_id]
        if path == removal.path:
            return None
        if self._find_present(removal) is not None:
            purge = command_line("purge", "--all")
            return f"its picture is at {path!r} already; to free all that is in quarantine: {purge}"
        last_copy = self._quarantine_paths.get(removal.image_id, removal.quarantine_path)
        if state is ImageState.REMOVED and last_copy != removal.quarantine_path and os.path.lexists(last_copy or ""):
            return f"it was removed again from {path!r}; type: {command_line('restore', names=[path])}"
        return None

    def _find_present(self, removal: JournalEntry) -> str | None:
        """The path where the image is, if the index knows that it is back and its bytes are there."""
        path, state = self._paths[removal.image_id]
        expected = ContentDigest(removal.size_bytes, removal.content_hash)
        return path if state is ImageState.READY and is_there(path, expected=expected) else None


class RenamedFolders:
    """Which missing folders were rather renamed or moved than emptied: restore makes none of them anew.

    Files that came back to the old path would be apart from their keepers, and `relocate` could not go on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reasons: dict[str, str | None] = {}

    def describe(self, folder: str | None) -> str | None:
        """Why no file can come back into a missing folder, and what to type; None if it can be made anew."""
        if folder is None:
            return None
        if folder not in self._reasons:
            self._reasons[folder] = self._find_reason(folder)
        return self._reasons[folder]

    def _find_reason(self, folder: str) -> str | None:
        with self._database.read() as session:
            is_ingested = any(
                root == folder or lies_beneath(root, folder) for root in images.list_outermost_roots(session)
            )
            present = relocation.count_present_below(session, folder)
        if not is_ingested and not present:
            return None
        return (
            f"the folder {folder!r} is not there; {relocate_hint(folder)}; if it was deleted: "
            f"mkdir {quoted(folder)}, and restore again"
        )


def find_obstacle(removal: JournalEntry, *, run: ActiveRun | None) -> str | None:
    """Why a file cannot be brought back, as far as this is known before it is read, and what to type; else None.

    `run`: the run that recovered what was open; None before there is one.
    """
    if removal.pending is not None and run is None:
        return f"what was begun with it was cut off; type: {command_line('recover')}"
    if removal.pending is not None and run is not None:
        return f"what was begun with it {run.recovery.describe_unresolved(removal.image_id)}"
    if (problem := find_quarantine_problem(removal)) is not None:
        return problem
    if was_taken_out(removal.quarantine_path or ""):
        ingest, purge = command_line("ingest", "FOLDER"), command_line("purge", "--all")
        return (
            f"somebody took it out of quarantine; if it is in another folder now: {ingest}; if it is gone, the next "
            f"{purge} notes it; {forget_hint(removal)}"
        )
    if removal.recorded and not is_recorded_near(removal.path):
        missing_folder = find_missing_folder(removal.path)
        return (
            "no record of its removal is near its path; mount its disk, or if this is a new one type: "
            f"{command_line('rescue', 'QUARANTINE')}"
            f"{'' if missing_folder is None else f'; {relocate_hint(missing_folder)}'}"
        )
    return None


def is_there(path: str, *, expected: ContentDigest) -> bool:
    """Whether the file at a path has the bytes of a removed one, as after somebody copied it out of quarantine."""
    try:
        verify(path, expected=expected)
    except MismatchError:
        return False
    return True
