"""Which cameras an ingest may write to while other commands work on the same index.

It promises two things. Nothing is written to a camera that another command has locked. What is to be done to a camera
is looked up after the camera was locked. Files of cameras that others have locked are left alone and reported. A
command that has locked the whole index, as on SQLite, locks no single camera and has no extra cost.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

from indexer.domain.descriptions import FileDescription
from indexer.domain.names import Naming
from indexer.domain.renaming import naming_by_rule
from indexer.files.walking import Candidate
from indexer.store import images
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.locks.writer_lock import WriteLock
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.equal_rows import EqualRowsCache
from indexer.workflows.ingest.index_diff import FileToRead, IndexDiff, diff_with_index
from indexer.workflows.ingest.name_plan import NamePlan, plan_names

DescribedFile = tuple[FileToRead, FileDescription]
"""A file that was opened, with its description."""


class CameraClaims:
    """The cameras that one ingest has locked; `locked_cameras`: who works on those that it left alone, by camera.

    `request`: with the names of the files, after `diff`. `plan`: what was found when they were named, and `held_files`:
    those of cameras that are held back.
    """

    def __init__(self, write_lock: WriteLock, request: IngestRequest) -> None:
        self._write_lock = write_lock
        self.request = request
        self.plan = NamePlan()
        self.held_files: list[Candidate] = []
        self._tried_cameras: set[str] = set()
        self.locked_cameras: dict[str, str] = {}

    def diff(self, database: Database) -> tuple[IndexDiff, list[Candidate]]:
        """The difference from the index for cameras that this command may write to, and the files left alone."""
        while True:
            diff = diff_with_index(database, self.request)
            self.request, diff, self.plan, self.held_files = plan_names(database, self.request, diff)
            if self._write_lock.exclusive:
                return diff, []
            affected = _AffectedCameras(database, self.request, diff)
            new = affected.cameras - self._tried_cameras
            if not new:
                return affected.without(self.locked_cameras.keys())
            for camera in sorted(new):
                self._is_locked_by_other(camera)  # repeat: others may have written until the lock was taken

    def split_writable(
        self, session: Session, batch: list[DescribedFile], *, row_cache: EqualRowsCache
    ) -> tuple[list[DescribedFile], list[Candidate]]:
        """The described files that change no row of a camera locked by others, and the files that are left alone.

        When the bytes of a row are at no path any more, a file with the same bytes takes that row over, whatever camera
        the row has.
        """
        if self._write_lock.exclusive:
            return batch, []
        known_by_path = self._list_known(session, [description.path for _, description in batch], row_cache=row_cache)
        locked_hashes = self._list_locked_hashes(session, batch, row_cache=row_cache)
        writable: list[DescribedFile] = []
        left_alone: list[Candidate] = []
        for (candidate, _), description in batch:
            known = known_by_path[description.path]
            if description.content_hash in locked_hashes or (
                known is not None and self._is_locked_by_other(known.naming.camera)
            ):
                left_alone.append(candidate)
            else:
                writable.append(((candidate, known), description))
        return writable, left_alone

    def may_rename(self, known: Naming, requested: Naming) -> bool:
        """Whether a known file may get the requested name: neither its old nor its new camera is locked by others."""
        after = rename(known, requested, self.request)
        cameras = {known.camera, after.camera} if after != known else set[str]()
        return self._write_lock.exclusive or not any(self._is_locked_by_other(camera) for camera in sorted(cameras))

    def _list_known(
        self, session: Session, paths: Sequence[str], *, row_cache: EqualRowsCache
    ) -> dict[str, KnownFile | None]:
        """What the index has at these paths now. Others may have written between the first lookup and the lock."""
        while True:
            known_by_path = images.list_known(session, paths)
            if not self._claim_cameras({known.naming.camera for known in known_by_path.values()}, row_cache=row_cache):
                return {path: known_by_path.get(path) for path in paths}

    def _list_locked_hashes(
        self, session: Session, batch: list[DescribedFile], *, row_cache: EqualRowsCache
    ) -> set[str | None]:
        """The contents with a row in a camera locked by others that one of these files may take over."""
        cameras, paths = defaultdict[str, set[str]](set), {description.path for _, description in batch}
        mtimes_ns = {description.mtime_ns for _, description in batch if description.mtime_ns is not None}
        for (candidate, _), description in batch:
            if description.content_hash is not None:
                cameras[description.content_hash].add(self.request.naming(candidate).camera)
        while True:
            owners = {
                content_hash: rows.owner_cameras(paths=paths, cameras=cameras[content_hash], mtimes_ns=mtimes_ns)
                for content_hash, rows in row_cache.look_up(session, cameras.keys()).items()
            }
            if not self._claim_cameras(set().union(*owners.values()), row_cache=row_cache):
                return {content_hash for content_hash, names in owners.items() if names & self.locked_cameras.keys()}

    def _claim_cameras(self, cameras: set[str], *, row_cache: EqualRowsCache) -> bool:
        """Locks cameras. Whether any of them was not tried before, so that others may have written to it until now."""
        new = cameras - self._tried_cameras
        for camera in sorted(new):
            self._is_locked_by_other(camera)
        if new:
            row_cache.clear()
        return bool(new)

    def _is_locked_by_other(self, camera: str) -> bool:
        """Whether another command has locked a camera. At the first call, a free camera is locked for this command."""
        if camera not in self._tried_cameras:
            self._tried_cameras.add(camera)
            holder = self._write_lock.acquire(camera)
            if holder is not None:
                self.locked_cameras[camera] = holder
        return camera in self.locked_cameras


class _AffectedCameras:
    """The cameras that each part of an index diff would change."""

    def __init__(self, database: Database, request: IngestRequest, diff: IndexDiff) -> None:
        self._diff = diff
        self._cameras_of_files = [
            {request.naming(candidate).camera} | (set() if known is None else {known.naming.camera})
            for candidate, known in diff.files_to_read
        ]
        with database.read() as session:
            self._camera_of_gone = images.list_camera_names(session, list(diff.gone))
            self._cameras_of_renamed = dict(_iter_renamed_cameras(session, request, diff.unchanged))

    @property
    def cameras(self) -> set[str]:
        """All affected cameras."""
        return set().union(*self._cameras_of_files, self._camera_of_gone.values(), *self._cameras_of_renamed.values())

    def without(self, locked_cameras: Set[str]) -> tuple[IndexDiff, list[Candidate]]:
        """The part of the diff that changes none of these cameras, and the files of the rest.

        Missing images of the rest are dropped: they have no file.
        """
        diff = self._diff
        files_to_read = [
            file
            for file, cameras in zip(diff.files_to_read, self._cameras_of_files, strict=True)
            if not cameras & locked_cameras
        ]
        left_alone = [
            file[0]
            for file, cameras in zip(diff.files_to_read, self._cameras_of_files, strict=True)
            if cameras & locked_cameras
        ]
        unchanged = [
            candidate
            for candidate in diff.unchanged
            if not self._cameras_of_renamed.get(candidate.path, set()) & locked_cameras
        ]
        left_alone += [
            candidate
            for candidate in diff.unchanged
            if self._cameras_of_renamed.get(candidate.path, set()) & locked_cameras
        ]
        gone = {
            image_id: path
            for image_id, path in diff.gone.items()
            if self._camera_of_gone[image_id] not in locked_cameras
        }
        return IndexDiff(unchanged, files_to_read, gone, diff.unwalked & gone.keys()), left_alone


def _iter_renamed_cameras(
    session: Session, request: IngestRequest, unchanged: Sequence[Candidate]
) -> Iterator[tuple[str, set[str]]]:
    """The old and the new camera of each file that the request renames, by path."""
    if not request.options:
        return
    known = images.list_known(session, [candidate.path for candidate in unchanged])
    for candidate in unchanged:
        if candidate.path in known:  # others may have written meanwhile
            before = known[candidate.path].naming
            after = rename(before, request.naming(candidate), request)
            yield candidate.path, {before.camera, after.camera} if after != before else set()


def rename(known: Naming, read: Naming, request: IngestRequest) -> Naming:
    """The naming of a known file after an ingest with the options of this request."""
    options = request.options
    return naming_by_rule(
        known,
        read,
        is_new_rules=options.is_new_rules,
        is_new_zone=options.timezone is not None,
        forgets_rules=options.forgets_rules,
    )
