"""forget: delete all that the index has about the images and videos of a folder or a camera; the files stay.

It promises that nothing is forgotten that a file in quarantine needs to come back, or that the index needs to know what
stands for another removed image. What is gone with its quarantine and its keeper does not count, once a person was
asked. The records beside the images stay, so that what stands for a removed image goes on
being protected from every index, this one included. In SQLite the bytes of thumbnails and previews are gone from the
file of the index afterwards, not only out of use.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any

from indexer.errors import FolderError, UsageError
from indexer.escaping import command_line
from indexer.files.quarantine import is_quarantine_missing
from indexer.store import cameras, forgetting, space
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope, ForgottenRows, WaitingFile
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run
from indexer.workflows.witnesses import record_legacy_removals


@dataclass(frozen=True)
class ForgetPlan:
    """The rows about the images of a folder or a camera.

    `gone`: how many removed files of them are not there any more with their quarantine, nor their keepers.
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
    with database.read() as session:
        if scope.camera is not None and not forgetting.camera_exists(session, scope.camera):
            cameras.get_camera(session, scope.camera)
        rows = forgetting.count_rows(session, scope)
        in_quarantine = forgetting.list_in_quarantine(session, scope)
        dependent = forgetting.count_dependent(session, scope)
    gone = sum(map(_is_gone, in_quarantine))
    waiting = len(in_quarantine) - gone
    if not rows.images and not rows.videos and scope.camera is None:
        raise FolderError(f"this index has nothing below {scope.folder!a}; see: {command_line('status')}")
    if waiting:
        raise FolderError(
            f"{waiting} files of it lie in quarantine, and nothing would know where they were; first: "
            f"{command_line('restore', '--all')}, or {command_line('purge', '--all')}"
        )
    if dependent:
        raise FolderError(
            f"{dependent} removed images elsewhere have their keeper in it; to forget these too: "
            f"{command_line('forget', '--camera', 'NAME')}"
        )
    return ForgetPlan(scope.folder, scope.camera, rows, gone)


def _is_gone(file: WaitingFile) -> bool:
    """Whether nothing can be brought back or closed: neither the quarantine of a file is there, nor its keeper."""
    return (
        not file.is_pending
        and file.quarantine_path is not None
        and is_quarantine_missing(file.quarantine_path)
        and not os.path.lexists(file.keeper_path)
    )


def _require_confirmed(plan: ForgetPlan, *, gone: int) -> ForgetPlan:
    """Refuses a plan with more files that are gone than a person was asked about."""
    if plan.gone > gone:
        raise FolderError(
            f"{plan.gone} removed files of it are gone with their quarantine and their keepers, unless a disk is away; "
            f"look first: {command_line('forget', '--dry-run')}"
        )
    return plan


def forget(database: Database, scope: ForgetScope, *, clock: Clock, gone: int = 0) -> ForgetReport:
    """Forgets the images of a scope. Returns the report.

    `gone`: how many removed files a person confirmed to be gone with their quarantine and their keepers.

    Raises `FolderError` as `plan_forget` does, if more files are gone, and if the record of a removal cannot be written
    beside the images.
    """
    _require_confirmed(plan_forget(database, scope), gone=gone)
    arguments = {"folder": None if scope.folder is None else ascii(scope.folder)[1:-1], "camera": scope.camera}
    with record_run(database, "forget", arguments=arguments, clock=clock) as run:
        record_legacy_removals(database, run=run, at=clock())
        plan = _require_confirmed(plan_forget(database, scope), gone=gone)
        with database.write() as session:
            unrecorded = forgetting.count_unrecorded(session, scope)
            if unrecorded:
                raise FolderError(
                    f"no record beside the images tells of {unrecorded} removals yet, and it cannot be written now; "
                    "mount the disk of the images"
                )
            forgetting.delete_rows(session, scope)
        size_bytes = space.give_back(database)
        report = ForgetReport(scope.folder, scope.camera, plan.rows, size_bytes)
        run.counts = report.counts
    return report
