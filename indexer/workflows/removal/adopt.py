"""db adopt: add the files of a quarantine that an index does not know, as after the index was restored from a backup.

It promises that

- each file is read and matches its manifest before a row is written for it;
- no file moves; and
- afterwards `restore`, `purge` and the pins of keepers work as if this index had removed it.

A removal that was closed as gone (`purge --gone`) while the disk was only away is in quarantine again. What stands for
a file must be in the index: a folder is ingested first.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from indexer.domain.descriptions import Limits
from indexer.domain.images import ImageState
from indexer.domain.names import name_image
from indexer.errors import FolderError
from indexer.escaping import printable
from indexer.files import manifest
from indexer.files.beneath import split_path
from indexer.files.manifest import Entry
from indexer.files.verification import ContentDigest, FileIdentity, MismatchError
from indexer.interrupts import uninterrupted
from indexer.store import adoption, images, removals
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.removal.quarantined_image import check_image, require_image_names
from indexer.workflows.runs.run import ActiveRun, record_run


@dataclass
class AdoptReport:
    """How many files, of how many runs, this index adopted, and why others were not."""

    adopted: int = 0
    runs: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {"adopted": self.adopted, "runs": self.runs, "failed": len(self.failures)}


def adopt(
    database: Database,
    quarantine: str,
    *,
    clock: Clock,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> AdoptReport:
    """Adds what this index does not know of a quarantine. Returns the report.

    Raises `FolderError` if the folder does not exist, or if no manifest in it names a file that is there.
    """
    if not os.path.isdir(quarantine):
        raise FolderError(f"there is no folder {quarantine!r}; name the quarantine, usually .indexer-quarantine")
    contents = manifest.read(os.path.realpath(quarantine))
    present = [(path, entry) for path, entry in contents.entries.items() if os.path.lexists(path)]
    if not present and not contents.refused:
        raise FolderError(f"no manifest below {quarantine!r} names a file that is there; nothing can be taken in")
    report = AdoptReport(failures=list(contents.refused))
    with record_run(database, "db adopt", arguments={"quarantine": printable(quarantine)}, clock=clock) as run:
        new = _list_unknown(database, present)
        tokens = set[str]()
        advance = progress("adopting", len(new))
        for quarantine_path, entry, closed_id in new:
            with uninterrupted():
                problem = _adopt_file(
                    database,
                    quarantine_path,
                    entry,
                    closed_id=closed_id,
                    run=run,
                    clock=clock,
                    limits=limits or Limits(),
                )
            if problem is None:
                report.adopted += 1
                tokens.add(entry.run_token)
            else:
                report.failures.append((quarantine_path, problem))
            report.runs = len(tokens)
            run.counts = report.counts
            advance(1)
    return report


def _list_unknown(database: Database, present: Sequence[tuple[str, Entry]]) -> list[tuple[str, Entry, int | None]]:
    """The files that an index does not know, or takes for gone: then each with the id of its removal, else None."""
    with database.read() as session:
        known, closed = removals.list_known_keys(session), adoption.list_closed(session)
    return [
        (quarantine_path, entry, closed_id)
        for quarantine_path, entry in present
        if (closed_id := closed.get((quarantine_path, entry.path, entry.content_hash))) is not None
        or not {(quarantine_path, ""), (entry.path, entry.content_hash + entry.run_token)} & known
    ]


def _check_file(quarantine_path: str, entry: Entry, *, limits: Limits) -> FileIdentity | str:
    """The identity of a file that is as its manifest says; else why it is not adopted."""
    try:
        split_path(entry.path)
        require_image_names(os.path.basename(quarantine_path), os.path.basename(entry.path))
        expected = ContentDigest(entry.size_bytes, entry.content_hash)
        identity = check_image(quarantine_path, expected=expected, limits=limits)
    except MismatchError as problem:
        return f"in quarantine: {problem.reason}"
    if os.path.lexists(entry.path):
        return f"something is at its path {entry.path!r}; if that is the file, this copy can be deleted"
    return identity


def _adopt_file(
    database: Database,
    quarantine_path: str,
    entry: Entry,
    *,
    closed_id: int | None,
    run: ActiveRun,
    clock: Clock,
    limits: Limits,
) -> str | None:
    """Adds one file, or puts the removal `closed_id` back into quarantine. Returns why not if it failed, else
    None."""
    identity = _check_file(quarantine_path, entry, limits=limits)
    if isinstance(identity, str):
        return identity
    if closed_id is not None:
        with database.write() as session:
            adoption.reopen(session, closed_id)
        return None
    return _add_removal(database, quarantine_path, entry, identity, run=run, clock=clock)


def _add_removal(
    database: Database, quarantine_path: str, entry: Entry, identity: FileIdentity, *, run: ActiveRun, clock: Clock
) -> str | None:
    """Adds the rows of a file that was checked. Returns why not if its keeper or its image do not allow it."""
    with database.write() as session:
        keeper = _find_keeper(session, entry)
        if keeper is None:
            return f"its keeper {entry.keeper_path!r} is not in this index; ingest its folder first"
        image_id = _find_or_add_image(session, entry, identity, keeper, run=run)
        if image_id is None:
            return "this index has another removal of it"
        adoption.add_quarantined(
            session,
            adoption.AdoptedFile(
                image_id=image_id,
                keeper_id=keeper.id,
                path=entry.path,
                keeper_path=keeper.path,
                size_bytes=entry.size_bytes,
                content_hash=entry.content_hash,
                keeper_hash=keeper.content_hash,
                quarantine_path=quarantine_path,
                removed_at=_parse_time(entry.removed_at, otherwise=clock()),
            ),
            token=entry.run_token,
            at=clock(),
            run_id=run.id,
        )
        images.set_state(session, [image_id], ImageState.REMOVED)
    return None


def _find_keeper(session: Session, entry: Entry) -> KnownFile | None:
    """The ready row that stands for a file: of the content that the manifest names, best at the path it names."""
    if not entry.keeper_hash:  # a version before 0.1.0 wrote the entry
        keeper = images.list_known(session, [entry.keeper_path]).get(entry.keeper_path)
        return keeper if keeper is not None and keeper.state is ImageState.READY else None
    rows = images.list_at_path(session, entry.keeper_path, content_hash=entry.keeper_hash)
    keeper = next((row for row in rows if row.state is ImageState.READY), None)
    return keeper or images.find_ready(session, content_hash=entry.keeper_hash)


def _find_or_add_image(
    session: Session, entry: Entry, identity: FileIdentity, keeper: KnownFile, *, run: ActiveRun
) -> int | None:
    """The row of the file that was removed; None if this index already knows it as removed."""
    rows = images.list_at_path(session, entry.path, content_hash=entry.content_hash)
    if any(row.state is ImageState.REMOVED for row in rows):
        return None
    if rows:
        return rows[0].id
    root = keeper.root if entry.path.startswith(f"{keeper.root.rstrip('/')}/") else os.path.dirname(entry.path)
    naming = name_image(entry.path, root=root, mtime_ns=identity.mtime_ns, camera=keeper.naming.camera)
    return adoption.add_removed_image(
        session,
        path=entry.path,
        root=root,
        naming=naming,
        size_bytes=entry.size_bytes,
        mtime_ns=identity.mtime_ns,
        content_hash=entry.content_hash,
        run_id=run.id,
    )


def _parse_time(text: str, *, otherwise: datetime) -> datetime:
    """The time in a manifest, aware UTC; `otherwise` if it cannot be read or has no time zone."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else otherwise
    except (ValueError, OverflowError):
        return otherwise
