"""rescue: bring files back from a quarantine whose index is lost, by the manifest that lies in it.

It promises what restore promises: nothing is written over, times are kept, and only bytes that are still what was put
there come back. All that bears on a file is locked meanwhile, so that a command that is moving it is not taken for one
that was cut off. A quarantine that cannot be written to is copied from, and nothing in it is deleted. It opens no
database; an index that still exists notes the return at the next ingest.
"""

import os
from datetime import UTC, datetime

from indexer.errors import FolderProblem
from indexer.files import manifest
from indexer.files.checking import Fingerprint, Mismatch, check, check_again, is_one_name
from indexer.files.folder_lock import HeldLocks
from indexer.files.manifest import Entry
from indexer.files.moving import (
    COARSEST_TIME_NS,
    aside_path,
    copy_no_replace,
    delete_witnessed,
    give_name_back,
    move_no_replace,
)
from indexer.files.quarantine import forget_place, make_folders, quarantine_of
from indexer.files.witness_record import WitnessLine, append_restored
from indexer.interrupts import uninterrupted
from indexer.workflows.restore import RestoreReport, why
from indexer.workflows.safeguards import hold_around
from indexer.workflows.watching import Progress, silent


def rescue(folder: str, *, progress: Progress = silent) -> RestoreReport:
    """Brings back every file that a quarantine's manifests name: the report of what came back."""
    if not os.path.isdir(folder):
        raise FolderProblem(f"there is no folder {folder!a}; name the quarantine, usually .indexer-quarantine")
    entries = [(place, entry) for place, entry in manifest.read(os.path.realpath(folder)) if _is_there(place)]
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


def _is_there(place: str) -> bool:
    """Whether a file lies at its place, or waits beside it, as a cut left it."""
    return os.path.lexists(place) or os.path.lexists(aside_path(place))


def _bring_back(place: str, entry: Entry) -> str | None:
    """Brings one file back under its locks; why not, if it could not be."""
    paths = [path for path in (entry.path, entry.keeper_path) if os.path.isabs(path)]
    try:
        with hold_around(paths, quarantine=quarantine_of(place)) as locks:
            _move_back(place, entry, locks=locks)
            line = _line(entry)
            if not line.holds():
                append_restored(line)
    except (OSError, Mismatch) as problem:
        return why(problem)
    return None


def _move_back(place: str, entry: Entry, *, locks: HeldLocks) -> None:
    expected = Fingerprint(entry.size_bytes, entry.content_hash)
    is_writable = os.access(os.path.dirname(place), os.W_OK | os.X_OK)
    if is_writable:
        give_name_back(place, expected=expected, before_unlink=locks.require)
    found = check(place, expected=expected)
    if is_one_name(place, entry.path):
        raise Mismatch("the path where it was leads into the quarantine, to the file itself; take that link away first")
    is_back = _is_back(place, entry, expected=expected)
    if not is_back:
        make_folders(os.path.dirname(entry.path))
    if not is_writable:
        if not is_back:
            copy_no_replace(place, entry.path, expected=found)
        return
    if is_back:
        _drop_copy(place, entry, expected=expected, locks=locks)
    else:
        move_no_replace(place, entry.path, expected=found, before_unlink=locks.require)
    forget_place(place)


def _drop_copy(place: str, entry: Entry, *, expected: Fingerprint, locks: HeldLocks) -> None:
    """Deletes the one in quarantine of two whole files."""
    if not locks.exclusive:
        raise Mismatch(
            "it is back, and its copy in quarantine stays, as another host may be at work on it; delete that yourself"
        )
    back = check(entry.path, expected=expected)
    delete_witnessed(
        place,
        expected=check(place, expected=expected),
        aside=aside_path(place),
        is_witnessed=lambda: check_again(entry.path, checked=back, expected=expected),
        before_unlink=locks.require,
    )


def _is_back(place: str, entry: Entry, *, expected: Fingerprint) -> bool:
    """Whether the file is at both ends, whole and with one time, as a cut between the two leaves it."""
    try:
        there, here = check(entry.path, expected=expected), check(place, expected=expected)
    except Mismatch:
        return False
    return abs(there.mtime_ns - here.mtime_ns) <= COARSEST_TIME_NS  # a copy's time may be cut


def _line(entry: Entry) -> WitnessLine:
    """What the records are told of a file that is back."""
    return WitnessLine(
        event="restored",
        removed_hash=entry.content_hash,
        removed_size_bytes=entry.size_bytes,
        removed_path=entry.path,
        witness_hash=entry.keeper_hash,
        witness_path=entry.keeper_path,
        index_id=entry.index_id,
        run_token="",
        at=datetime.now(UTC).isoformat(),
    )
