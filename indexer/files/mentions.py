"""Which indexes a quarantine names, and of whose images: by its marker, the manifests of its runs, and its record.

It promises that what is damaged names nobody, and that nothing is changed by looking.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from indexer.files import manifest, witness_record
from indexer.files.owners import Owner


@dataclass(frozen=True)
class Mention:
    """One line that names an index, and a folder of whose images it speaks, as far as can be told.

    `run_token` is empty where no run is named, `at` (ISO 8601) where no time is.
    """

    index_id: str
    folder: str
    run_token: str = ""
    at: str = ""


def iter_mentions(quarantine: str, *, parent_folder: str, owners: Iterable[Owner]) -> Iterator[Mention]:
    """Each line that names an index, those of the marker's owners first. Raises `OSError` if they cannot be read.

    `parent_folder`: the folder that the quarantine lies in.
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
    """The folders that an index must have taken in, at least, to remove images at these paths.

    A quarantine lies beside the folder that was taken in: it is the one in the holder that leads to the path. If no
    path is below the holder, as that was moved or is mounted elsewhere, it may be any in it.
    """
    prefix = _folder_prefix(parent_folder)
    relative_parts = (path.removeprefix(prefix).partition("/") for path in paths if path.startswith(prefix))
    return {f"{prefix}{first}" if slash else parent_folder for first, slash, _ in relative_parts} or {parent_folder}


def _folder_prefix(folder: str) -> str:
    return folder.rstrip("/") + "/"
