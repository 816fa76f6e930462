"""A folder of pages that is written again and again: each file whole or not at all, and no file of anybody else.

It promises that

- only a folder that is new, empty or marked as ours is written to;
- a crash leaves every page old or new;
- what is written is closed to others (`indexer.files.private`);
- no link in it leads a page out of it; and
- only files with names of our own are ever deleted.

It does not know what is in a file.
"""

import os
import re
from pathlib import Path

from indexer.errors import FolderError
from indexer.files import private
from indexer.files.markers import REPORT_MARKER

_PARTIAL = ".part"


class OutputFolder:
    """A folder that is being written; `remove_stale_files` deletes what was neither written nor reused."""

    def __init__(self, folder: Path, *, own_names: re.Pattern[str]) -> None:
        self.folder = folder
        self._own_names = own_names
        self._current_names = set[str]()

    def reuse(self, name: str) -> bool:
        """Whether the file exists already. If so, it is kept as it is.

        Raises `FolderError` if its folder is a link that leads out of the report.
        """
        self._require_inside((self.folder / name).parent)
        exists = name in self._current_names or _is_plain_file(self.folder / name)
        if exists:
            self._current_names.add(name)
        return exists

    def find(self, name: str) -> bytes | None:
        """The bytes of a file that exists, which is kept as it is; None if there is none.

        Raises `FolderError` as `reuse`, `OSError` if it cannot be read.
        """
        return (self.folder / name).read_bytes() if self.reuse(name) else None

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, or replaces the one with that name.

        Raises `FolderError` if its folder is a link that leads out of the report, `OSError` if the disk refuses.
        """
        path = self.folder / name
        self._require_inside(path.parent)
        private.make_folders(str(path.parent))
        private.replace(str(path), data, partial=f"{path}{_PARTIAL}")
        self._current_names.add(name)

    def _require_inside(self, folder: Path) -> None:
        """Refuses a folder behind a link that leads out of the report."""
        if not Path(os.path.realpath(folder)).is_relative_to(self.folder):
            raise FolderError(f"the folder {str(folder)!r} leads out of the report; remove the link")

    def remove_stale_files(self) -> int:
        """Deletes the files of earlier reports that this one does not use. Returns their number."""
        removed, emptied = 0, set[Path]()
        for current, _folders, names in os.walk(self.folder, topdown=False):
            for path in (Path(current, name) for name in names):
                name = path.relative_to(self.folder).as_posix()
                if name not in self._current_names and self._own_names.fullmatch(name.removesuffix(_PARTIAL)):
                    path.unlink(missing_ok=True)
                    removed += 1
                    emptied.add(path.parent)
            if Path(current) != self.folder and Path(current) in emptied and not os.listdir(current):
                os.rmdir(current)
                emptied.add(Path(current).parent)
        return removed


def open_output_folder(folder: str, *, own_names: re.Pattern[str]) -> OutputFolder:
    """The folder, which is made if it is missing, and marked as a report.

    Raises
    ------
    FolderError
        If it is no folder, cannot be made, or holds files that are no report.
    """
    if not folder:
        raise FolderError("the name of the folder is empty; name a new folder")
    path = Path(os.path.realpath(folder))
    if os.path.lexists(path) and not path.is_dir():
        raise FolderError(f"{folder!r} is no folder; name a new one")
    if path.is_dir() and not _is_plain_file(path / REPORT_MARKER) and os.listdir(path):
        raise FolderError(f"the folder {folder!r} has files that do not belong to a report; name a new or empty folder")
    try:
        private.make_folders(str(path))
    except OSError as problem:
        raise FolderError(f"the folder {folder!r} cannot be made: {problem.strerror}; name another") from problem
    output = OutputFolder(path, own_names=own_names)
    output.write(REPORT_MARKER, b"A report of indexer is here: manage.py report writes over it.\n")
    return output


def _is_plain_file(path: Path) -> bool:
    """Whether a regular file is at the path, and not a link to one."""
    return path.is_file() and not path.is_symlink()
