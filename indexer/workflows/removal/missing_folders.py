"""Folders that the index names and that are not there: what was renamed or moved, and what to type then."""

import os

from indexer.escaping import command_line


def find_missing_folder(path: str) -> str | None:
    """The outermost folder above a path that does not exist; None if the file's folder is there."""
    missing, folder = None, os.path.dirname(path)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        missing, folder = folder, os.path.dirname(folder)
    return missing


def relocate_hint(folder: str) -> str:
    """What to type if a folder that is not there was renamed or moved."""
    return f"if {folder!a} was renamed or moved: {command_line('relocate', names=[folder, 'NEW'])}"
