"""Recovers interrupted removals before a writing command does its own work.

It promises that afterwards each act is finished if the file is at its new path, and undone if it is at its old path. No
bytes are lost. Meanwhile all locks that concern a file are held, and its row is read again under them, because another
command may work on it, or may have recovered it. A file at both paths exists twice as a whole (see
`indexer.files.moving`). The copy in quarantine is deleted only after the other one was read and verified. And it is
deleted only if the locks show that nobody else is at work, or if a person says so (`manage.py recover --nobody-else`).
If the disk refuses or is not mounted, the act stays open for the next command, and nothing else is done with that file.

Decision 0036: what lies at the old path is judged by its bytes.
"""

import errno
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.escaping import command_line
from indexer.files.absence import is_absent
from indexer.files.lost_files import is_lost
from indexer.files.moving import (
    aside_path,
    delete,
    delete_witnessed,
    discard_partial,
    move_no_replace,
    restore_from_aside,
)
from indexer.files.quarantine import is_quarantine_mounted, quarantine_of, release_quarantine_path
from indexer.files.refusals import describe_os_error
from indexer.files.verification import (
    ContentDigest,
    MismatchError,
    UnreadableFileError,
    is_same_directory_entry,
    is_same_file,
    verify,
    verify_again,
)
from indexer.files.witness_record import is_recorded_near
from indexer.store import images, removals, returns
from indexer.store.database import Database
from indexer.store.index_identity import get_index_id
from indexer.store.locks.writer_lock import WriteLock
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Clock
from indexer.workflows.witnesses import lock_quarantines, record_failure, record_return


@dataclass(frozen=True)
class Recovery:
    """How many interrupted acts were finished and how many undone, and the images whose act is still open.

    `problems`: why recovery failed, by image, for those that it tried.
    """

    finished: int = 0
    undone: int = 0
    unresolved: frozenset[int] = frozenset()
    problems: Mapping[int, str] = field(default_factory=dict)

    def describe_unresolved(self, image_id: int) -> str:
        """Why the act of an image is still open, and where to look."""
        problem = f": {self.problems[image_id].removesuffix('.')}" if image_id in self.problems else ""
        return f"was cut off and cannot be settled yet{problem}; see: {command_line('recover')}"


class _Resolution(Enum):
    """How one act was resolved."""

    FINISHED = 1
    UNDONE = 2
    UNRESOLVED = 3
    BY_ANOTHER = 4


@dataclass(frozen=True)
class _InterruptedAct:
    """One interrupted act; `exclusive`: nobody else can be working on its file."""

    removal: JournalEntry
    exclusive: bool
    before_unlink: Callable[[], None]

    @property
    def quarantine_path(self) -> str:
        return self.removal.quarantine_path or ""

    @property
    def expected(self) -> ContentDigest:
        return ContentDigest(self.removal.size_bytes, self.removal.content_hash)


def recover_removals(database: Database, *, clock: Clock, write_lock: WriteLock, nobody_else: bool = False) -> Recovery:
    """Finishes or undoes every act that was begun and whose end is not in the journal."""
    with database.read() as session:
        interrupted = removals.list_pending(session)
    problems = dict[int, str]()
    resolutions = dict[JournalEntry, _Resolution]()
    for removal in interrupted:
        try:
            resolutions[removal] = _resolve(
                database, removal, clock=clock, write_lock=write_lock, nobody_else=nobody_else
            )
        except (OSError, MismatchError) as problem:
            resolutions[removal] = _Resolution.UNRESOLVED
            reason = problem.reason if isinstance(problem, MismatchError) else describe_os_error(problem)
            problems[removal.image_id] = reason.removesuffix(".") + _describe_way_out(removal)
    count = Counter(resolutions.values())
    unresolved = frozenset(
        removal.image_id for removal, resolution in resolutions.items() if resolution is _Resolution.UNRESOLVED
    )
    return Recovery(count[_Resolution.FINISHED], count[_Resolution.UNDONE], unresolved, problems)


def _describe_way_out(removal: JournalEntry) -> str:
    """What to type if nobody can find out any more how far an act came; empty if a later command can."""
    if not is_lost(removal.path, aside=removal.aside_path, quarantine_path=removal.quarantine_path):
        return ""
    return f"; if its disk is not only away, and the file was deleted: {command_line('purge', '--gone')}"


