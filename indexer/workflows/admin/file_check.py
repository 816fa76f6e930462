"""db check --files: compare every row of the index with the file on the disk that it stands for. It only reads.

The rows are asked for in pages, so that no transaction is open while files are read, which may take hours. What another
command changes meanwhile may be found under its old path.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from indexer.domain.names import clamped_mtime
from indexer.escaping import command_line
from indexer.files.quarantine import is_quarantine_missing
from indexer.files.verification import ContentDigest, MismatchError, UnreadableFileError, regular_status, verify
from indexer.store import images, removals
from indexer.store.database import Database
from indexer.store.images import PresentFileDetails
from indexer.store.removals import JournalEntry
from indexer.workflows.context import Progress, no_progress
from indexer.workflows.removal.missing_folders import describe_missing_quarantine

SHOWN_PER_KIND = 100
"""Findings of one kind that a report names; it counts all."""


class FindingKind(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    CHANGED = "changed"
    OTHER_BYTES = "other bytes"
    UNREADABLE = "unreadable"
    TAKEN_OUT = "not in quarantine"
    QUARANTINE_MISSING = "quarantine not there"
    QUARANTINED_CHANGED = "changed in quarantine"


@dataclass(frozen=True)
class Finding:
    """A file that is not what the index says, why, and what to type or do."""

    kind: FindingKind
    path: str
    reason: str
    advice: str


@dataclass(frozen=True)
class FileCheck:
    """What a check of the files found: `findings` has up to `SHOWN_PER_KIND` of each kind, `counts` counts all."""

    images: int
    quarantined: int
    hashed: bool
    counts: Mapping[FindingKind, int]
    findings: tuple[Finding, ...]


def check_files(database: Database, *, hashes: bool, progress: Progress = no_progress, page: int = 1000) -> FileCheck:
    """Compares each present image and each file in quarantine with its row: it is there, with its size and mtime.

    With `hashes` the bytes of all files are read, too. Files in quarantine have no mtime to compare.
    """
    counts, findings = dict.fromkeys(FindingKind, 0), list[Finding]()
    with database.read() as session:
        total, quarantined = images.count_present(session), removals.list_quarantined(session)
    advance = progress("checking files", total + len(quarantined))
    checked = 0
    for stored in _iter_present(database, page):
        checked += 1
        _note(_check_image(stored, hashes=hashes), counts, findings)
        advance(1)
    for removal in quarantined:
        _note(_check_quarantined(removal, hashes=hashes), counts, findings)
        advance(1)
    found = {kind: count for kind, count in counts.items() if count}
    return FileCheck(checked, len(quarantined), hashes, found, tuple(findings))


def _note(finding: Finding | None, counts: dict[FindingKind, int], findings: list[Finding]) -> None:
    if finding is not None:
        counts[finding.kind] += 1
        if counts[finding.kind] <= SHOWN_PER_KIND:
            findings.append(finding)


def _iter_present(database: Database, page: int) -> Iterator[PresentFileDetails]:
    """The rows of present images, by id, `page` at a time."""
    last = 0
    while True:
        with database.read() as session:
            files = images.list_stored_files(session, after=last, limit=page)
        if not files:
            return
        yield from files
        last = files[-1].image_id


def _check_image(stored: PresentFileDetails, *, hashes: bool) -> Finding | None:
    """What is wrong with the file of a present image; None if nothing is."""
    ingest = f"type: {command_line('ingest', names=[stored.root])}"
    try:
        status = regular_status(stored.path)
    except UnreadableFileError as problem:
        return Finding(FindingKind.UNREADABLE, stored.path, problem.reason, _UNREADABLE_ADVICE)
    except MismatchError as problem:
        moved = command_line("relocate", names=[os.path.dirname(stored.path), "NEW"])
        advice = f"if its folder was renamed, type: {moved}; else {ingest}"
        return Finding(FindingKind.MISSING, stored.path, problem.reason, advice)
    if status.st_size != stored.size_bytes:
        reason = f"The file has {status.st_size} bytes instead of {stored.size_bytes}."
        return Finding(FindingKind.CHANGED, stored.path, reason, ingest)
    if clamped_mtime(status.st_mtime_ns) != stored.mtime_ns:
        return Finding(FindingKind.CHANGED, stored.path, "The file was written to, or has another time.", ingest)
    return _check_bytes(stored) if hashes else None


def _check_bytes(stored: PresentFileDetails) -> Finding | None:
    try:
        verify(stored.path, expected=ContentDigest(stored.size_bytes, stored.content_hash))
    except UnreadableFileError as problem:
        return Finding(FindingKind.UNREADABLE, stored.path, problem.reason, _UNREADABLE_ADVICE)
    except MismatchError as problem:
        return Finding(FindingKind.OTHER_BYTES, stored.path, problem.reason, _OTHER_BYTES_ADVICE)
    return None


def _check_quarantined(removal: JournalEntry, *, hashes: bool) -> Finding | None:
    """What is wrong with a file in quarantine; None if nothing is."""
    path = removal.quarantine_path or ""
    if is_quarantine_missing(path):
        reason = "The quarantine of the file cannot be reached."
        return Finding(FindingKind.QUARANTINE_MISSING, path, reason, describe_missing_quarantine(removal))
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


_UNREADABLE_ADVICE = "look at its rights and at its disk"
_TAKEN_OUT_ADVICE = "if it lies elsewhere now, take that folder in with ingest; the next purge notes it as gone"
_OTHER_BYTES_ADVICE = "look at its disk, and bring the file back from a backup of your own"
