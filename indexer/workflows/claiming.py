"""Which cameras an ingest writes to, where other commands may be at work on the same index.

It promises that nothing is written to a camera that is not this command's, and that what is to be done to one was
looked up after it was taken. Files of cameras that are others' are left alone and named. A command that has the whole
index, as on SQLite, claims nothing and pays nothing.
"""

from collections.abc import Iterator, Sequence, Set

from indexer.domain.names import Naming
from indexer.domain.renaming import renamed
from indexer.files.walking import Candidate
from indexer.pixels.describing import Description
from indexer.store import images
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.locking import Right
from indexer.workflows.arriving import is_loose
from indexer.workflows.looking import Found
from indexer.workflows.sorting import News, SortedOut, sort_out

Seen = tuple[News, Description]
"""A file that was opened, and what it is."""


class Claim:
    """What one ingest may write to; `held` says who is at work on the cameras that it left alone."""

    def __init__(self, right: Right, found: Found) -> None:
        self._right = right
        self._found = found
        self._asked: set[str] = set()
        self.held: dict[str, str] = {}

    def sort_out(self, database: Database) -> tuple[SortedOut, list[Candidate]]:
        """What is to be done to cameras that are this command's, and the files that are left alone."""
        while True:
            sorted_out = sort_out(database, self._found)
            if self._right.whole:
                return sorted_out, []
            touched = _Touched(database, self._found, sorted_out)
            new = touched.cameras - self._asked
            if not new:
                return touched.without(self.held.keys())
            for camera in sorted(new):
                self._is_others(camera)  # and look again: others may have written until now

    def ours(self, session: Session, batch: list[Seen], *, gone: Set[int]) -> tuple[list[Seen], list[Candidate]]:
        """Those of described files that change no row of a camera of others, and the rest, which are left alone.

        Bytes that lie nowhere any more give their row to a file of the same bytes, whatever its camera was.
        """
        if self._right.whole:
            return batch, []
        there = self._known(session, [seen.path for _, seen in batch])
        cameras = dict[str, set[str]]()
        for (candidate, _), seen in batch:
            cameras.setdefault(seen.content_hash or "", set()).add(self._found.naming(candidate).camera)
        not_ours = {
            row.content_hash
            for row in images.list_by_hash(session, sorted(cameras))
            if row.path in there or any(is_loose(row, camera=one, gone=gone) for one in cameras[row.content_hash])
            if self._is_others(row.naming.camera)
        }
        ours: list[Seen] = []
        left: list[Candidate] = []
        for (candidate, _), seen in batch:
            known = there[seen.path]
            if seen.content_hash in not_ours or (known is not None and self._is_others(known.naming.camera)):
                left.append(candidate)
            else:
                ours.append(((candidate, known), seen))
        return ours, left

    def may_rename(self, known: Naming, asked: Naming) -> bool:
        """Whether a known file may be given the name that a person says, as neither camera is others'."""
        after = renamed(known, asked)
        cameras = {known.camera, after.camera} if after != known else set[str]()
        return self._right.whole or not any(self._is_others(camera) for camera in sorted(cameras))

    def _known(self, session: Session, paths: Sequence[str]) -> dict[str, KnownFile | None]:
        """What the index has at paths now: others may have written since they were looked up, until it was taken."""
        while True:
            there = images.list_known(session, paths)
            new = {known.naming.camera for known in there.values()} - self._asked
            if not new:
                return {path: there.get(path) for path in paths}
            for camera in sorted(new):
                self._is_others(camera)

    def _is_others(self, camera: str) -> bool:
        """Whether another command is at work on a camera; if none was when it was first asked, it is ours."""
        if camera not in self._asked:
            self._asked.add(camera)
            holder = self._right.take(camera)
            if holder is not None:
                self.held[camera] = holder
        return camera in self.held


class _Touched:
    """The cameras that each part of what was sorted out would change."""

    def __init__(self, database: Database, found: Found, sorted_out: SortedOut) -> None:
        self._sorted_out = sorted_out
        self._news = [
            {found.naming(candidate).camera} | (set() if known is None else {known.naming.camera})
            for candidate, known in sorted_out.news
        ]
        with database.read() as session:
            self._gone = images.list_camera_names(session, list(sorted_out.gone))
            self._renamed = dict(_renamed(session, found, sorted_out.unchanged))

    @property
    def cameras(self) -> set[str]:
        """All of them."""
        return set().union(*self._news, self._gone.values(), *self._renamed.values())

    def without(self, held: Set[str]) -> tuple[SortedOut, list[Candidate]]:
        """What changes none of these cameras, and the files that would; an image that nobody saw is no file."""
        whole = self._sorted_out
        mine = [news for news, cameras in zip(whole.news, self._news, strict=True) if not cameras & held]
        left = [news[0] for news, cameras in zip(whole.news, self._news, strict=True) if cameras & held]
        kept = [one for one in whole.unchanged if not self._renamed.get(one.path, set()) & held]
        left += [one for one in whole.unchanged if self._renamed.get(one.path, set()) & held]
        gone = {number: path for number, path in whole.gone.items() if self._gone[number] not in held}
        return SortedOut(kept, mine, gone), left


def _renamed(session: Session, found: Found, unchanged: Sequence[Candidate]) -> Iterator[tuple[str, set[str]]]:
    """The cameras, old and new, of each file that a person gives another name, by path."""
    if found.camera is None and found.pattern is None:
        return
    known = images.list_known(session, [candidate.path for candidate in unchanged])
    for candidate in unchanged:
        if candidate.path in known:  # others may have written meanwhile
            before = known[candidate.path].naming
            after = renamed(before, found.naming(candidate))
            yield candidate.path, {before.camera, after.camera} if after != before else set()
