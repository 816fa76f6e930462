"""Folders that no directory walk enters because they hold no camera images: quarantines and reports.

A quarantine is recognised by its name, by a marker file, or by the manifest of a run in it, so it is recognised
wherever it was moved or mounted. This module moves nothing.
"""

import os
import re

from indexer.files.manifest import MANIFEST_NAME, is_manifest

QUARANTINE_NAME = ".indexer-quarantine"
"""Folders with this name hold removed files."""

QUARANTINE_MARKER = ".indexer-quarantine-marker"
"""A folder that holds a file with this name is a quarantine, whatever its own name is."""

REPORT_MARKER = ".indexer-report"
"""A folder that holds a file with this name is a report: its pictures show images, and are no camera images."""

_RUN = re.compile(r"run-([0-9a-f]{8}-)?\d+(-[0-9a-f]{8})?")


def is_quarantine(folder: str) -> bool:
    """Whether a folder is a quarantine, or one run of one. A link to a quarantine counts."""
    return _is_quarantine(os.path.realpath(folder))


def _is_quarantine(real: str) -> bool:
    marker = os.path.join(real, QUARANTINE_MARKER)
    return os.path.basename(real) == QUARANTINE_NAME or os.path.lexists(marker) or is_run(real)


def is_run(folder: str) -> bool:
    """Whether a folder is one run of a quarantine, which may have been copied or moved out of it."""
    has_run_name = _RUN.fullmatch(os.path.basename(folder)) is not None
    return has_run_name and is_manifest(os.path.join(folder, MANIFEST_NAME))


def find_quarantine(path: str) -> str | None:
    """The outermost quarantine that a path is or lies in, as a real path; None if it lies in none."""
    real = os.path.realpath(path)
    ancestors = [real]
    while ancestors[-1] != os.path.dirname(ancestors[-1]):
        ancestors.append(os.path.dirname(ancestors[-1]))
    return next((folder for folder in reversed(ancestors) if _is_quarantine(folder)), None)
