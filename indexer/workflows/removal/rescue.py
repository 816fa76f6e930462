"""rescue: bring files back from a quarantine whose index is lost, by the manifest in that quarantine.

It promises what restore promises: nothing is overwritten, times are kept, and only bytes that are still what was put
there come back. All locks that bear on a file are held meanwhile, so that a move in progress is not taken for an
interrupted one. From a quarantine that cannot be written to, files are copied, and nothing in it is deleted. It opens
no database; an index that still exists notes the return at its next ingest.

A quarantine may come from anybody, and its manifest may say anything. So files are written below one folder only (see
`indexer.workflows.removal.rescue_plan`), and only images. No symbolic link is followed, neither in the quarantine nor
on the way to a file's target. Nothing is deleted but what was brought back from the quarantine. Besides the files,
locks and records are written: those of the quarantine itself, those below that folder, and those in the folders above
the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from indexer.domain.descriptions import Limits
from indexer.domain.plurals import counted
from indexer.errors import RunInterrupt
from indexer.files.beneath import OpenQuarantinePath, lies_beneath, open_folder, open_quarantine_path
from indexer.files.folder_lock import FolderLocks
from indexer.files.manifest import Entry
from indexer.files.markers import QUARANTINE_NAME, find_quarantine
from indexer.files.moving import (
    COARSEST_TIME_NS,
    aside_path,
    copy_no_replace,
    delete_witnessed,
    move_no_replace,
    restore_from_aside,
)
from indexer.files.quarantine import quarantine_of, release_open_path
from indexer.files.verification import ContentDigest, MismatchError, is_same_directory_entry, verify, verify_again
from indexer.files.witness_record import WitnessLine, append_restored
from indexer.interrupts import uninterrupted
from indexer.workflows.context import Progress, no_progress
from indexer.workflows.removal.missing_folders import find_missing_folder
from indexer.workflows.removal.quarantined_image import check_image
from indexer.workflows.removal.rescue_plan import RescueItem, RescuePlan, plan_rescue
from indexer.workflows.removal.restore import RestoreReport
from indexer.workflows.removal.return_obstacles import describe_failure, propose_move
from indexer.workflows.witnesses import lock_quarantines


def rescue(
    folder: str,
    *,
    below: str | None = None,
    into: str | None = None,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> RestoreReport:
    """Brings back every file that a quarantine's manifests name, without asking. Returns the report."""
    return execute_plan(plan_rescue(folder, below=below, into=into), limits=limits or Limits(), progress=progress)


def execute_plan(plan: RescuePlan, *, limits: Limits, progress: Progress = no_progress) -> RestoreReport:
    """Brings back what was planned. Returns the report of what came back, and of what was refused and why."""
    report = RestoreReport(pinned=False, failures=list(plan.refused))
    advance = progress("restoring", len(plan.items))
    for item in plan.items:
        missing_folder = find_missing_folder(item.target)
        try:
            with uninterrupted():
                problem = _restore_file(item, limits=limits)
                if problem is None:
                    report.count_return(item.target, missing_folder=missing_folder)
                else:
                    report.failures.append((item.target, problem))
        except KeyboardInterrupt:
            back = counted(report.restored, "file is", "files are")
            raise RunInterrupt(f"interrupted: {back} back, and the same command goes on from there") from None
        advance(1)
    return report


def _restore_file(item: RescueItem, *, limits: Limits) -> str | None:
    """Brings one file back under its locks. Returns why not if it failed, else None."""
    quarantine = quarantine_of(item.quarantine_path)

    def may_write(folder: str) -> bool:
        return folder == quarantine or _is_near_target(folder, item)

    try:
        with lock_quarantines([item.target], quarantine=quarantine, may_write=may_write) as locks:
            with open_quarantine_path(item.quarantine_path) as source:
                _move_back(item, source, locks=locks, limits=limits)
            line = _restored_line(item.entry)
            if item.target == item.entry.path and not line.is_in_force():
                append_restored(line, may_write=may_write)
    except (OSError, MismatchError) as problem:
        return f"{describe_failure(problem)}{propose_move(problem, path=item.target)}"
    return None


def _is_near_target(quarantine: str, item: RescueItem) -> bool:
    """Whether `quarantine` has the usual name, and lies below the allowed folder or in a folder above the file.

    `quarantine` is a real path, so no link can lead elsewhere.
    """
    folder, name = os.path.split(quarantine)
    return name == QUARANTINE_NAME and (lies_beneath(quarantine, item.allowed) or lies_beneath(item.target, folder))


def _move_back(item: RescueItem, source: OpenQuarantinePath, *, locks: FolderLocks, limits: Limits) -> None:
    expected = ContentDigest(item.entry.size_bytes, item.entry.content_hash)
    is_writable = os.access(os.path.dirname(item.quarantine_path), os.W_OK | os.X_OK)
    if is_writable:
        restore_from_aside(source.file, expected=expected, before_unlink=locks.require)
    identity = check_image(source.file, expected=expected, limits=limits)
    with _open_target(item) as target:
        if is_same_directory_entry(source.file, target):
            raise MismatchError(
                "its path leads into the quarantine, to the file itself; take that link or mount away first"
            )
        is_back = _is_back(source.file, target, expected=expected)
        if is_back and is_writable:
            _delete_quarantined_copy(source.file, target, expected=expected, locks=locks)
        elif is_writable:
            move_no_replace(source.file, target, expected=identity, before_unlink=locks.require, drop_special_bits=True)
        elif not is_back:
            copy_no_replace(source.file, target, expected=identity, drop_special_bits=True)
    if is_writable:
        release_open_path(source)


@contextmanager
def _open_target(item: RescueItem) -> Iterator[str]:
    """Yields the path of a file's target; its folder is open, and was made if it was missing."""
    folder, name = os.path.split(item.target)
    if find_quarantine(folder) is not None:
        raise MismatchError("its path leads into a quarantine")
    with open_folder(folder, create=True) as inside:
        yield f"{inside}/{name}"


def _delete_quarantined_copy(quarantine_path: str, target: str, *, expected: ContentDigest, locks: FolderLocks) -> None:
    """Deletes the copy in quarantine after the target was verified."""
    if not locks.exclusive:
        raise MismatchError(
            "it is back, and its copy in quarantine stays, as another host may be at work on it; delete that yourself"
        )
    target_identity = verify(target, expected=expected)
    delete_witnessed(
        quarantine_path,
        expected=verify(quarantine_path, expected=expected),
        aside=aside_path(quarantine_path),
        require_witness=lambda: verify_again(target, checked=target_identity, expected=expected),
        before_unlink=locks.require,
    )


def _is_back(quarantine_path: str, target: str, *, expected: ContentDigest) -> bool:
    """Whether the file is at both paths, whole and with one time, as a crash between copy and deletion leaves it."""
    try:
        target_identity, quarantined_identity = (
            verify(target, expected=expected),
            verify(quarantine_path, expected=expected),
        )
    except MismatchError:
        return False
    return abs(target_identity.mtime_ns - quarantined_identity.mtime_ns) <= COARSEST_TIME_NS  # may be coarser


def _restored_line(entry: Entry) -> WitnessLine:
    """The line in the records for a file that is back."""
    return WitnessLine(
        event="restored",
        removed_hash=entry.content_hash,
        removed_size_bytes=entry.size_bytes,
        removed_path=entry.path,
        witness_hash=entry.keeper_hash,
        witness_path=entry.keeper_path,
        index_id=entry.index_id,
        run_token="",
        at=datetime.now(UTC).isoformat(),
    )
