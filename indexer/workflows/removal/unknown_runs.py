"""Quarantines near the images with files of runs that this index does not know. It reads, and writes nothing."""

import os
from collections.abc import Set
from dataclasses import dataclass

from indexer.files import manifest
from indexer.files.manifest import Entry
from indexer.files.quarantine import quarantine_folder, quarantine_of
from indexer.store import image_folders, removals, runs
from indexer.store.database import Database, Session


@dataclass(frozen=True)
class UnknownRuns:
    """A quarantine that holds files of runs that an index does not know, and how many runs."""

    folder: str
    runs: int


def list_unknown_runs(database: Database) -> tuple[UnknownRuns, ...]:
    """The quarantines near an index's images with runs that it does not know: another index's, or forgotten ones."""
    with database.read() as session:
        known = runs.list_tokens(session).keys()
        unknown = {
            folder: sum(not _is_known(session, head, known) for head in manifest.read_first_entries(folder))
            for folder in sorted(list_quarantines(session))
        }
    return tuple(UnknownRuns(folder, number) for folder, number in unknown.items() if number)


def list_quarantines(session: Session) -> set[str]:
    """The quarantines near an index's images, and those of a sample of its journal; they need not exist."""
    folders = {quarantine_folder(root) for root in image_folders.list_outermost_roots(session)}
    return folders | {quarantine_of(path) for path in removals.list_sample_quarantine_paths(session)}


def _is_known(session: Session, head: tuple[str, Entry], known: Set[str]) -> bool:
    """Whether this index knows the run of a file; for versions before 0.1.0, by the number of the run."""
    quarantine_path, entry = head
    if entry.run_token:
        return entry.run_token in known
    number = os.path.basename(os.path.dirname(os.path.dirname(quarantine_path))).removeprefix("run-")
    return number.isdecimal() and len(number) < 10 and runs.run_exists(session, int(number))
