"""What a cut left open is settled before any writing command does its own work.

It promises that after it each act is finished if the file is at its new place, undone if it is at its old one, and
that no bytes are given up for it. A file at both places is there whole twice (see `indexer.files.moving`): the one in
quarantine goes when the other was read and found right. Where the disk refuses, or is not there to be asked, the act
stays open for the next command; nothing else is done with that file meanwhile.
"""

import os
from collections import Counter
from dataclasses import dataclass

from indexer.domain.images import State
from indexer.domain.removal import RemovalState
from indexer.files.checking import Fingerprint, Mismatch, check
from indexer.files.moving import delete, discard_partial
from indexer.files.quarantine import forget_place
from indexer.store import decisions, images, pins, removals
from indexer.store.database import Database
from indexer.store.removals import Removal
from indexer.workflows.watching import Clock


@dataclass(frozen=True)
class Settled:
    """How many acts that a cut left open were finished and how many undone, and the images whose act is open still."""

    finished: int = 0
    undone: int = 0
    left_open: frozenset[int] = frozenset()


def settle_removals(database: Database, *, clock: Clock) -> Settled:
    """Finishes or undoes what was begun and not written down."""
    with database.read() as session:
        waiting = removals.list_open(session)
    ends = {removal: _settle(database, removal, clock=clock) for removal in waiting}
    count = Counter(ends.values())
    still_open = frozenset(removal.image_id for removal, finished in ends.items() if finished is None)
    return Settled(count[True], count[False], still_open)


def _settle(database: Database, removal: Removal, *, clock: Clock) -> bool | None:
    """Whether the act of this row was finished, or else undone; None if nobody can tell now."""
    settle = {
        "quarantine": _settle_quarantine,
        "delete": _settle_delete,
        "restore": _settle_restore,
        "restore_unpinned": _settle_restore,
        "purge": _settle_purge,
    }
    assert removal.pending is not None
    try:
        state, problem = settle[removal.pending](removal)
    except OSError:
        return None
    done = state is not removal.state and state is not RemovalState.FAILED
    with database.write() as session:
        removals.finish_act(session, removal.id, state, at=clock(), problem=problem)
        if done and state in {RemovalState.QUARANTINED, RemovalState.DELETED}:
            images.set_state(session, [removal.image_id], State.REMOVED)
        if state is RemovalState.RESTORED:
            images.make_present(session, removal.image_id)
            decisions.take_back(session, [removal.image_id], at=clock())
            for image_id in (removal.image_id, removal.keeper_id) if removal.pending == "restore" else ():
                pins.add_pin(session, image_id, reason="restore", at=clock(), run_id=removal.run_id)
    if removal.quarantine_path is not None:
        forget_place(removal.quarantine_path)  # what is empty there was made for this act alone
    return done


def _settle_quarantine(removal: Removal) -> tuple[RemovalState, str | None]:
    place = removal.quarantine_path or ""
    if _is_whole(removal.path, removal):
        _drop_copy(place, removal)
        return RemovalState.FAILED, "cut off before the file was taken away; it is where it was"
    if _is_whole(place, removal):
        return RemovalState.QUARANTINED, None
    _is_there(place)
    return RemovalState.FAILED, "cut off, and the file is neither where it was nor in quarantine as the index knows it"


def _settle_delete(removal: Removal) -> tuple[RemovalState, str | None]:
    if _is_there(removal.path):
        return RemovalState.FAILED, "cut off before the file was deleted; it is where it was"
    return RemovalState.DELETED, None


def _settle_restore(removal: Removal) -> tuple[RemovalState, str | None]:
    place = removal.quarantine_path or ""
    discard_partial(removal.path)
    if _is_whole(removal.path, removal):
        _drop_copy(place, removal)
        return RemovalState.RESTORED, None
    if _is_there(place) or not os.path.lexists(removal.path):
        return RemovalState.QUARANTINED, "cut off before the file was restored; it is in quarantine"
    return RemovalState.RESTORED, None  # it went back, and was written to since


def _settle_purge(removal: Removal) -> tuple[RemovalState, str | None]:
    if _is_there(removal.quarantine_path or ""):
        return RemovalState.QUARANTINED, "cut off before the file was purged; it is in quarantine"
    return RemovalState.PURGED, None


def _is_there(path: str) -> bool:
    """Whether something is at a path; `OSError` where nobody can tell, as when its folder is gone or its disk away."""
    os.lstat(os.path.dirname(path))
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_whole(path: str, removal: Removal) -> bool:
    """Whether the removed file's own bytes are at a path."""
    try:
        check(path, expected=Fingerprint(removal.size_bytes, removal.content_hash))
    except Mismatch:
        return False
    return True


def _drop_copy(place: str, removal: Removal) -> None:
    """Takes away the second of two whole files, the one in quarantine."""
    if os.path.lexists(place):
        try:
            delete(place, expected=check(place, expected=Fingerprint(removal.size_bytes, removal.content_hash)))
        except Mismatch:
            return  # not these bytes: not ours to take
