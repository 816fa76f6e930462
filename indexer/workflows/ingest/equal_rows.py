"""The rows of one content, and which of them may be the row of a file found with that content.

It promises that a row is looked at on the disk once in an ingest and not once for each file of the same bytes: a camera
without a signal may send one picture for a year. It holds what was so when a content was first looked up, so whoever
takes another camera over meanwhile must `clear` it. It writes nothing.
"""

import heapq
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from indexer.domain.images import ImageState
from indexer.domain.names import clamped_mtime
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.store import images
from indexer.store.database import Session
from indexer.store.images import KnownFile

_CACHE_ABOVE_ROWS = 16
"""Rows of a content that are kept for the next batch; to look up fewer again costs less than to remember them."""


@dataclass
class EqualRows:
    """The rows of one content that lie away or nowhere; `number` of all, `ready` those that are ready."""

    count: int = 0
    ready_count: int = 0
    _rows: dict[int, KnownFile] = field(default_factory=dict)
    _absent_by_path: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _unplaced: dict[tuple[str, str | None], list[int]] = field(default_factory=lambda: defaultdict(list))
    """By camera and, if nobody can tell while it cannot be seen, the folder that it was found in; each a heap."""
    _taken_ids: set[int] = field(default_factory=set)

    def add(self, row: KnownFile, *, is_gone: bool) -> None:
        """Adds a row; `is_gone`: nobody saw it where it was."""
        self.count += 1
        self.ready_count += row.state is ImageState.READY
        if row.state in {ImageState.MISSING, ImageState.REMOVED}:
            self._absent_by_path[row.path].append(row.id)
        elif not is_gone and _is_still_at_path(row):
            return
        self._rows[row.id] = row
        # The bytes of a removed image lie in quarantine.
        if row.state is not ImageState.REMOVED:
            is_certain = is_gone or row.state is ImageState.MISSING
            heapq.heappush(self._unplaced[row.naming.camera, None if is_certain else row.root], row.id)

    def mark_replaced(self, row: KnownFile) -> None:
        """Notes that other bytes were found at the path of a row."""
        if row.id not in self._taken_ids:
            self.count -= 1
            self.ready_count -= row.state is ImageState.READY
            self.add(replace(row, state=ImageState.MISSING), is_gone=True)

    def take_same_path(self, path: str) -> KnownFile | None:
        """The oldest row that was away from this very path."""
        row_ids = [row_id for row_id in self._absent_by_path.get(path, ()) if row_id in self._rows]
        return self._take(min(row_ids)) if row_ids else None

    def take_unplaced(self, camera: str) -> KnownFile | None:
        """The oldest row whose bytes lie nowhere any more, so that they may be what was found in a place of a camera.

        Where the folder of another camera cannot be seen, as its disk is away or another host's, nobody can tell: two
        cameras may well have taken the same black frame.
        """
        oldest_ids = [heap[0] for heap in self._unplaced_heaps(camera)]
        return self._take(min(oldest_ids)) if oldest_ids else None

    def owner_cameras(self, *, paths: Set[str], cameras: Set[str]) -> set[str]:
        """The cameras of the rows that files found at these paths, in places of these cameras, may take over."""
        absent_ids = {row_id for path in paths & self._absent_by_path.keys() for row_id in self._absent_by_path[path]}
        owners = {self._rows[row_id].naming.camera for row_id in absent_ids & self._rows.keys()}
        oldest_ids = {heap[0] for camera in cameras for heap in self._unplaced_heaps(camera)}
        return owners | {self._rows[row_id].naming.camera for row_id in oldest_ids}

    def _unplaced_heaps(self, camera: str) -> list[list[int]]:
        """The heaps, none of them empty, whose first row a file of this camera may take over."""
        heaps = []
        for (owner_camera, root), heap in self._unplaced.items():
            while heap and heap[0] not in self._rows:
                heapq.heappop(heap)
            if heap and (root is None or owner_camera == camera or os.path.isdir(root)):
                heaps.append(heap)
        return heaps

    def _take(self, row_id: int) -> KnownFile:
        self._taken_ids.add(row_id)
        return self._rows.pop(row_id)


class EqualRowsCache:
    """The rows of every content that an ingest comes by."""

    def __init__(self, gone: Mapping[int, str]) -> None:
        self._gone = gone  # paths by image: one that moved meanwhile lies at another
        self._cached: dict[str, EqualRows] = {}

    def look_up(self, session: Session, hashes: Set[str]) -> dict[str, EqualRows]:
        """The rows of each of these contents, as they are, or as they were left by what was taken from them."""
        rows_by_hash = {content_hash: EqualRows() for content_hash in hashes - self._cached.keys()}
        for row in images.list_by_hash(session, sorted(rows_by_hash)):
            rows_by_hash[row.content_hash].add(row, is_gone=self._gone.get(row.id) == row.path)
        self._cached |= {
            content_hash: rows for content_hash, rows in rows_by_hash.items() if rows.count > _CACHE_ABOVE_ROWS
        }
        return rows_by_hash | {
            content_hash: self._cached[content_hash] for content_hash in hashes & self._cached.keys()
        }

    def mark_replaced(self, row: KnownFile) -> None:
        """Notes that other bytes were found at the path of a row."""
        if row.content_hash in self._cached:
            self._cached[row.content_hash].mark_replaced(row)

    def clear(self, hashes: Sequence[str] | None = None) -> None:
        """Forgets what was so, of these contents or of all, as somebody may have changed it."""
        for content_hash in list(self._cached) if hashes is None else hashes:
            self._cached.pop(content_hash, None)


def _is_still_at_path(row: KnownFile) -> bool:
    """Whether a row's bytes are still at its path: names may have been swapped, and that path be looked at later."""
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
