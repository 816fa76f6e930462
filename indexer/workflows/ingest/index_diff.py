"""What a walk found, held against what the index has there: what is as it was, what must be opened, what is gone.

It promises that each file found is either as it was or to be opened, and that nothing is called gone in a folder where
no image was seen. It opens no file and writes nothing.
"""

import os
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from indexer.domain.names import clamped_mtime
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import (
    APPLE_DOUBLE,
    NOT_AN_IMAGE,
    QUARANTINE_FOLDER,
    REPORT_FOLDER,
    SYSTEM_FOLDER,
    UNFINISHED,
    Candidate,
    list_outermost_folders,
)
from indexer.store import images, removals, runs
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile, PresentFile
from indexer.workflows.ingest.discovery import IngestRequest, gc_paused

FileToRead = tuple[Candidate, KnownFile | None]
"""A file that must be opened, with what was known at its path."""

SILENT_REASONS = {
    NOT_AN_IMAGE,
    UNFINISHED,
    "symbolic link",
    "not a regular file",
    REPORT_FOLDER,
    QUARANTINE_FOLDER,
    SYSTEM_FOLDER,
    APPLE_DOUBLE,
}
"""Reasons to leave a path alone that a person need not be told of one by one."""


@dataclass(frozen=True)
class IndexDiff:
    """Files as they were, files to open, and images nobody saw (paths by id).

    `unwalked`: those of the images nobody saw that lie in system folders, which an earlier version walked.
    """

    unchanged: list[Candidate]
    files_to_read: list[FileToRead]
    gone: dict[int, str]
    unwalked: frozenset[int] = frozenset()


@gc_paused()
def diff_with_index(database: Database, request: IngestRequest) -> IndexDiff:
    """Holds what was found against the index, in one look at it for each folder named."""
    candidates = {candidate.path: candidate for candidate in request.candidates}
    unchanged: list[Candidate] = []
    changed: list[str] = []
    gone: dict[int, str] = {}
    with database.read() as session:
        reread_rule = _RereadRule(session, request) if request.again else None
        newly_named = _list_newly_named(session, request)
        for present in _iter_present(session, request):
            candidate = candidates.get(present.path)
            if candidate is None:
                gone[present.id] = present.path
            elif (
                present.id in newly_named
                or _is_changed(present, candidate)
                or (reread_rule and reread_rule.applies_to(present, candidate))
            ):
                changed.append(present.path)
            else:
                unchanged.append(candidates.pop(present.path))
        known = images.list_known(session, changed)
        unwalked, left_alone = _split_unwalked(session, request, gone)
    refused = [skipped.path.rstrip("/") for skipped in request.skipped if skipped.reason not in SILENT_REASONS]
    refused_prefixes = tuple(f"{path}/" for path in refused)
    gone = {n: path for n, path in gone.items() if n not in left_alone and not f"{path}/".startswith(refused_prefixes)}
    files_to_read = [(candidate, known.get(path)) for path, candidate in candidates.items()]
    return IndexDiff(unchanged, files_to_read, gone, frozenset(unwalked & gone.keys()))


def _list_newly_named(session: Session, request: IngestRequest) -> set[int]:
    """The images in system folders that an earlier version took in with a folder above, and that a person names now.

    They are opened once more, as their rows are to say what was named.
    """
    roots = {candidate.root for candidate in request.candidates}
    return {
        image_id
        for root in sorted(roots)
        if find_system_folder(os.path.join(root, "x"), root="/") is not None
        for image_id, path, earlier_root in images.iter_with_other_root(session, root)
        if find_system_folder(path, root=earlier_root) is not None and find_system_folder(path, root=root) is None
    }


def _split_unwalked(session: Session, request: IngestRequest, gone: Mapping[int, str]) -> tuple[set[int], set[int]]:
    """The images nobody saw as they lie in system folders: those that an earlier version walked, or of a folder that
    is there no more, and those of a folder that a person named, which were not looked for and are left as they are."""
    roots = {candidate.root for candidate in request.candidates}
    hidden = {n: path for n, path in gone.items() if not _is_walked(path, roots)}
    known = images.list_known(session, list(hidden.values()))
    root_by_id = {n: known[path].root for n, path in hidden.items() if path in known}
    left_alone = {n for n, root in root_by_id.items() if _is_walked(hidden[n], {root}) and os.path.lexists(root)}
    return hidden.keys() - left_alone, left_alone


def _is_walked(path: str, roots: Set[str]) -> bool:
    """Whether a walk of one of these folders leads to a path."""
    if find_system_folder(path, root="/") is None:
        return True
    return any(
        path.startswith(f"{root.rstrip('/')}/") and find_system_folder(path, root=root) is None for root in roots
    )


def _iter_present(session: Session, request: IngestRequest) -> Iterator[PresentFile]:
    """What the index has below the folders named, if any image was seen there, and at the other files found, once."""
    folders = sorted({candidate.root for candidate in request.candidates} & set(list_outermost_folders(request.paths)))
    for folder in folders:
        yield from images.iter_present_under(session, folder)
    walked = tuple(f"{folder.rstrip('/')}/" for folder in folders)
    others = (candidate.path for candidate in request.candidates if candidate.root not in folders)
    yield from images.iter_present(session, [path for path in others if not path.startswith(walked)])


def _is_changed(present: PresentFile, candidate: Candidate) -> bool:
    """Whether a known file is opened, as its size or time is another."""
    return present.mtime_ns != clamped_mtime(candidate.mtime_ns) or present.size_bytes != candidate.size_bytes


class _RereadRule:
    """Which files a person wants opened again though their size and time are as they were.

    Those that could not be used or removed, those named one by one, and those that something was done to since they
    were read, as their status was changed (`st_ctime`): written to and given their old time, or moved or linked.
    """

    def __init__(self, session: Session, request: IngestRequest) -> None:
        self._folders = set(list_outermost_folders(request.paths))
        self._failed = removals.list_failed(session)
        self._starts_s = {run_id: at.timestamp() for run_id, at in runs.list_starts(session).items()}

    def applies_to(self, present: PresentFile, candidate: Candidate) -> bool:
        """Whether a file is one of those."""
        if not present.ready or present.id in self._failed or candidate.root not in self._folders:
            return True
        return _ctime_s(candidate.path) >= self._starts_s[present.run_id]


def _ctime_s(path: str) -> float:
    """When the status of a file last changed, in seconds since 1970; never, so to say, of one that is gone."""
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return 0.0
