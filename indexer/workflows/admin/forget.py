"""forget: delete all that the index has about the images and videos of a folder or a camera; the files stay.

It promises that nothing is forgotten that a file in quarantine needs to come back, or that the index needs to know what
stands for another removed image. The records beside the images stay, so that what stands for a removed image goes on
being protected from every index, this one included. In SQLite the bytes of thumbnails and previews are gone from the
file of the index afterwards, not only out of use.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any

from indexer.errors import FolderError, UsageError
from indexer.escaping import command_line
from indexer.store import cameras, forgetting, space
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope, ForgottenRows
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run
from indexer.workflows.witnesses import record_legacy_removals


@dataclass(frozen=True)
class ForgetPlan:
    """The rows about the images of a folder or a camera."""

    folder: str | None
    camera: str | None
    rows: ForgottenRows


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
        waiting, dependent = forgetting.count_in_quarantine(session, scope), forgetting.count_dependent(session, scope)
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
    return ForgetPlan(scope.folder, scope.camera, rows)


def forget(database: Database, scope: ForgetScope, *, clock: Clock) -> ForgetReport:
    """Forgets the images of a scope. Returns the report.

    Raises `FolderError` as `plan_forget` does, and if the record of a removal cannot be written beside the images.
    """
    plan_forget(database, scope)
    arguments = {"folder": None if scope.folder is None else ascii(scope.folder)[1:-1], "camera": scope.camera}
    with record_run(database, "forget", arguments=arguments, clock=clock) as run:
        record_legacy_removals(database, run=run, at=clock())
        plan = plan_forget(database, scope)
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
