"""forget: delete all that the index has about the images and videos of a folder or a camera; the files stay.

It promises that nothing is forgotten that is still needed: by a file in quarantine to come back, or by the index to
know what stands for another removed image. If a file is gone with its quarantine and its keeper, a person is asked, and
it is forgotten. The records beside the images stay. So an image that stands for a removed one is still protected from
every index, this one included. In SQLite, the bytes of thumbnails and previews are removed from the file of the index.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from indexer.domain.plurals import counted
from indexer.errors import DatabaseError, FolderError, UsageError
from indexer.escaping import command_line, printable
from indexer.files.lost_files import is_lost
from indexer.files.quarantine import is_quarantine_missing, was_taken_out
from indexer.files.verification import ContentDigest, MismatchError, verify
from indexer.store import cameras, forgetting, space
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope, ForgottenRows, OpenRemoval
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run
from indexer.workflows.witnesses import record_legacy_removals


@dataclass(frozen=True)
class ForgetPlan:
    """The rows about the images of a folder or a camera.

    `gone`: how many removed files of them are not there any more, nor their keepers.
    """

    folder: str | None
    camera: str | None
    rows: ForgottenRows
    gone: int = 0


@dataclass(frozen=True)
class ForgetReport:
    """The rows that were deleted; `size_bytes` is the size of the index before and after."""

    folder: str | None
    camera: str | None
    rows: ForgottenRows
    size_bytes: tuple[int, int]

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return asdict(self.rows)


def parse_scope(folder: str | None, *, camera: str | None) -> ForgetScope:
    """What a person asked to forget: exactly one of a folder and a camera. Raises `UsageError` for anything else."""
    if (folder is None) == (camera is None):
        raise UsageError("say what to forget: a folder, or --camera NAME")
    if folder is None:
        return ForgetScope(camera=camera)
    if not folder or "\0" in folder:
        raise UsageError("name a folder, or one image; an empty name is none")
    holder, name = os.path.split(os.path.abspath(folder))
    return ForgetScope(folder=os.path.join(os.path.realpath(holder), name).rstrip("/"))


def plan_forget(database: Database, scope: ForgetScope) -> ForgetPlan:
    """What would be forgotten. Raises `FolderError` if there is nothing, or if a removed image still needs it."""
    scope = _resolve(database, scope)
    with database.read() as session:
        if scope.camera is not None and not forgetting.camera_exists(session, scope.camera):
            cameras.get_camera(session, scope.camera)
        rows = forgetting.count_rows(session, scope)
        open_removals = forgetting.list_open_removals(session, scope)
        dependent = forgetting.count_dependent(session, scope)
    not_gone = _list_not_gone(open_removals)
    waiting = sum(removal.is_waiting for removal in not_gone)
    interrupted = sum(removal.is_pending for removal in not_gone)
    if not rows.images and not rows.videos and scope.camera is None:
        raise FolderError(f"this index has nothing below {scope.folder!r}; see: {command_line('status')}")
    if interrupted:
        raise FolderError(
            f"{counted(interrupted, 'removal of it was', 'removals of it were')} cut off and must end first: "
            f"{command_line('recover')}"
        )
    if dependent:
        raise FolderError(
            f"{counted(dependent, 'removed image elsewhere has its', 'removed images elsewhere have their')} keeper in "
            f"it; bring back what lies in quarantine of them: {command_line('restore', 'PATH')}, or forget the whole "
            f"camera: {command_line('forget', '--camera', 'NAME')}"
        )
    if waiting:
        raise FolderError(
            f"{counted(waiting, 'file of it lies', 'files of it lie')} in quarantine, and could not come back without "
            f"the index; first {_describe_ways(scope)}"
        )
    return ForgetPlan(scope.folder, scope.camera, rows, len(open_removals) - len(not_gone))


def _resolve(database: Database, scope: ForgetScope) -> ForgetScope:
    """The scope; if the index has nothing below its folder, and that is a link, then the folder that the link names."""
    if scope.folder is None or not os.path.islink(scope.folder):
        return scope
    with database.read() as session:
        rows = forgetting.count_rows(session, scope)
    return scope if rows.images or rows.videos else ForgetScope(folder=os.path.realpath(scope.folder))


def _describe_ways(scope: ForgetScope) -> str:
    """What to type so that no file of the scope lies in quarantine."""
    folder = "FOLDER" if scope.folder is None else scope.folder
    restore = command_line("restore", names=[folder])
    delete = command_line("purge", "--camera", "NAME" if scope.camera is None else scope.camera)
    return f"bring them back: {restore}, or delete for good what lies there of a camera: {delete}"


def _list_not_gone(open_removals: Sequence[OpenRemoval]) -> list[OpenRemoval]:
    """Those that can still be brought back, closed or recorded: their file is there, or their keeper is."""
    is_keeper_there = dict[tuple[str, str], bool]()
    not_gone = []
    for removal in open_removals:
        keeper = removal.keeper_path, removal.keeper_hash
        if not removal.is_waiting or _is_file_gone(removal):
            if keeper not in is_keeper_there:
                is_keeper_there[keeper] = _has_content(removal)
            if not is_keeper_there[keeper]:
                continue
        not_gone.append(removal)
    return not_gone


def _is_file_gone(removal: OpenRemoval) -> bool:
    """Whether a file is not in its quarantine any more, or its quarantine is not there; of a removal that was cut off,
    whether the file is at none of its names."""
    path = removal.quarantine_path
    if removal.is_pending:
        return is_lost(removal.path, aside=removal.aside_path, quarantine_path=path)
    return path is not None and (is_quarantine_missing(path) or was_taken_out(path))


def _has_content(removal: OpenRemoval) -> bool:
    """Whether the keeper of a removal is at its path; True if the file there cannot be read."""
    try:
        verify(removal.keeper_path, expected=ContentDigest(removal.keeper_size_bytes, removal.keeper_hash))
    except MismatchError:
        return os.path.lexists(removal.keeper_path) and not os.access(removal.keeper_path, os.R_OK)
    return True


def _require_confirmed(plan: ForgetPlan, *, gone: int) -> ForgetPlan:
    """Refuses a plan with more files that are gone than a person was asked about."""
    if plan.gone > gone:
        raise FolderError(
            f"{counted(plan.gone, 'removed file of it is', 'removed files of it are')} gone, and so are their keepers, "
            f"unless a disk is away; "
            f"look first: {command_line('forget', '--dry-run')}"
        )
    return plan


def forget(database: Database, scope: ForgetScope, *, clock: Clock, gone: int = 0) -> ForgetReport:
    """Forgets the images of a scope. Returns the report.

    `gone`: how many removed files a person confirmed to be gone with their keepers.

    Raises `FolderError` as `plan_forget` does, if more files are gone, and if the record of a removal cannot be written
    beside the images; `DatabaseError` if the space cannot be given back: the images are forgotten then.
    """
    scope = _resolve(database, scope)
    _require_confirmed(plan_forget(database, scope), gone=gone)
    arguments = {"folder": None if scope.folder is None else printable(scope.folder), "camera": scope.camera}
    with record_run(database, "forget", arguments=arguments, clock=clock) as run:
        record_legacy_removals(database, run=run, at=clock())
        plan = _require_confirmed(plan_forget(database, scope), gone=gone)
        with database.write() as session:
            open_removals = forgetting.list_open_removals(session, scope)
            unrecorded = sum(not removal.recorded for removal in _list_not_gone(open_removals))
            if unrecorded:
                raise FolderError(
                    f"no record beside the images tells of {counted(unrecorded, 'removal')} yet, and it cannot be "
                    f"written now; "
                    "mount the disk of the images"
                )
            forgetting.delete_rows(session, scope)
        size_bytes = _give_back(database)
        report = ForgetReport(scope.folder, scope.camera, plan.rows, size_bytes)
        run.counts = report.counts
    return report


def _give_back(database: Database) -> tuple[int, int]:
    """The bytes of the index before and after its free space was given back; the rows are deleted by now."""
    try:
        return space.give_back(database)
    except DatabaseError as problem:
        raise DatabaseError(
            f"the images are forgotten, but the space was not given back: {problem}; when there is free space, type: "
            f"{command_line('db', 'shrink')}"
        ) from problem