def _resolve(
    database: Database, removal: JournalEntry, *, clock: Clock, write_lock: WriteLock, nobody_else: bool
) -> _Resolution:
    """Resolves one act under the locks of its file.

    Raises `OSError` or `MismatchError` if it cannot be known now how far the act came, or if the disk refuses. The act
    then stays open.
    """
    quarantine_path = removal.quarantine_path
    quarantine = None if quarantine_path is None else quarantine_of(quarantine_path)
    with lock_quarantines((removal.path, removal.keeper_path), quarantine=quarantine) as locks:
        with database.read() as session:
            current = removals.find_removal(session, removal.id)
        if current is None or current.pending is None:
            return _Resolution.BY_ANOTHER

        def before_unlink() -> None:
            locks.require()
            write_lock.raise_if_lost()

        act = _InterruptedAct(current, exclusive=locks.exclusive or nobody_else, before_unlink=before_unlink)
        state, problem = _RESOLVERS[current.pending](act)
        return _write_resolution(database, current, state, problem, clock=clock)


def _write_resolution(
    database: Database, removal: JournalEntry, state: RemovalState, problem: str | None, *, clock: Clock
) -> _Resolution:
    """Writes into the journal how an act ended, and into the records if a removal failed or a file is back.

    Raises `OSError` if a record has a removal that failed, and cannot be written: the act stays open.
    """
    with database.read() as session:
        index_id = get_index_id(session)
    if state is RemovalState.FAILED:
        record_failure(removal, index_id=index_id, at=clock())
    finished = state is not removal.state and state is not RemovalState.FAILED
    with database.write() as session:
        removals.finish_act(session, removal.id, state, at=clock(), problem=problem)
        if finished and state in {RemovalState.QUARANTINED, RemovalState.DELETED}:
            removals.release(session, removal.image_id)
            images.set_state(session, [removal.image_id], ImageState.REMOVED)
        if state is RemovalState.RESTORED:
            if removal.pending == "restore":  # it pins, and a pinned file is not held back
                removal = replace(removal, held_back=False)
                removals.set_held_back(session, removal.id, held_back=False)
            returns.mark_returned(session, removal, at=clock(), run_id=removal.run_id)
    if state is RemovalState.RESTORED and problem is None:
        record_return(removal, index_id=index_id, at=clock())
    if removal.quarantine_path is not None and state is not RemovalState.QUARANTINED:
        release_quarantine_path(removal.quarantine_path)  # empty folders there were made for this act alone
    return _Resolution.FINISHED if finished else _Resolution.UNDONE


def _resolve_quarantine(act: _InterruptedAct) -> tuple[RemovalState, str | None]:
    _restore_aside_name(act)
    if _has_expected_content(act.removal.path, act):
        _delete_quarantined_copy(act)
        return RemovalState.FAILED, "cut off before the file was taken away; it is where it was"
    if _has_expected_content(act.quarantine_path, act):
        return RemovalState.QUARANTINED, None
    _is_in_quarantine(act)
    # It may have been moved and then taken out of the quarantine: its keeper goes on standing for it.
    reason = "cut off, and the file is neither where it was nor in quarantine as the index knows it"
    return RemovalState.QUARANTINED, reason


def _resolve_delete(act: _InterruptedAct) -> tuple[RemovalState, str | None]:
    path, aside = act.removal.path, act.removal.aside_path
    if aside is not None and _exists(aside):
        if not _has_expected_content(aside, act):
            raise OSError(errno.EIO, "the file that waits to be deleted is not the one that was put there", aside)
        if not os.path.lexists(path):
            move_no_replace(aside, path, expected=verify(aside, expected=act.expected), before_unlink=act.before_unlink)
        elif is_same_file(aside, path) or _has_expected_content(path, act):
            _delete_second_name(aside, act)  # where names have inode numbers of their own, the bytes tell
        else:
            # It cannot be known any more whether everything that stood for it still does.
            raise OSError(errno.EEXIST, "another file has its name; move that away first", aside)
    if not _exists(path):
        _require_record(act)
        return RemovalState.DELETED, None
    if not _has_expected_content(path, act):
        return RemovalState.DELETED, "cut off; another file has its name by now"
    return RemovalState.FAILED, "cut off before the file was deleted; it is where it was"


def _require_record(act: _InterruptedAct) -> None:
    """Raises `OSError` if the record of a removal is missing: its disk is not mounted, and the file with it."""
    if act.removal.recorded and not is_recorded_near(act.removal.path):
        raise OSError(errno.ENOENT, "the record of its removal is not there", act.removal.path)


