"""Files in the quarantines of an index that it has no row for: their manifests and their folders are read.

The files of other indexes are left out, as those have the rows. It reads, and writes nothing.
"""

import os
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from indexer.files import manifest
from indexer.files.manifest import MANIFEST_NAME, Entry, ManifestContents
from indexer.files.markers import is_run
from indexer.files.moving import aside_path
from indexer.files.quarantine import quarantine_of
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
    """Yields the files in the runs of a quarantine that neither a manifest nor the journal names."""
    for run in (folder, *_list_folders(folder)):
        for file_folder in _list_folders(run) if is_run(run) else ():
            for name in _list_names(file_folder):
                path = os.path.join(file_folder, name)
                is_named = path in contents.entries or (path, "") in known or path == aside_path(path)
                if not is_named and name != MANIFEST_NAME:
                    yield path


def _list_folders(folder: str) -> list[str]:
    paths = (os.path.join(folder, name) for name in _list_names(folder))
    return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


def _list_names(folder: str) -> list[str]:
    """The names in a folder, sorted; none if it cannot be read: the manifests' reader names such a folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
