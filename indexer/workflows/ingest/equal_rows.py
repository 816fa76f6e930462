"""The rows of one content, and which of them a file with that content may take over.

It promises that an ingest looks at a row's file on disk once, and not once for each file with the same bytes: a camera
without a signal may send one picture for a year. It keeps the state from the first lookup of a content, so whoever
claims another camera meanwhile must call `clear`. It writes nothing.
"""

import heapq
import itertools
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from indexer.domain.images import ImageState
from indexer.domain.names import USER_SOURCES, clamped_mtime
from indexer.files.quarantine import was_taken_out
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.store import images, removals
from indexer.store.database import Session
from indexer.store.images import KnownFile

_CACHE_ABOVE_ROWS = 16
"""A content with more rows than this is cached for the next batch; for fewer rows a new query costs less."""


class _Owner(NamedTuple):
    """Whose rows a heap holds: a camera and a folder. `is_by_person`: a person said the camera."""

    camera: str
    root: str | None
    is_by_person: bool


@dataclass
class EqualRows:
    """The rows of one content; `count`: of all, `ready_count`: of the ready ones.

    Only rows whose file is missing from its path can be taken out.
    """

    count: int = 0
    ready_count: int = 0
    _rows: dict[int, KnownFile] = field(default_factory=dict)
    _absent_by_path: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _unplaced: dict[_Owner, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Heaps of row ids, by camera and folder.

    The folder is None if the bytes are certainly gone. Otherwise it is the root of the row: while that folder cannot be
    seen, nobody can tell.
    """
    _by_mtime: dict[int, dict[_Owner, list[int]]] = field(default_factory=dict)
    """The same for images whose camera a person said, by modification time in nanoseconds."""
    _taken_ids: set[int] = field(default_factory=set)
    _taken_out: dict[int, KnownFile] = field(default_factory=dict)
    """The removed images whose file a person moved out of its quarantine."""

    def add(self, row: KnownFile, *, is_gone: bool) -> None:
        """Adds a row; `is_gone`: the ingest did not see its file at its path; of a removed image: nor in quarantine."""
        self.count += 1
        self.ready_count += row.state is ImageState.READY
        if row.state in {ImageState.MISSING, ImageState.REMOVED}:
            self._absent_by_path[row.path].append(row.id)
        elif not is_gone and is_still_at_path(row):
            return
        self._rows[row.id] = row
        if row.state is ImageState.REMOVED and is_gone:
            self._taken_out[row.id] = row
        # The bytes of a removed image are in quarantine, unless a person moved them out.
        if row.state is not ImageState.REMOVED or is_gone:
            is_certain = is_gone or row.state is ImageState.MISSING
            root = None if is_certain else row.root
            owner = _Owner(row.naming.camera, root, row.naming.camera_source in USER_SOURCES)
            heapq.heappush(self._unplaced[owner], row.id)
            if owner.is_by_person:
                heapq.heappush(self._by_mtime.setdefault(row.mtime_ns, {}).setdefault(owner, []), row.id)

    def mark_replaced(self, row: KnownFile) -> None:
        """Notes that the path of a row now has other bytes."""
        if row.id not in self._taken_ids:
            self.count -= 1
            self.ready_count -= row.state is ImageState.READY
            self.add(replace(row, state=ImageState.MISSING), is_gone=True)

    def take_same_path(self, path: str) -> KnownFile | None:
        """Takes out the oldest row whose file was missing from this path; None if there is none."""
        row_ids = [row_id for row_id in self._absent_by_path.get(path, ()) if row_id in self._rows]
        return self._take(min(row_ids)) if row_ids else None

    def take_unplaced(self, camera: str, *, mtime_ns: int | None = None) -> KnownFile | None:
        """Takes out the oldest row whose bytes are at no path any more; a file of `camera` may be that image.

        If the folder of another camera cannot be seen, because its disk is away or belongs to another host, nobody can
        tell: two cameras may well have taken the same black frame. So the row of another camera that a person said is
        taken only by a file with its modification time `mtime_ns`: that one moved.
        """
        oldest_ids = [
            heap[0] for heap in self._unplaced_heaps(camera, mtimes_ns=set() if mtime_ns is None else {mtime_ns})
        ]
        return self._take(min(oldest_ids)) if oldest_ids else None

    def take_taken_out(self) -> KnownFile | None:
        """Takes out the oldest row of a removed file that is in its quarantine no more; None if there is none."""
        row_ids = self._taken_out.keys() & self._rows.keys()
        return self._take(min(row_ids)) if row_ids else None

    def owner_cameras(self, *, paths: Set[str], cameras: Set[str], mtimes_ns: Set[int] = frozenset()) -> set[str]:
        """The cameras of the rows that files at these paths, of these cameras and times, may take over."""
        absent_ids = {row_id for path in paths & self._absent_by_path.keys() for row_id in self._absent_by_path[path]}
        owners = {self._rows[row_id].naming.camera for row_id in absent_ids & self._rows.keys()}
        oldest_ids = {heap[0] for camera in cameras for heap in self._unplaced_heaps(camera, mtimes_ns=mtimes_ns)}
        return owners | {self._rows[row_id].naming.camera for row_id in oldest_ids}

    def _unplaced_heaps(self, camera: str, *, mtimes_ns: Set[int]) -> list[list[int]]:
        """The non-empty heaps whose first row a file of this camera, with one of these times, may take over."""
        heaps = []
        usable = (one for one in self._unplaced.items() if one[0].camera == camera or not one[0].is_by_person)
        moved = (one for mtime_ns in mtimes_ns for one in self._by_mtime.get(mtime_ns, {}).items())
        for owner, heap in itertools.chain(usable, moved):
            while heap and heap[0] not in self._rows:
                heapq.heappop(heap)
            if heap and (owner.root is None or owner.camera == camera or os.path.isdir(owner.root)):
                heaps.append(heap)
        return heaps

    def _take(self, row_id: int) -> KnownFile:
        self._taken_ids.add(row_id)
        return self._rows.pop(row_id)


class EqualRowsCache:
    """The rows of every content that an ingest meets."""

    def __init__(self, gone: Mapping[int, str]) -> None:
        self._gone = gone  # paths by image id: a row that moved meanwhile has another path
        self._cached: dict[str, EqualRows] = {}

    def look_up(self, session: Session, hashes: Set[str]) -> dict[str, EqualRows]:
        """The rows of each of these contents, fresh or from the cache without the rows that were taken out."""
        rows_by_hash = {content_hash: EqualRows() for content_hash in hashes - self._cached.keys()}
        rows = images.list_by_hash(session, sorted(rows_by_hash))
        taken_out_ids = _list_taken_out(session, [row.id for row in rows if row.state is ImageState.REMOVED])
        for row in rows:
            is_gone = row.id in taken_out_ids or self._gone.get(row.id) == row.path
            rows_by_hash[row.content_hash].add(row, is_gone=is_gone)
        self._cached |= {
            content_hash: rows for content_hash, rows in rows_by_hash.items() if rows.count > _CACHE_ABOVE_ROWS
        }
        return rows_by_hash | {
            content_hash: self._cached[content_hash] for content_hash in hashes & self._cached.keys()
        }

    def mark_replaced(self, row: KnownFile) -> None:
        """Notes that the path of a row now has other bytes."""
        if row.content_hash in self._cached:
            self._cached[row.content_hash].mark_replaced(row)

    def clear(self, hashes: Sequence[str] | None = None) -> None:
        """Forgets these contents, or all: another command may have changed their rows."""
        for content_hash in list(self._cached) if hashes is None else hashes:
            self._cached.pop(content_hash, None)


def _list_taken_out(session: Session, removed_ids: Sequence[int]) -> set[int]:
    """Those of these removed images whose file a person moved out of its quarantine."""
    paths = removals.list_quarantine_paths(session, removed_ids)
    return {image_id for image_id, path in paths.items() if was_taken_out(path)}


def is_still_at_path(row: KnownFile) -> bool:
    """Whether a row's bytes are still at its path.

    Names may have been swapped, and the ingest may reach that path later.
    """
    try:
        status = os.lstat(row.path)
    except OSError:
        return False
    if (status.st_size, clamped_mtime(status.st_mtime_ns)) == (row.size_bytes, row.mtime_ns):
        return True
    try:
        verify(row.path, expected=ContentDigest(row.size_bytes, row.content_hash))
    except MismatchError:
        return False
    return True
