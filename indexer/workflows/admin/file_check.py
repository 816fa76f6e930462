"""db check --files: compare every row of the index with the file on the disk that it stands for. It only reads.

The rows are asked for in pages, so that no transaction is open while files are read, which may take hours. What another
command changes meanwhile may be found under its old path.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from indexer.files.quarantine import quarantine_of
from indexer.store import images, removals, videos
from indexer.store.database import Database, Session
from indexer.store.images import PresentFileDetails
from indexer.workflows.admin.file_findings import (
    Finding,
    FindingKind,
    adopt_advice,
    find_image_fault,
    find_quarantined_fault,
    find_video_fault,
)
from indexer.workflows.admin.unknown_files import UnknownFiles, list_unknown_files
from indexer.workflows.context import Progress, no_progress

SHOWN_PER_KIND = 100
"""Findings of one kind that a report names; it counts all."""

T = TypeVar("T")


@dataclass(frozen=True)
class FileCheck:
    """What a check of the files found: `findings` has up to `SHOWN_PER_KIND` of each kind, `counts` counts all."""

    images: int
    videos: int
    quarantined: int
    hashed: bool
    counts: Mapping[FindingKind, int]
    findings: tuple[Finding, ...]


@dataclass
class _Findings:
    counts: dict[FindingKind, int] = field(default_factory=lambda: dict.fromkeys(FindingKind, 0))
    shown: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding | None) -> None:
        if finding is not None:
            self.counts[finding.kind] += 1
            if self.counts[finding.kind] <= SHOWN_PER_KIND:
                self.shown.append(finding)


def check_files(database: Database, *, hashes: bool, progress: Progress = no_progress, page: int = 1000) -> FileCheck:
    """Compares each present image and video, and each file in quarantine, with its row: it is there, size and mtime.

    With `hashes` the bytes of all files are read, too; of a video its first and last MiB. Files in quarantine have no
    mtime to compare. A file in quarantine without a row is a finding, unless another index put it there.
    """
    findings, unknown = _Findings(), list_unknown_files(database)
    with database.read() as session:
        total, quarantined = images.count_present(session), removals.list_quarantined(session)
        total += videos.count_present_videos(session)
    advance = progress("checking files", total + len(quarantined))
    image_count = video_count = 0
    for image in _iter_pages(database, images.list_stored_files, page, lambda image: image.image_id):
        image_count += 1
        findings.add(_explain_missing(find_image_fault(image, hashes=hashes), image, unknown))
        advance(1)
    for video in _iter_pages(database, videos.list_stored_videos, page, lambda video: video.id):
        video_count += 1
        findings.add(find_video_fault(video, hashes=hashes))
        advance(1)
    for removal in quarantined:
        findings.add(find_quarantined_fault(removal, hashes=hashes))
        advance(1)
    for finding in _iter_unknown(unknown):
        findings.add(finding)
    found = {kind: count for kind, count in findings.counts.items() if count}
    return FileCheck(image_count, video_count, len(quarantined), hashes, found, tuple(findings.shown))


def _iter_pages(
    database: Database, list_page: Callable[..., Sequence[T]], page: int, get_id: Callable[[T], int]
) -> Iterator[T]:
    """The rows that `list_page` gives, by id, `page` at a time."""
    last = 0
    while True:
        with database.read() as session:
            rows = _list_page(session, list_page, last, page)
        if not rows:
            return
        yield from rows
        last = get_id(rows[-1])


def _list_page(session: Session, list_page: Callable[..., Sequence[T]], after: int, limit: int) -> Sequence[T]:
    return list_page(session, after=after, limit=limit)


def _explain_missing(finding: Finding | None, image: PresentFileDetails, unknown: UnknownFiles) -> Finding | None:
    """The finding of an image; if a manifest says that a run removed the image, what to type is another thing."""
    if finding is None or finding.kind is not FindingKind.MISSING:
        return finding
    path = unknown.by_original.get((image.path, image.content_hash))
    if path is None:
        return finding
    unknown.own.pop(path, None)  # one finding for both
    reason = f"A run that this index does not know moved it to {path!r}."
    return replace(finding, kind=FindingKind.REMOVED, reason=reason, advice=adopt_advice(quarantine_of(path)))


def _iter_unknown(unknown: UnknownFiles) -> Iterator[Finding]:
    """Yields what is wrong in the quarantines apart from the rows of the journal."""
    for path, entry in unknown.own.items():
        if entry is None:
            reason = "Neither the index nor a manifest names the file."
            yield Finding(FindingKind.UNKNOWN, path, reason, ("look at it, and move it out of the quarantine",))
        else:
            reason = f"It was {entry.path!r}, and the index has no row for its removal."
            yield Finding(FindingKind.UNKNOWN, path, reason, adopt_advice(quarantine_of(path)))
    for path, reason in unknown.refused:
        yield Finding(FindingKind.UNREADABLE, path, f"In a quarantine, {reason}.", ("look at its rights and its disk",))
