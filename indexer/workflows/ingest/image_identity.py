"""Which row described bytes belong to: a new image, or one that moved, changed or came back.

It promises that bytes keep their row wherever they move, and that a row never changes its content. An image whose name,
presence or rank changed is decided again.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.descriptions import FileDescription
from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.domain.removal import RemovalState
from indexer.domain.renaming import naming_after_move
from indexer.files.system_folders import count_system_folders
from indexer.store import decisions, images, pins, removals, thumbnails
from indexer.store.database import Session
from indexer.store.images import KnownFile, NewImage
from indexer.store.removals import JournalEntry
from indexer.workflows.ingest.equal_rows import EqualRows, EqualRowsCache
from indexer.workflows.ingest.outcomes import IngestOutcome

_AWAY = {RemovalState.QUARANTINED, RemovalState.DELETED, RemovalState.PURGED}
_RESTORING = {"restore", "restore_unpinned"}


@dataclass(frozen=True)
class NewContent:
    """Bytes that are new at their path, their camera and time, and what the index had at that path."""

    description: FileDescription
    naming: Naming
    root: str
    replaced: KnownFile | None


@dataclass(frozen=True)
class UpsertResult:
    """The outcome and the naming of each new content, in order, and the removals that ended as their files are back."""

    outcomes: list[IngestOutcome]
    returned: list[JournalEntry]
    namings: list[Naming]


def upsert_images(
    session: Session, new_contents: Sequence[NewContent], *, row_cache: EqualRowsCache, run_id: int, at: datetime
) -> UpsertResult:
    """Writes new contents: each becomes a new image or goes to the row that has the same bytes."""
    for content in new_contents:
        if content.replaced and images.mark_replaced(session, content.replaced.id, path=content.description.path):
            row_cache.mark_replaced(content.replaced)
    rows_by_hash = row_cache.look_up(session, {str(content.description.content_hash) for content in new_contents})
    row_groups = [rows_by_hash[str(content.description.content_hash)] for content in new_contents]
    same_path_rows = [
        equal_rows.take_same_path(content.description.path)
        for content, equal_rows in zip(new_contents, row_groups, strict=True)
    ]
    matches = list[KnownFile | None]()
    returned = list[JournalEntry]()
    for content, equal_rows, same_path_row in zip(new_contents, row_groups, same_path_rows, strict=True):
        row = same_path_row or equal_rows.take_unplaced(content.naming.camera, mtime_ns=content.description.mtime_ns)
        if row is not None:
            returned += _relocate_row(session, content, row, equal_rows=equal_rows, at=at)
        if content.description.state == "ready" and (row is None or row.state is not ImageState.READY):
            equal_rows.ready_count += 1
        matches.append(row)
    _add_images(session, new_contents, matches, run_id=run_id)
    pairs = list(zip(new_contents, matches, strict=True))
    namings = [
        content.naming if row is None else naming_after_move(row.naming, content.naming) for content, row in pairs
    ]
    return UpsertResult([_outcome(content, row) for content, row in pairs], returned, namings)


def _add_images(
    session: Session, new_contents: Sequence[NewContent], matches: Sequence[KnownFile | None], *, run_id: int
) -> None:
    """Adds an image for each content without a row, then the thumbnails of all.

    It sends as few statements as there are tables.
    """
    pairs = list(zip(new_contents, matches, strict=True))
    new = [NewImage(content.description, content.naming, content.root) for content, row in pairs if row is None]
    added = iter(images.add_images(session, new, run_id=run_id))
    ids = [next(added) if row is None else row.id for row in matches]
    image_thumbnails = [
        (image_id, thumbnail)
        for image_id, content in zip(ids, new_contents, strict=True)
        for thumbnail in content.description.thumbnails
    ]
    thumbnails.add_thumbnails(session, image_thumbnails)


def _relocate_row(
    session: Session, content: NewContent, row: KnownFile, *, equal_rows: EqualRows, at: datetime
) -> list[JournalEntry]:
    """Gives a row its new path. Returns the removals that end because the file is back.

    The decision of the image is superseded if a premise of it changed; `compare` then decides again.
    """
    naming = naming_after_move(row.naming, content.naming)
    images.relocate_image(session, row.id, content.description, naming=naming, root=content.root)
    # The path ranks only images with the same bytes. The number of system folders above it ranks other images, too.
    equal_ready_count = equal_rows.ready_count - (row.state is ImageState.READY)
    folder_counts = {count_system_folders(path) for path in (row.path, content.description.path)}
    rank_changed = (row.path != content.description.path and equal_ready_count > 0) or len(folder_counts) > 1
    if (
        row.state is not ImageState.READY
        or content.description.state != "ready"
        or naming != row.naming
        or rank_changed
    ):
        decisions.supersede(session, [row.id], at=at)
    if row.state is ImageState.REMOVED:
        return _mark_restored(session, row.id, at=at)
    taken_out = equal_rows.take_taken_out()
    return [] if taken_out is None else _replace_taken_out(session, taken_out, row, at=at)


def _replace_taken_out(session: Session, taken_out: KnownFile, row: KnownFile, *, at: datetime) -> list[JournalEntry]:
    """Takes the file of `row` for the removed one with the same bytes that a person took out of quarantine.

    Nobody can tell the two apart. So the file is held back as the removed one would be, and it keeps the pins, the
    verdicts and the duplicates of `row`. Returns the removals that end.
    """
    images.hold_back(session, row.id)
    images.set_state(session, [taken_out.id], ImageState.MISSING, reason=f"its file was taken for image {row.id}")
    return _mark_restored(session, taken_out.id, at=at)


def _mark_restored(session: Session, image_id: int, *, at: datetime) -> list[JournalEntry]:
    """Writes in the journal that a removed file is back. A copy that is still in quarantine can be purged there.

    Whoever brought it back, no plan takes it until a person includes it. A restore that a crash interrupted, and that
    recovery could not resolve, ends here, as it was asked for. The records beside the images are written after the
    commit: see `indexer.workflows.ingest.ingest`.
    """
    returned = []
    for removal in removals.list_for_image(session, image_id):
        if removal.state not in _AWAY:
            continue
        if removal.pending not in _RESTORING:
            removals.set_held_back(session, removal.id, held_back=True)
        if removal.state is not RemovalState.QUARANTINED or not os.path.lexists(removal.quarantine_path or ""):
            removals.finish_act(session, removal.id, RemovalState.RESTORED, at=at)
            for pinned_id in (removal.image_id, removal.keeper_id) if removal.pending == "restore" else ():
                pins.add_pin(session, pinned_id, reason="restore", at=at, run_id=removal.run_id)
            returned.append(removal)
    return returned


def _outcome(content: NewContent, row: KnownFile | None) -> IngestOutcome:
    """The outcome of this content, as the report counts it."""
    if row is not None:
        return IngestOutcome.RETURNED if row.path == content.description.path else IngestOutcome.MOVED
    if content.description.state != "ready":
        return IngestOutcome(str(content.description.state))
    return IngestOutcome.ADDED if content.replaced is None else IngestOutcome.CHANGED
