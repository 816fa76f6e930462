"""Which cameras an ingest writes to, where other commands may be at work on the same index.

It promises that nothing is written to a camera that is not this command's, and that what is to be done to one was
looked up after it was taken. Files of cameras that are others' are left alone and named. A command that has the whole
index, as on SQLite, claims nothing and pays nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

from indexer.domain.names import Naming
from indexer.domain.renaming import naming_with_options
from indexer.files.walking import Candidate
from indexer.imaging.file_description import Description
from indexer.store import images
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.locks.writer_lock import WriteLock
from indexer.workflows.ingest.discovery import Found
from indexer.workflows.ingest.equal_rows import Contents
from indexer.workflows.ingest.index_diff import News, SortedOut, sort_out

Seen = tuple[News, Description]
"""A file that was opened, and what it is."""


class Claim:
    """What one ingest may write to; `held` says who is at work on the cameras that it left alone."""

    def __init__(self, right: WriteLock, found: Found) -> None:
        self._right = right
        self._found = found
        self._asked: set[str] = set()
        self.held: dict[str, str] = {}

    def sort_out(self, database: Database) -> tuple[SortedOut, list[Candidate]]:
        """What is to be done to cameras that are this command's, and the files that are left alone."""
        while True:
            sorted_out = sort_out(database, self._found)
            if self._right.exclusive:
                return sorted_out, []
            touched = _Touched(database, self._found, sorted_out)
            new = touched.cameras - self._asked
            if not new:
                return touched.without(self.held.keys())
            for camera in sorted(new):
                self._is_others(camera)  # and look again: others may have written until now

    def ours(self, session: Session, batch: list[Seen], *, contents: Contents) -> tuple[list[Seen], list[Candidate]]:
        """Those of described files that change no row of a camera of others, and the rest, which are left alone.

        Bytes that lie nowhere any more give their row to a file of the same bytes, whatever its camera was.
        """
        if self._right.exclusive:
            return batch, []
        there = self._known(session, [seen.path for _, seen in batch], contents=contents)
        not_ours = self._not_ours(session, batch, contents=contents)
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
        after = naming_with_options(known, asked)
        cameras = {known.camera, after.camera} if after != known else set[str]()
        return self._right.exclusive or not any(self._is_others(camera) for camera in sorted(cameras))

    def _known(self, session: Session, paths: Sequence[str], *, contents: Contents) -> dict[str, KnownFile | None]:
        """What the index has at paths now: others may have written since they were looked up, until it was taken."""
        while True:
            there = images.list_known(session, paths)
            if not self._take({known.naming.camera for known in there.values()}, contents=contents):
                return {path: there.get(path) for path in paths}

    def _not_ours(self, session: Session, batch: list[Seen], *, contents: Contents) -> set[str | None]:
        """The contents of which a row is others' that one of these files may take over."""
        cameras, paths = defaultdict[str, set[str]](set), {seen.path for _, seen in batch}
        for (candidate, _), seen in batch:
            if seen.content_hash is not None:
                cameras[seen.content_hash].add(self._found.naming(candidate).camera)
        while True:
            owners = {
                content_hash: rows.owners(paths=paths, cameras=cameras[content_hash])
                for content_hash, rows in contents.look_up(session, cameras.keys()).items()
            }
            if not self._take(set().union(*owners.values()), contents=contents):
                return {content_hash for content_hash, names in owners.items() if names & self.held.keys()}

    def _take(self, cameras: set[str], *, contents: Contents) -> bool:
        """Takes cameras; whether any was not asked for before, so that others may have written until now."""
        new = cameras - self._asked
        for camera in sorted(new):
            self._is_others(camera)
        if new:
            contents.clear()
        return bool(new)

    def _is_others(self, camera: str) -> bool:
        """Whether another command is at work on a camera; if none was when it was first asked, it is ours."""
        if camera not in self._asked:
            self._asked.add(camera)
            holder = self._right.acquire(camera)
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
        return SortedOut(kept, mine, gone, whole.unwalked & gone.keys()), left


def _renamed(session: Session, found: Found, unchanged: Sequence[Candidate]) -> Iterator[tuple[str, set[str]]]:
    """The cameras, old and new, of each file that a person gives another name, by path."""
    if found.camera is None and found.pattern is None:
        return
    known = images.list_known(session, [candidate.path for candidate in unchanged])
    for candidate in unchanged:
        if candidate.path in known:  # others may have written meanwhile
            before = known[candidate.path].naming
            after = naming_with_options(before, found.naming(candidate))
            yield candidate.path, {before.camera, after.camera} if after != before else set()
