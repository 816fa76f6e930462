"""Files in the quarantines of an index that it has no row for: their manifests and their folders are read.

The files of other indexes are left out, as those have the rows. It reads, and writes nothing.
"""

import os
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from indexer.files import manifest
from indexer.files.folder_lock import LOCK_NAME
from indexer.files.manifest import MANIFEST_NAME, Entry, ManifestContents
from indexer.files.markers import QUARANTINE_MARKER, is_quarantine, is_run
from indexer.files.moving import aside_path
from indexer.files.quarantine import quarantine_of
from indexer.files.witness_record import RECORD_NAME
from indexer.store import removals
from indexer.store.database import Database
from indexer.store.index_identity import get_index_id
from indexer.workflows.removal.unknown_runs import list_quarantines


@dataclass
class UnknownFiles:
    """What the quarantines hold that the index has no row for.

    `own`: files that this index put there, by path in quarantine; the entry is None if no manifest names the file.
    `by_original`: the paths in quarantine by original path and hash, of all indexes. `refused`: what cannot be read,
    each with the reason.
    """

    own: dict[str, Entry | None] = field(default_factory=dict)
    by_original: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)


def list_unknown_files(database: Database) -> UnknownFiles:
    """The files in the quarantines near the images, and in those of the journal, that have no row.

    Raises `OSError` only if this process has no file descriptor left.
    """
    with database.read() as session:
        index_id, known = get_index_id(session), removals.list_known_keys(session)
        folders = {*list_quarantines(session), *_list_mounted(path for path, key in known if path and not key)}
    unknown = UnknownFiles()
    for folder in sorted(folder for folder in folders if os.path.isdir(folder)):
        contents = manifest.read(folder)
        unknown.refused += contents.refused
        for path, entry in contents.entries.items():
            if not {(path, ""), (entry.path, entry.content_hash + entry.run_token)} & known:
                unknown.by_original[entry.path, entry.content_hash] = path
                if entry.index_id in ("", index_id):
                    unknown.own[path] = entry
        unknown.own.update(dict.fromkeys(_iter_unnamed(folder, contents, known)))
    if unknown.own:  # another command may have removed some while the manifests were read
        with database.read() as session:
            known = removals.list_known_keys(session)
        unknown.own = {path: entry for path, entry in unknown.own.items() if (path, "") not in known}
    return unknown


def _list_mounted(quarantine_paths: Iterator[str]) -> set[str]:
    """The quarantines of these paths that are there."""
    runs = {os.path.dirname(os.path.dirname(path)) for path in quarantine_paths}
    return {quarantine_of(os.path.join(run, "folder", "file")) for run in runs if os.path.isdir(run)}


def _iter_unnamed(folder: str, contents: ManifestContents, known: Set[tuple[str, str]]) -> Iterator[str]:
    """Yields the files in a quarantine, at any depth, that neither a manifest nor the journal names.

    Of a folder that is no quarantine, as a run was moved to it, only the runs are searched.
    """
    entries = _list_entries(folder)
    if not is_quarantine(folder):
        entries = [(name, is_folder) for name, is_folder in entries if is_run(os.path.join(folder, name))]
    pending = [(folder, entries)]  # no recursion: folders nest deeper than Python's stack
    while pending:
        current, entries = pending.pop()
        for name, is_folder in entries:
            path = os.path.join(current, name)
            if is_folder:
                pending.append((path, _list_entries(path)))
            elif name not in _OWN_NAMES and path not in contents.entries and (path, "") not in known:
                yield path


_OWN_NAMES = {LOCK_NAME, MANIFEST_NAME, QUARANTINE_MARKER, RECORD_NAME, os.path.basename(aside_path(""))}


def _list_entries(folder: str) -> list[tuple[str, bool]]:
    """The names in a folder, sorted, and whether each is a folder and no link to one.

    There are none if it cannot be read: the manifests' reader names such a folder.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:
        return []
