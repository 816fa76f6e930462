"""How described bytes find their row: as a new image, or as one that moved, changed or came back.

It promises that bytes keep their row wherever they go, that a row never changes its content, and that an image whose
name, presence or rank changed is decided again.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.domain.removal import RemovalState
from indexer.domain.renaming import naming_after_move
from indexer.files.system_folders import find_system_folder
from indexer.imaging.file_description import Description
from indexer.store import decisions, images, pins, removals, thumbnails
from indexer.store.database import Session
from indexer.store.images import KnownFile, NewImage
from indexer.store.removals import JournalEntry
from indexer.workflows.ingest.equal_rows import Contents, EqualRows


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
    returned: list[JournalEntry]


def take_in(session: Session, arrivals: Sequence[Arrival], *, contents: Contents, run_id: int, at: datetime) -> TakenIn:
    """Writes arrivals."""
    for arrival in arrivals:
        if arrival.replaced and images.mark_replaced(session, arrival.replaced.id, path=arrival.seen.path):
            contents.displace(arrival.replaced)
    equal = contents.look_up(session, {str(arrival.seen.content_hash) for arrival in arrivals})
    rows = [equal[str(arrival.seen.content_hash)] for arrival in arrivals]
    own = [row.take_own(arrival.seen.path) for arrival, row in zip(arrivals, rows, strict=True)]
    found = list[KnownFile | None]()
    returned = list[JournalEntry]()
    for arrival, among, was_here in zip(arrivals, rows, own, strict=True):
        row = was_here or among.take_loose(arrival.naming.camera)
        if row is not None:
            returned += _take_back_in(session, arrival, row, among=among, at=at)
        if arrival.seen.state == "ready" and (row is None or row.state is not ImageState.READY):
            among.ready += 1
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
    made = [(image_id, one) for image_id, arrival in zip(ids, arrivals, strict=True) for one in arrival.seen.thumbnails]
    thumbnails.add_thumbnails(session, made)


def _take_back_in(
    session: Session, arrival: Arrival, row: KnownFile, *, among: EqualRows, at: datetime
) -> list[JournalEntry]:
    """Gives a row its new place, and its decision back to `compare` if a premise changed; the removals that end so."""
    naming = naming_after_move(row.naming, arrival.naming)
    images.relocate_image(session, row.id, arrival.seen, naming=naming, root=arrival.root)
    # The path decides between images with the same bytes, and only between them; a system folder between others, too.
    twins = among.ready - (row.state is ImageState.READY)
    sides = {find_system_folder(path, root="/") is None for path in (row.path, arrival.seen.path)}
    outranked = (row.path != arrival.seen.path and twins > 0) or len(sides) > 1
    if row.state is not ImageState.READY or arrival.seen.state != "ready" or naming != row.naming or outranked:
        decisions.supersede(session, [row.id], at=at)
    return _note_return(session, row.id, at=at) if row.state is ImageState.REMOVED else []


def _note_return(session: Session, image_id: int, *, at: datetime) -> list[JournalEntry]:
    """Writes in the journal that a removed file is back; one that also lies in quarantine still can be purged there.

    Where a restore was cut off that nobody could settle yet, this is its end. The records beside the images are told
    when this is committed: see `indexer.workflows.ingest.ingest`.
    """
    returned = []
    for removal in removals.list_for_image(session, image_id):
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
