"""Records of witnesses beside the images, as every command that moves files writes them: what went, what is back.

It promises that the locks of all quarantines that bear on a file are held meanwhile, as far as they are there and open
to us. Who may remove what is not known here: see `indexer.workflows.removal.safeguards`.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol

from indexer.files.folder_lock import FolderLocks, lock_folders
from indexer.files.markers import is_quarantine
from indexer.files.quarantine import prepare_quarantine, quarantine_folder
from indexer.files.witness_record import WitnessLine, append, append_restored, list_record_folders
from indexer.store import adoption, removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry

_AT_ONCE = 500


class OfRun(Protocol):
    """What a record tells of the run that removed a file."""

    id: int
    token: str
    index_id: str
    username: str
    hostname: str


@contextmanager
def hold_around(
    paths: Sequence[str], *, quarantine: str | None, may_write: Callable[[str], bool] = lambda _folder: True
) -> Iterator[FolderLocks]:
    """Holds the locks of all quarantines that bear on files at these paths, as far as they are there and open to us.

    `may_write`: whether a quarantine, given by its real path, may be locked; where one may not, nobody is excluded.
    Raises as `indexer.files.folder_lock.lock_folders`. Where the quarantine of a file cannot be locked, as what is
    there is not one, the locks exclude nobody.
    """
    near = list_record_folders(paths)
    folders = [folder for folder in near if may_write(folder)]
    # Not a folder that a disk with a quarantine is mounted at, and empty without it.
    is_there = quarantine is not None and is_quarantine(quarantine)
    if quarantine is not None and is_there:
        folders.append(quarantine)
    is_whole = (quarantine is None or is_there) and set(near) <= set(folders)
    with lock_folders(folders, skip_unwritable=True) as locks:
        yield locks if is_whole else replace(locks, exclusive=False)


def note_return(removal: JournalEntry, *, index_id: str, at: datetime) -> None:
    """Writes into the records near a file that is back that nothing needs to stand for it any more.

    As well as it can be, and only where the content is really back: while it is at its path no line about it holds. The
    locks that bear on the file are held meanwhile, so that no line of a new removal is ended by it.
    """
    line = witness_line(removal, "restored", index_id=index_id, token="", at=at)
    if not line.is_in_force():
        append_restored(line)


def lock_and_note_return(removal: JournalEntry, *, index_id: str, at: datetime) -> None:
    """As `note_return`, while nobody else moves the file."""
    with suppress(OSError), hold_around((removal.path, removal.keeper_path), quarantine=None):
        note_return(removal, index_id=index_id, at=at)


def record_earlier(database: Database, *, run: OfRun, at: datetime) -> None:
    """Writes into the records what an earlier version removed, as far as its folders are there.

    What cannot be written now is tried again by the next command that removes files.
    """
    after = 0
    while True:
        with database.read() as session:
            waiting = removals.list_unrecorded(session, after=after, limit=_AT_ONCE)
        if not waiting:
            return
        after = waiting[-1][0].id
        lines: dict[str, list[tuple[int, WitnessLine]]] = defaultdict(list)
        for removal, *roots in waiting:
            if not os.path.lexists(removal.keeper_path) or not all(map(_holds_something, roots)):
                continue
            line = witness_line(removal, "removed", index_id=run.index_id, token=run.token, at=removal.removed_at or at)
            for folder in {quarantine_folder(root) for root in roots}:
                lines[folder].append((removal.id, line))
        failed = {removal_id for folder in lines for removal_id in _failed(folder, lines[folder])}
        done = {removal_id for pairs in lines.values() for removal_id, _ in pairs} - failed
        with database.write() as session:
            adoption.mark_recorded(session, sorted(done))


def _holds_something(root: str) -> bool:
    """Whether a folder is there and not empty, as one whose disk is away would be."""
    try:
        with os.scandir(root) as entries:
            return any(entries)
    except OSError:
        return False


def _failed(folder: str, lines: Sequence[tuple[int, WitnessLine]]) -> set[int]:
    """The removals whose lines could not be written."""
    try:
        prepare_quarantine(folder)
        append(folder, *(line for _, line in lines))
    except OSError:
        return {removal_id for removal_id, _ in lines}
    return set()


def witness_line(
    removal: JournalEntry, event: Literal["removed", "restored"], *, index_id: str, token: str, at: datetime
) -> WitnessLine:
    """The line that a record gets about a file that was removed, or is back."""
    return WitnessLine(
        event=event,
        removed_hash=removal.content_hash,
        removed_size_bytes=removal.size_bytes,
        removed_path=removal.path,
        witness_hash=removal.keeper_hash,
        witness_path=removal.keeper_path,
        index_id=index_id,
        run_token=token,
        at=at.isoformat(),
    )
