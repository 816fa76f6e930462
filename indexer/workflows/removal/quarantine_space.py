"""Whether removed files fit on the disk of a quarantine, if that is another disk than theirs."""

import os
from collections import Counter
from collections.abc import Iterable

from indexer.domain.removal import IndexedFile
from indexer.files.filesystems import free_bytes
from indexer.workflows.removal.missing_folders import find_missing_folder

_SPARE_BYTES = 16 * 2**20  # stay free on the other disk: for the manifest, and for others
_DISK_IS_FULL = "its disk has {:.1f} MB free and needs {:.1f} MB; free some, or type another --quarantine FOLDER"


def find_lack_of_space(quarantine: str, *, size_bytes: int) -> str | None:
    """Why so many bytes from other disks do not fit on the disk of a folder, and what to do; else None.

    Raises `OSError` if the disk cannot be asked.
    """
    free, needed = free_bytes(quarantine), size_bytes + _SPARE_BYTES
    # Rounded apart, so that nothing seems to need just what is free.
    return None if free >= needed else _DISK_IS_FULL.format(free // 100_000 / 10, -(-needed // 100_000) / 10)


def find_lack_of_space_for_all(quarantine: str, files: Iterable[IndexedFile]) -> str | None:
    """Why these files do not all fit into a quarantine, which may not exist yet, and what to do; else None.

    None also if the disk cannot be asked: what is wrong there is found when a file is removed.
    """
    sizes = Counter[str]()
    for file in files:
        sizes[os.path.dirname(file.path)] += file.size_bytes
    folder = os.path.realpath(quarantine)
    missing_folder = find_missing_folder(f"{folder}/x")
    existing = folder if missing_folder is None else os.path.dirname(missing_folder)
    try:
        device = os.stat(existing).st_dev
        size_bytes = sum(size for of_folder, size in sizes.items() if os.stat(of_folder).st_dev != device)
        lack = find_lack_of_space(existing, size_bytes=size_bytes) if size_bytes else None
    except OSError:
        return None
    return None if lack is None else f"the quarantine {quarantine!r} cannot take all of them: {lack}"