def _resolve_restore(act: _InterruptedAct) -> tuple[RemovalState, str | None]:
    _restore_aside_name(act)
    path, quarantine_path = act.removal.path, act.quarantine_path
    discard_partial(path)
    if _has_expected_content(path, act):
        if is_same_directory_entry(path, quarantine_path):
            return RemovalState.QUARANTINED, "its path leads into the quarantine, where it lies"
        _delete_quarantined_copy(act)
        return RemovalState.RESTORED, None
    if _is_in_quarantine(act) or not os.path.lexists(path):
        return RemovalState.QUARANTINED, "cut off before the file was restored; it is in quarantine"
    return RemovalState.RESTORED, None  # it was restored and written to since


def _resolve_purge(act: _InterruptedAct) -> tuple[RemovalState, str | None]:
    _restore_aside_name(act)
    if _is_in_quarantine(act):
        return RemovalState.QUARANTINED, "cut off before the file was purged; it is in quarantine"
    return RemovalState.PURGED, None


_RESOLVERS: dict[str, Callable[[_InterruptedAct], tuple[RemovalState, str | None]]] = {
    "quarantine": _resolve_quarantine,
    "delete": _resolve_delete,
    "restore": _resolve_restore,
    "restore_unpinned": _resolve_restore,
    "purge": _resolve_purge,
}


def _is_in_quarantine(act: _InterruptedAct) -> bool:
    """Whether something is at the file's path in quarantine; `OSError` if the quarantine is not mounted or readable."""
    if is_absent(act.quarantine_path) and is_quarantine_mounted(act.quarantine_path):
        return False
    return _exists(act.quarantine_path)


def _exists(path: str) -> bool:
    """Whether something is at a path; `OSError` if this cannot be known, as when its folder or disk is gone."""
    os.lstat(os.path.dirname(path))
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _has_expected_content(path: str, act: _InterruptedAct) -> bool:
    """Whether the removed file's own bytes are at a path; `OSError` if this cannot be known."""
    try:
        verify(path, expected=act.expected)
    except UnreadableFileError as problem:
        raise OSError(errno.EIO, problem.reason, path) from problem
    except MismatchError:
        return False
    return True


def _restore_aside_name(act: _InterruptedAct) -> None:
    """Gives a file in quarantine its name back if it waits for its deletion under the aside name."""
    aside = aside_path(act.quarantine_path)
    if os.path.lexists(aside) and _has_expected_content(aside, act):
        if is_same_file(aside, act.quarantine_path) or (
            os.path.lexists(act.quarantine_path) and _has_expected_content(act.quarantine_path, act)
        ):
            _delete_second_name(aside, act)
        restore_from_aside(act.quarantine_path, expected=act.expected, before_unlink=act.before_unlink)


def _delete_second_name(aside: str, act: _InterruptedAct) -> None:
    """Deletes the second name of a file that still has its own name."""
    _require_exclusive(act, aside)
    act.before_unlink()
    delete(aside, expected=verify(aside, expected=act.expected))


def _delete_quarantined_copy(act: _InterruptedAct) -> None:
    """Deletes the copy in quarantine of a file that is also whole at its path."""
    if (
        os.path.lexists(act.quarantine_path)
        and _has_expected_content(act.quarantine_path, act)
        and not is_same_directory_entry(act.quarantine_path, act.removal.path)
    ):
        _delete_copy(act.quarantine_path, act, keep_path=act.removal.path)


def _delete_copy(copy: str, act: _InterruptedAct, *, keep_path: str) -> None:
    """Deletes one of two whole copies; `OSError` if another command may be working on them."""
    _require_exclusive(act, copy)
    try:
        keep_identity = verify(keep_path, expected=act.expected)
        delete_witnessed(
            copy,
            expected=verify(copy, expected=act.expected),
            aside=aside_path(copy),
            require_witness=lambda: verify_again(keep_path, checked=keep_identity, expected=act.expected),
            before_unlink=act.before_unlink,
        )
    except MismatchError as problem:
        raise OSError(errno.EIO, problem.reason, copy) from problem


def _require_exclusive(act: _InterruptedAct, copy: str) -> None:
    if not act.exclusive:
        raise OSError(
            errno.EBUSY, f"another host may be at work on it; see: {command_line('recover', '--nobody-else')}", copy
        )
