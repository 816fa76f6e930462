"""What is wrong with one file of the index, and what to type: a present image, a video, a file in quarantine.

It only reads. It does not know which rows there are: `file_check` asks for each.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from indexer.domain.names import clamped_mtime
from indexer.escaping import command_line
from indexer.files.quarantine import is_quarantine_missing, quarantine_of
from indexer.files.verification import ContentDigest, MismatchError, UnreadableFileError, regular_status, verify
from indexer.files.video_files import identify_video, open_video_file
from indexer.store.images import PresentFileDetails
from indexer.store.removals import JournalEntry
from indexer.store.videos import KnownVideo
from indexer.workflows.removal.missing_folders import find_missing_folder, relocate_hint


class FindingKind(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    REMOVED = "removed by an unknown run"
    CHANGED = "changed"
    OTHER_BYTES = "other bytes"
    UNREADABLE = "unreadable"
    TAKEN_OUT = "not in quarantine"
    QUARANTINE_MISSING = "quarantine not there"
    QUARANTINED_CHANGED = "changed in quarantine"
    UNKNOWN = "in quarantine without a row"


@dataclass(frozen=True)
class Finding:
    """A file that is not what the index says, why, and what to type or do: each step of `advice` is one command."""

    kind: FindingKind
    path: str
    reason: str
    advice: tuple[str, ...]


def find_image_fault(stored: PresentFileDetails, *, hashes: bool) -> Finding | None:
    """What is wrong with the file of a present image; None if nothing is. With `hashes` its bytes are read, too."""

    def verify_bytes() -> None:
        verify(stored.path, expected=ContentDigest(stored.size_bytes, stored.content_hash))

    return _find_fault(stored, verify_bytes if hashes else None)


def find_video_fault(stored: KnownVideo, *, hashes: bool) -> Finding | None:
    """What is wrong with the file of a present video; None if nothing is.

    With `hashes` its fingerprint is compared, too: that of its first and last MiB.
    """
    return _find_fault(stored, partial(_verify_fingerprint, stored) if hashes else None)


def _verify_fingerprint(stored: KnownVideo) -> None:
    """Raises `MismatchError` if a video has other bytes, and `UnreadableFileError` if it cannot be read."""
    try:
        with open_video_file(stored.path) as file:
            is_same = identify_video(file).fingerprint == stored.fingerprint
    except OSError as problem:
        raise UnreadableFileError(f"The file cannot be read: {problem.strerror}.") from problem
    if not is_same:
        raise MismatchError("The video has the size that the index knows, but other bytes.")


def _find_fault(stored: PresentFileDetails | KnownVideo, verify_bytes: Callable[[], None] | None) -> Finding | None:
    """What is wrong with a file that should be at its path; `verify_bytes` raises `MismatchError` for other bytes."""
    try:
        status = regular_status(stored.path)
    except UnreadableFileError as problem:
        return Finding(FindingKind.UNREADABLE, stored.path, problem.reason, _UNREADABLE_ADVICE)
    except MismatchError as problem:
        return Finding(FindingKind.MISSING, stored.path, problem.reason, _missing_advice(stored.path, stored.root))
    if status.st_size != stored.size_bytes:
        reason = f"The file has {status.st_size} bytes instead of {stored.size_bytes}."
        return Finding(FindingKind.CHANGED, stored.path, reason, _changed_advice(stored.path, stored.root))
    has_other_time = clamped_mtime(status.st_mtime_ns) != stored.mtime_ns
    return _find_content_fault(stored, verify_bytes, has_other_time=has_other_time)


def _find_content_fault(
    stored: PresentFileDetails | KnownVideo, verify_bytes: Callable[[], None] | None, *, has_other_time: bool
) -> Finding | None:
    """What is wrong with a file of the right size."""
    reason = "The file was written to, or has another time."
    try:
        if verify_bytes is not None:
            verify_bytes()
            reason = "The file has the same bytes, but another time."
    except UnreadableFileError as problem:
        return Finding(FindingKind.UNREADABLE, stored.path, problem.reason, _UNREADABLE_ADVICE)
    except MismatchError as problem:
        if not has_other_time:
            return Finding(FindingKind.OTHER_BYTES, stored.path, problem.reason, _OTHER_BYTES_ADVICE)
        reason = "The file was written to: it has other bytes, and another time."
    if not has_other_time:
        return None
    return Finding(FindingKind.CHANGED, stored.path, reason, _changed_advice(stored.path, stored.root))


def find_quarantined_fault(removal: JournalEntry, *, hashes: bool) -> Finding | None:
    """What is wrong with a file in quarantine; None if nothing is. It has no time to compare."""
    path = removal.quarantine_path or ""
    if is_quarantine_missing(path):
        reason = "The quarantine of the file cannot be reached."
        return Finding(FindingKind.QUARANTINE_MISSING, path, reason, _missing_quarantine_advice(removal))
    try:
        status = regular_status(path)
        if hashes:
            verify(path, expected=ContentDigest(removal.size_bytes, removal.content_hash))
        elif status.st_size != removal.size_bytes:
            raise MismatchError(f"The file has {status.st_size} bytes instead of {removal.size_bytes}.")
    except UnreadableFileError as problem:
        return Finding(FindingKind.UNREADABLE, path, problem.reason, _UNREADABLE_ADVICE)
    except MismatchError as problem:
        if os.path.lexists(path):
            return Finding(FindingKind.QUARANTINED_CHANGED, path, problem.reason, _OTHER_BYTES_ADVICE)
        return Finding(FindingKind.TAKEN_OUT, path, problem.reason, _TAKEN_OUT_ADVICE)
    return None


def adopt_advice(quarantine: str) -> tuple[str, ...]:
    """What to type if a quarantine holds files of runs that the index does not know."""
    return (command_line("db", "adopt", names=[quarantine]),)


def _missing_advice(path: str, root: str) -> tuple[str, ...]:
    """What to do about a file that is not there: other steps if a folder above it is not there either."""
    folder = find_missing_folder(path)
    if folder is None:
        return (_ingest_advice(root),)
    steps = ("mount its disk, if that is not mounted", relocate_hint(folder))
    return (*steps, f"if its files were deleted, {_ingest_advice(root)}") if os.path.isdir(root) else steps


def _changed_advice(path: str, root: str) -> tuple[str, ...]:
    """What to type about a file that changed: only its folder may have been ingested, or the file alone."""
    return (f"for the file alone: {command_line('ingest', names=[path])}", _ingest_advice(root))


def _ingest_advice(root: str) -> str:
    return f"for all of its folder, also new files: {command_line('ingest', names=[root])}"


def _missing_quarantine_advice(removal: JournalEntry) -> tuple[str, ...]:
    quarantine, folder = quarantine_of(removal.quarantine_path or ""), find_missing_folder(removal.path)
    gone = f"if it was deleted: {command_line('purge', '--gone', names=[quarantine])}"
    return ("mount its disk, if that is not mounted", gone, *([] if folder is None else [relocate_hint(folder)]))


_UNREADABLE_ADVICE = ("look at its rights and at its disk",)
_TAKEN_OUT_ADVICE = ("if it lies elsewhere now, take that folder in with ingest; the next purge notes it as gone",)
_OTHER_BYTES_ADVICE = ("look at its disk, and bring the file back from a backup of your own",)
