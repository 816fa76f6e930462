"""rescue: bring files back from a quarantine whose index is lost, by the manifest that lies in it.

It promises what restore promises: nothing is written over, times are kept, and only bytes that are still what was put
there come back. It opens no database; an index that still exists notes the return at the next ingest.
"""

import os

from indexer.errors import FolderProblem
from indexer.files import manifest
from indexer.files.checking import Fingerprint, Mismatch, check
from indexer.files.manifest import Entry
from indexer.files.moving import delete, move_no_replace
from indexer.files.quarantine import forget_place, make_folders
from indexer.interrupts import uninterrupted
from indexer.workflows.restore import RestoreReport, why
from indexer.workflows.watching import Progress, silent


def rescue(folder: str, *, progress: Progress = silent) -> RestoreReport:
    """Brings back every file that a quarantine's manifests name: the report of what came back."""
    if not os.path.isdir(folder):
        raise FolderProblem(f"there is no folder {folder!a}; name the quarantine, usually .indexer-quarantine")
    entries = [(place, entry) for place, entry in manifest.read(os.path.realpath(folder)) if os.path.lexists(place)]
    if not entries:
        raise FolderProblem(f"no manifest below {folder!a} names a file that is there; nothing can be brought back")
    report = RestoreReport(pinned=False)
    advance = progress("restoring", len(entries))
    for place, entry in entries:
        with uninterrupted():
            problem = _bring_back(place, entry)
        if problem is None:
            report.restored += 1
        else:
            report.failures.append((entry.path, problem))
        advance(1)
    return report


def _bring_back(place: str, entry: Entry) -> str | None:
    """Brings one file back; why not, if it could not be."""
    expected = Fingerprint(entry.size_bytes, entry.content_hash)
    try:
        found = check(place, expected=expected)
        if _is_back(place, entry, expected=expected):
            delete(place, expected=found)
        else:
            make_folders(os.path.dirname(entry.path))
            move_no_replace(place, entry.path, expected=found)
    except (OSError, Mismatch) as problem:
        return why(problem)
    forget_place(place)
    return None


def _is_back(place: str, entry: Entry, *, expected: Fingerprint) -> bool:
    """Whether the file is at both ends, whole and with one time, as a cut between the two leaves it."""
    try:
        there, here = check(entry.path, expected=expected), check(place, expected=expected)
    except Mismatch:
        return False
    return there.mtime_ns == here.mtime_ns
