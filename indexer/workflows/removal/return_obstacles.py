"""Why a removed file cannot come back to its old path, or need not, as far as that is known before it is moved."""

import errno
import os
from collections import Counter
from collections.abc import Sequence

from indexer.domain.images import ImageState
from indexer.escaping import command_line, quoted
from indexer.files.absence import find_read_refusal
from indexer.files.beneath import lies_beneath
from indexer.files.filesystems import free_bytes
from indexer.files.quarantine import was_taken_out
from indexer.files.refusals import describe_os_error
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.files.witness_record import is_recorded_near
from indexer.store import image_folders, images, relocation, removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.workflows.removal.deletion_obstacles import find_other_size
from indexer.workflows.removal.interrupted_acts import describe_interrupted
from indexer.workflows.removal.missing_folders import (
    find_missing_folder,
    find_quarantine_problem,
    forget_hint,
    relocate_hint,
)
from indexer.workflows.runs.run import ActiveRun

DISK_IS_FULL = "the disk of its folder has no space for it; free some, and type the same command again"


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
                root == folder or lies_beneath(root, folder) for root in image_folders.list_outermost_roots(session)
            )
            present = relocation.count_present_below(session, folder)
        if not is_ingested and not present:
            return None
        return (
            f"the folder {folder!r} is not there; {relocate_hint(folder)}; if it was deleted: "
            f"mkdir {quoted(folder)}, and restore again"
        )


class ReturnSpace:
    """Which files do not fit on the disk of their folder, as they come back to it from another disk."""

    def __init__(self) -> None:
        self._planned_bytes = Counter[int]()

    def describe(self, removal: JournalEntry) -> str | None:
        """Why a file does not fit beside those that were added, and what to do; None if it fits."""
        folder = _existing_folder(removal)
        try:
            device = os.stat(folder).st_dev
            is_on_another = os.lstat(removal.quarantine_path or "").st_dev != device
            fits = not is_on_another or free_bytes(folder) - self._planned_bytes[device] >= removal.size_bytes
        except OSError:
            return None  # what is wrong there is found later
        return None if fits else DISK_IS_FULL

    def add(self, removal: JournalEntry) -> None:
        """Notes that a file would come back before the next ones."""
        self._planned_bytes[os.stat(_existing_folder(removal)).st_dev] += removal.size_bytes


def _existing_folder(removal: JournalEntry) -> str:
    """The folder that a file comes back to, or the one that this would be made in."""
    missing_folder = find_missing_folder(removal.path)
    return os.path.dirname(removal.path if missing_folder is None else missing_folder)


def find_obstacle(removal: JournalEntry, *, run: ActiveRun | None) -> str | None:
    """Why a file cannot be brought back, as far as this is known before it is read, and what to type; else None.

    `run`: the run that recovered what was open; None before there is one.
    """
    problem = describe_interrupted(removal, run=run) or find_quarantine_problem(removal) or _describe_folder(removal)
    if problem is not None:
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
    problem = find_other_size(removal)
    return None if problem is None else f"in quarantine: {problem}"


def _describe_folder(removal: JournalEntry) -> str | None:
    """Why the folder that a file comes back to cannot be used, and what to do; None if it can be, or can be made."""
    if (refusal := find_read_refusal(removal.path)) is not None:
        folder = os.path.dirname(removal.path)
        return f"its folder {folder!r} cannot be read: {refusal}; change its rights, or mount its disk"
    missing_folder = find_missing_folder(removal.path)
    if missing_folder is not None and os.path.lexists(missing_folder):
        return f"{missing_folder!r} is no folder now; move that away first"
    return None


def is_there(path: str, *, expected: ContentDigest) -> bool:
    """Whether the file at a path has the bytes of a removed one, as after somebody copied it out of quarantine."""
    try:
        verify(path, expected=expected)
    except MismatchError:
        return False
    return True


def describe_failure(problem: OSError | MismatchError) -> str:
    """Why a file could not be brought back, for people."""
    if isinstance(problem, FileExistsError):
        return "something else is at its path now; move that away first"
    if isinstance(problem, OSError) and problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DISK_IS_FULL
    return problem.reason if isinstance(problem, MismatchError) else describe_os_error(problem)


def propose_move(problem: OSError | MismatchError, *, path: str) -> str:
    """What to type, if something else is at the path that a file should go to; else empty."""
    if not isinstance(problem, FileExistsError):
        return ""
    return f", as with: {' '.join(map(quoted, ('mv', '-n', '--', path, f'{path}.other')))}"
