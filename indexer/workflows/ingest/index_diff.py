"""The difference between a directory walk and the index: what is unchanged, what must be opened, what is gone.

It promises that each file is either unchanged or to be opened, and that nothing counts as gone in a folder where no
image was seen. It opens no file and writes nothing.
"""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from indexer.domain.names import clamped_mtime
from indexer.domain.paths import lies_below
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import (
    A_VIDEO,
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

TOO_LONG = "its path is too long for this database"
"""Why a file whose path the database cannot store is left out."""

FileToRead = tuple[Candidate, KnownFile | None]
"""A file that must be opened, with what the index had at its path."""

SILENT_REASONS = {
    NOT_AN_IMAGE,
    A_VIDEO,
    UNFINISHED,
    "symbolic link",
    "not a regular file",
    REPORT_FOLDER,
    QUARANTINE_FOLDER,
    SYSTEM_FOLDER,
    APPLE_DOUBLE,
}
"""Reasons for skipping a path that are not reported path by path."""


@dataclass(frozen=True)
class IndexDiff:
    """Unchanged files, files to open, and images that were not seen (paths by id).

    `unwalked`: the images not seen that lie in system folders, which an earlier version walked.
    """

    unchanged: list[Candidate]
    files_to_read: list[FileToRead]
    gone: dict[int, str]
    unwalked: frozenset[int] = frozenset()


def split_storable(
    database: Database | None, files: Sequence[Candidate]
) -> tuple[tuple[Candidate, ...], list[Candidate]]:
    """The files whose paths the database can store, as they come, and the others by path; None stores every path."""
    too_long = [file for file in files if database is not None and not database.can_store_path(file.path)]
    if not too_long:
        return tuple(files), []
    paths = {file.path for file in too_long}
    return tuple(file for file in files if file.path not in paths), sorted(too_long, key=lambda file: file.path)


@gc_paused()
def diff_with_index(database: Database, request: IngestRequest) -> IndexDiff:
    """Compares the request with the index, with one query for each named folder."""
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
    """Images in system folders that an earlier version ingested with a folder above, and that a person names now.

    They are opened again because their rows must store the folder that was named.
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
    """The images that were not seen because they lie in system folders, as two sets of ids.

    The first holds those that an earlier version walked, and those whose named folder no longer exists. The second
    holds those of another folder that a person named earlier: this ingest did not look for them, and they stay as they
    are.
    """
    roots = {candidate.root for candidate in request.candidates}
    hidden = {n: path for n, path in gone.items() if not _is_walked(path, roots)}
    known = images.list_known(session, list(hidden.values()))
    root_by_id = {n: known[path].root for n, path in hidden.items() if path in known}
    left_alone = {n for n, root in root_by_id.items() if _is_walked(hidden[n], {root}) and os.path.lexists(root)}
    return hidden.keys() - left_alone, left_alone


def _is_walked(path: str, roots: Set[str]) -> bool:
    """Whether a directory walk of one of these folders reaches a path."""
    if find_system_folder(path, root="/") is None:
        return True
    return any(lies_below(path, root) and find_system_folder(path, root=root) is None for root in roots)


def _iter_present(session: Session, request: IngestRequest) -> Iterator[PresentFile]:
    """Yields each present file that the index has for the request once.

    These are the files below the named folders in which an image was seen, and those at the paths of the other files.
    """
    folders = sorted({candidate.root for candidate in request.candidates} & set(list_outermost_folders(request.paths)))
    for folder in folders:
        yield from images.iter_present_under(session, folder)
    walked = tuple(f"{folder.rstrip('/')}/" for folder in folders)
    others = (candidate.path for candidate in request.candidates if candidate.root not in folders)
    yield from images.iter_present(session, [path for path in others if not path.startswith(walked)])


def _is_changed(present: PresentFile, candidate: Candidate) -> bool:
    """Whether a known file must be opened because its size or time differs."""
    return present.mtime_ns != clamped_mtime(candidate.mtime_ns) or present.size_bytes != candidate.size_bytes


class _RereadRule:
    """Which files a person wants opened again although their size and time are unchanged.

    These are files that could not be used or removed, files that were named one by one, and files whose status changed
    (`st_ctime`) since they were read. The last were moved or linked, or written to and given their old time.
    """

    def __init__(self, session: Session, request: IngestRequest) -> None:
        self._folders = set(list_outermost_folders(request.paths))
        self._failed = removals.list_failed(session)
        self._starts_s = {run_id: at.timestamp() for run_id, at in runs.list_starts(session).items()}

    def applies_to(self, present: PresentFile, candidate: Candidate) -> bool:
        """Whether a file must be opened again."""
        if not present.ready or present.id in self._failed or candidate.root not in self._folders:
            return True
        return ctime_s(candidate.path) >= self._starts_s[present.run_id]


def ctime_s(path: str) -> float:
    """When the status of a file last changed, in seconds since 1970; 0.0 for a file that is gone."""
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return 0.0
