"""Records of witnesses beside the images: every command that moves files writes which file was removed or restored.

It gives the locks under which a file is moved: those of all quarantines that concern it, as far as they exist and this
user may write to them. Only `record_legacy_removals` writes without them. It does not know who may remove which file:
see `indexer.workflows.removal.safeguards`.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from indexer.files.folder_lock import FolderLocks, lock_folders
from indexer.files.markers import is_quarantine
from indexer.files.quarantine import prepare_quarantine, quarantine_folder
from indexer.files.refusals import DiskRefusalError, describe_os_error
from indexer.files.witness_record import (
    WitnessEvent,
    WitnessLine,
    append,
    append_failed,
    append_restored,
    list_record_folders,
)
from indexer.store import adoption, removals
from indexer.store.database import Database
from indexer.store.removals import JournalEntry

_BATCH_SIZE = 500


class RunIdentity(Protocol):
    """What a record says about the run that removed a file."""

    id: int
    token: str
    index_id: str
    username: str
    hostname: str


@contextmanager
def lock_quarantines(
    paths: Sequence[str], *, quarantine: str | None, may_write: Callable[[str], bool] = lambda _folder: True
) -> Iterator[FolderLocks]:
    """Holds the locks of all quarantines that concern files at `paths`, and of `quarantine`, until the block ends.

    A quarantine is left out if it does not exist, if this user may not write to it, or if `may_write`, which gets its
    real path, says so. The locks are not `exclusive` in these cases: a quarantine was left out by `may_write` or for
    its permissions; `quarantine` names a folder that is no quarantine; `indexer.files.folder_lock.lock_folders` says
    so. Raises as that function and as `indexer.files.witness_record.list_record_folders`.
    """
    record_folders = list_record_folders(paths)
    folders = [folder for folder in record_folders if may_write(folder)]
    # An unmounted disk leaves an empty mount point at this path: that is not the quarantine, and is not locked.
    quarantine_exists = quarantine is not None and os.path.isdir(quarantine) and is_quarantine(quarantine)
    if quarantine is not None and quarantine_exists:
        folders.append(quarantine)
    covers_all = (quarantine is None or quarantine_exists) and set(record_folders) <= set(folders)
    with lock_folders(folders, skip_unwritable=True) as locks:
        yield locks if covers_all else replace(locks, exclusive=False)


def record_return(removal: JournalEntry, *, index_id: str, at: datetime) -> None:
    """Writes into the records near a restored file that no other file needs to stand for it any more.

    It writes as many records as it can, and only if the content is really at its path: then no line about its removal
    is in force. The caller holds the locks that concern the file, so that this line cannot end a newer removal.
    """
    line = witness_line(removal, "restored", index_id=index_id, token="", at=at)
    if not line.is_in_force():
        append_restored(line)


def record_failure(removal: JournalEntry, *, index_id: str, at: datetime) -> None:
    """Writes into the records that a removal failed: the file is where it was, and nothing needs to stand for it.

    The caller holds the locks that concern the file. Raises `OSError` if a record that has the removal cannot be
    written.
    """
    try:
        append_failed(witness_line(removal, "failed", index_id=index_id, token=removal.run_token, at=at))
    except OSError as problem:
        reason = (
            f"the file is where it was, but the record of its removal cannot be written: {describe_os_error(problem)}"
        )
        raise DiskRefusalError(problem.errno, reason) from problem


def lock_and_record_return(removal: JournalEntry, *, index_id: str, at: datetime) -> None:
    """As `record_return`, under the locks that concern the file; writes nothing if they cannot be had."""
    with suppress(OSError), lock_quarantines((removal.path, removal.keeper_path), quarantine=None):
        record_return(removal, index_id=index_id, at=at)


def has_unrecorded_removals(database: Database) -> bool:
    """Whether some removals of earlier versions have no record yet."""
    with database.read() as session:
        return bool(removals.list_unrecorded(session, after=0, limit=1))


def record_legacy_removals(database: Database, *, run: RunIdentity, at: datetime) -> None:
    """Writes records for the removals of earlier versions, as far as their folders and keepers exist.

    What cannot be written now is tried again by the next command that removes files.
    """
    last_id = 0
    while True:
        with database.read() as session:
            unrecorded = removals.list_unrecorded(session, after=last_id, limit=_BATCH_SIZE)
        if not unrecorded:
            return
        last_id = unrecorded[-1][0].id
        recorded_ids = _record_removals(unrecorded, run=run, at=at)
        with database.write() as session:
            adoption.mark_recorded(session, sorted(recorded_ids))


def record_again(database: Database, removal_ids: Sequence[int], *, run: RunIdentity, at: datetime) -> set[int]:
    """Writes the records of these removals anew, as their quarantine is gone. Returns the ids of those written.

    A removal whose keeper, or the folder of its keeper, does not exist is left out, and stays as it was. The folder of
    the removed file may be gone with it: then the record near the keeper says what it stands for.
    """
    recorded_ids = set[int]()
    for start in range(0, len(removal_ids), _BATCH_SIZE):
        with database.read() as session:
            batch = removals.list_with_roots(session, removal_ids[start : start + _BATCH_SIZE])
        recorded_ids |= _record_removals(batch, run=run, at=at, beside_keeper_only=True)
    with database.write() as session:
        adoption.mark_recorded(session, sorted(recorded_ids))
    return recorded_ids


def _record_removals(
    batch: Sequence[tuple[JournalEntry, str, str]], *, run: RunIdentity, at: datetime, beside_keeper_only: bool = False
) -> set[int]:
    """Writes the records of removals, each given with the roots of its file and keeper. Returns the ids written.

    `beside_keeper_only`: the root of a keeper is enough, if that of the file is gone.
    """
    lines: dict[str, list[tuple[int, WitnessLine]]] = defaultdict(list)
    for removal, *roots in batch:
        present = [root for root in roots if _is_nonempty_folder(root)]
        required = roots[-1:] if beside_keeper_only else roots
        if not os.path.lexists(removal.keeper_path) or not set(required) <= set(present):
            continue
        token = removal.run_token or run.token
        line = witness_line(removal, "removed", index_id=run.index_id, token=token, at=removal.removed_at or at)
        for folder in {quarantine_folder(root) for root in present}:
            lines[folder].append((removal.id, line))
    failed_ids = {removal_id for folder in lines for removal_id in _append_lines(folder, lines[folder])}
    return {removal_id for pairs in lines.values() for removal_id, _ in pairs} - failed_ids


def _is_nonempty_folder(root: str) -> bool:
    """Whether a folder exists and is not empty: the mount point of an unmounted disk is empty."""
    try:
        with os.scandir(root) as entries:
            return any(entries)
    except OSError:
        return False


def _append_lines(folder: str, lines: Sequence[tuple[int, WitnessLine]]) -> set[int]:
    """The ids of the removals whose lines could not be written."""
    try:
        prepare_quarantine(folder)
        append(folder, *(line for _, line in lines))
    except OSError:
        return {removal_id for removal_id, _ in lines}
    return set()


def witness_line(removal: JournalEntry, event: WitnessEvent, *, index_id: str, token: str, at: datetime) -> WitnessLine:
    """The line that a record gets about a removal of the journal."""
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
