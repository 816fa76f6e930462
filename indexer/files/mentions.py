"""Which indexes a quarantine names, and for which images: by its marker, its runs' manifests, and its record.

It promises that damaged lines name no index, and that reading changes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from indexer.files import manifest, witness_record
from indexer.files.owners import Owner


@dataclass(frozen=True)
class Mention:
    """One line that names an index, and the folder of images that the line is about, if it is known.

    `run_token` is empty if the line names no run. `at` is ISO 8601, and empty if the line has no time.
    """

    index_id: str
    folder: str
    run_token: str = ""
    at: str = ""


def iter_mentions(quarantine: str, *, parent_folder: str, owners: Iterable[Owner]) -> Iterator[Mention]:
    """One value for each line that names an index, those of the marker's owners first.

    Raises `OSError` if a manifest or the record cannot be read.
    """
    for owner in owners:
        yield Mention(
            owner.index_id, owner.root if f"{owner.root}/".startswith(_folder_prefix(parent_folder)) else parent_folder
        )
    for _, entry in manifest.read_first_entries(quarantine):
        for folder in _folders_of(entry.path, entry.keeper_path, parent_folder=parent_folder):
            yield Mention(entry.index_id, folder, entry.run_token, entry.removed_at)
    for line in witness_record.read_lines(quarantine):
        for folder in _folders_of(line.removed_path, line.witness_path, parent_folder=parent_folder):
            yield Mention(line.index_id, folder, line.run_token, line.at)


def _folders_of(*paths: str, parent_folder: str) -> set[str]:
    """The folders that an index must have ingested, at least, to remove images at these paths.

    A quarantine lies beside the ingested folder, so that is the folder in `parent_folder` that leads to the path. If no
    path is below `parent_folder`, because that was moved or is mounted elsewhere, it may be any folder in it.
    """
    prefix = _folder_prefix(parent_folder)
    relative_parts = (path.removeprefix(prefix).partition("/") for path in paths if path.startswith(prefix))
    return {f"{prefix}{first}" if slash else parent_folder for first, slash, _ in relative_parts} or {parent_folder}


def _folder_prefix(folder: str) -> str:
    return folder.rstrip("/") + "/"
