"""How described bytes find their row: as a new image, or as one that moved, changed or came back.

It promises that bytes keep their row wherever they go, that a row never changes its content, and that an image whose
name, presence or rank changed is decided again.
"""

import os
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.images import State
from indexer.domain.names import Naming
from indexer.domain.removal import RemovalState
from indexer.domain.renaming import moved
from indexer.files.checking import Fingerprint, Mismatch, check
from indexer.pixels.describing import Description
from indexer.store import decisions, images, pins, removals
from indexer.store.database import Session
from indexer.store.images import KnownFile, NewImage
from indexer.store.removals import Removal

_AWAY = {State.MISSING, State.REMOVED}


@dataclass(frozen=True)
class Arrival:
    """Bytes that are new at their path, what they are called there, and what the index had at that path."""

    seen: Description
    naming: Naming
    root: str
    replaced: KnownFile | None


@dataclass(frozen=True)
class TakenIn:
    """The outcome of each arrival, in order, and the removals that ended as their files are back."""

    outcomes: list[str]
    returned: list[Removal]


def take_in(session: Session, arrivals: Sequence[Arrival], *, gone: Set[int], run_id: int, at: datetime) -> TakenIn:
    """Writes arrivals. `gone` are images that nobody saw where they were."""
    returned: list[Removal] = []
    for arrival in arrivals:
        if arrival.replaced is not None:
            images.displace(session, arrival.replaced.id, path=arrival.seen.path)
    same_bytes: dict[str, list[KnownFile]] = defaultdict(list)
    for known in images.list_by_hash(session, sorted({str(arrival.seen.content_hash) for arrival in arrivals})):
        same_bytes[known.content_hash].append(known)
    expected = {(arrival.seen.path, str(arrival.seen.content_hash)) for arrival in arrivals}
    found: list[KnownFile | None] = []
    for arrival in arrivals:
        rows = same_bytes[str(arrival.seen.content_hash)]
        row = _own_row(arrival, rows, expected=expected, gone=gone)
        if row is not None:
            rows.remove(row)
            returned += _take_back_in(session, arrival, row, twins=rows, at=at)
        found.append(row)
    _add(session, arrivals, found, run_id=run_id)
    return TakenIn([_outcome(arrival, row) for arrival, row in zip(arrivals, found, strict=True)], returned)


def _add(session: Session, arrivals: Sequence[Arrival], found: Sequence[KnownFile | None], *, run_id: int) -> None:
    """Adds the arrivals whose bytes have no row as images, and the thumbnails of all, with as few words as there are
    tables."""
    pairs = list(zip(arrivals, found, strict=True))
    new = [NewImage(arrival.seen, arrival.naming, arrival.root) for arrival, row in pairs if row is None]
    added = iter(images.add_images(session, new, run_id=run_id))
    ids = [next(added) if row is None else row.id for row in found]
    thumbnails = [
        (image_id, one) for image_id, arrival in zip(ids, arrivals, strict=True) for one in arrival.seen.thumbnails
    ]
    images.add_thumbnails(session, thumbnails)


def _own_row(
    arrival: Arrival, rows: Sequence[KnownFile], *, expected: Set[tuple[str, str]], gone: Set[int]
) -> KnownFile | None:
    """The row whose bytes these are: what was away from this very path, else what lies nowhere any more."""
    here = [row for row in rows if row.path == arrival.seen.path and row.state in _AWAY]
    nowhere = [
        row
        for row in rows
        if (row.path, row.content_hash) not in expected and is_loose(row, camera=arrival.naming.camera, gone=gone)
    ]
    return next(iter(here + nowhere), None)


def is_loose(row: KnownFile, *, camera: str, gone: Set[int]) -> bool:
    """Whether a row's bytes lie nowhere any more, so that they may be what was found in a place of this camera.

    A removed image's lie in quarantine. Where the folder of another camera cannot be seen, as its disk is away or
    another host's, nobody can tell: two cameras may well have taken the same black frame.
    """
    if row.state is State.REMOVED:
        return False
    if row.state is State.MISSING or row.id in gone:
        return True
    return (row.naming.camera == camera or os.path.isdir(row.root)) and not _is_there(row)


def _is_there(row: KnownFile) -> bool:
    """Whether a row's bytes are still at its path: names may have been swapped, and that path be looked at later."""
    try:
        status = os.lstat(row.path)
    except OSError:
        return False
    if (status.st_size, status.st_mtime_ns) == (row.size_bytes, row.mtime_ns):
        return True
    try:
        check(row.path, expected=Fingerprint(row.size_bytes, row.content_hash))
    except Mismatch:
        return False
    return True


def _take_back_in(
    session: Session, arrival: Arrival, row: KnownFile, *, twins: Sequence[KnownFile], at: datetime
) -> list[Removal]:
    """Gives a row its new place, and its decision back to `compare` if a premise changed; the removals that end so."""
    naming = moved(row.naming, arrival.naming)
    images.take_in_again(session, row.id, arrival.seen, naming=naming, root=arrival.root)
    # The path decides between images with the same bytes, and only between them.
    outranked = row.path != arrival.seen.path and any(twin.state is State.READY for twin in twins)
    if row.state is not State.READY or arrival.seen.state != "ready" or naming != row.naming or outranked:
        decisions.take_back(session, [row.id], at=at)
    return _note_return(session, row.id, at=at) if row.state is State.REMOVED else []


def _note_return(session: Session, image_id: int, *, at: datetime) -> list[Removal]:
    """Writes in the journal that a removed file is back; one that also lies in quarantine still can be purged there.

    Where a restore was cut off that nobody could settle yet, this is its end. The records beside the images are told
    when this is committed: see `indexer.workflows.ingest`.
    """
    returned = []
    for removal in removals.list_of_image(session, image_id):
        gone = {RemovalState.DELETED, RemovalState.PURGED}
        taken = removal.state is RemovalState.QUARANTINED and not os.path.lexists(removal.quarantine_path or "")
        if removal.state in gone or taken:
            removals.finish_act(session, removal.id, RemovalState.RESTORED, at=at)
            for pinned in (removal.image_id, removal.keeper_id) if removal.pending == "restore" else ():
                pins.add_pin(session, pinned, reason="restore", at=at, run_id=removal.run_id)
            returned.append(removal)
    return returned


def _outcome(arrival: Arrival, row: KnownFile | None) -> str:
    """The word for what became of these bytes."""
    if row is not None:
        return "returned" if row.path == arrival.seen.path else "moved"
    if arrival.seen.state != "ready":
        return str(arrival.seen.state)
    return "added" if arrival.replaced is None else "changed"
