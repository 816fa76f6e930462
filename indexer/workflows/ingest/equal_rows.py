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

_MANY = 16
"""Rows of a content that are kept for the next batch; to look up fewer again costs less than to remember them."""


@dataclass
class EqualRows:
    """The rows of one content that lie away or nowhere; `number` of all, `ready` those that are ready."""

    number: int = 0
    ready: int = 0
    _rows: dict[int, KnownFile] = field(default_factory=dict)
    _away: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _nowhere: dict[tuple[str, str | None], list[int]] = field(default_factory=lambda: defaultdict(list))
    """By camera and, if nobody can tell while it cannot be seen, the folder that it was found in; each a heap."""
    _taken: set[int] = field(default_factory=set)

    def add(self, row: KnownFile, *, is_gone: bool) -> None:
        """Adds a row; `is_gone`: nobody saw it where it was."""
        self.number += 1
        self.ready += row.state is ImageState.READY
        if row.state in {ImageState.MISSING, ImageState.REMOVED}:
            self._away[row.path].append(row.id)
        elif not is_gone and _is_there(row):
            return
        self._rows[row.id] = row
        # The bytes of a removed image lie in quarantine.
        if row.state is not ImageState.REMOVED:
            surely = is_gone or row.state is ImageState.MISSING
            heapq.heappush(self._nowhere[row.naming.camera, None if surely else row.root], row.id)

    def displace(self, row: KnownFile) -> None:
        """Notes that other bytes were found at the path of a row."""
        if row.id not in self._taken:
            self.number -= 1
            self.ready -= row.state is ImageState.READY
            self.add(replace(row, state=ImageState.MISSING), is_gone=True)

    def take_own(self, path: str) -> KnownFile | None:
        """The oldest row that was away from this very path."""
        waiting = [number for number in self._away.get(path, ()) if number in self._rows]
        return self._take(min(waiting)) if waiting else None

    def take_loose(self, camera: str) -> KnownFile | None:
        """The oldest row whose bytes lie nowhere any more, so that they may be what was found in a place of a camera.

        Where the folder of another camera cannot be seen, as its disk is away or another host's, nobody can tell: two
        cameras may well have taken the same black frame.
        """
        heads = [heap[0] for heap in self._loose(camera)]
        return self._take(min(heads)) if heads else None

    def owners(self, *, paths: Set[str], cameras: Set[str]) -> set[str]:
        """The cameras of the rows that files found at these paths, in places of these cameras, may take over."""
        away = {number for path in paths & self._away.keys() for number in self._away[path]}
        owners = {self._rows[number].naming.camera for number in away & self._rows.keys()}
        heads = {heap[0] for camera in cameras for heap in self._loose(camera)}
        return owners | {self._rows[number].naming.camera for number in heads}

    def _loose(self, camera: str) -> list[list[int]]:
        """The heaps, none of them empty, whose first row a file of this camera may take over."""
        found = []
        for (owner, root), heap in self._nowhere.items():
            while heap and heap[0] not in self._rows:
                heapq.heappop(heap)
            if heap and (root is None or owner == camera or os.path.isdir(root)):
                found.append(heap)
        return found

    def _take(self, number: int) -> KnownFile:
        self._taken.add(number)
        return self._rows.pop(number)


class Contents:
    """The rows of every content that an ingest comes by."""

    def __init__(self, gone: Mapping[int, str]) -> None:
        self._gone = gone  # paths by image: one that moved meanwhile lies at another
        self._many: dict[str, EqualRows] = {}

    def look_up(self, session: Session, hashes: Set[str]) -> dict[str, EqualRows]:
        """The rows of each of these contents, as they are, or as they were left by what was taken from them."""
        found = {content_hash: EqualRows() for content_hash in hashes - self._many.keys()}
        for row in images.list_by_hash(session, sorted(found)):
            found[row.content_hash].add(row, is_gone=self._gone.get(row.id) == row.path)
        self._many |= {content_hash: rows for content_hash, rows in found.items() if rows.number > _MANY}
        return found | {content_hash: self._many[content_hash] for content_hash in hashes & self._many.keys()}

    def displace(self, row: KnownFile) -> None:
        """Notes that other bytes were found at the path of a row."""
        if row.content_hash in self._many:
            self._many[row.content_hash].displace(row)

    def clear(self, hashes: Sequence[str] | None = None) -> None:
        """Forgets what was so, of these contents or of all, as somebody may have changed it."""
        for content_hash in list(self._many) if hashes is None else hashes:
            self._many.pop(content_hash, None)


def _is_there(row: KnownFile) -> bool:
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
