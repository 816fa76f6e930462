"""rescue: bring files back from a quarantine whose index is lost, by the manifest that lies in it.

It promises what restore promises: nothing is written over, times are kept, and only bytes that are still what was put
there come back. All that bears on a file is locked meanwhile, so that a command that is moving it is not taken for one
that was cut off. A quarantine that cannot be written to is copied from, and nothing in it is deleted. It opens no
database; an index that still exists notes the return at the next ingest.

A quarantine may come from anybody, and its manifest may say anything. So files are written beneath one folder only,
by `indexer.workflows.removal.rescue_plan`, and only images; no symbolic link is followed, neither to a place in the
quarantine nor to where a file goes; and nothing is deleted but what was brought back from the quarantine. Besides the
files, locks and records are written to: those of the quarantine itself, beneath that folder, and in the folders above
the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

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
from indexer.imaging.headers import Limits
from indexer.interrupts import uninterrupted
from indexer.workflows.context import Progress, silent
from indexer.workflows.removal.quarantined_image import check_image
from indexer.workflows.removal.rescue_plan import RescuePlan, Return, plan_rescue
from indexer.workflows.removal.restore import RestoreReport, why
from indexer.workflows.witnesses import hold_around


def rescue(
    folder: str,
    *,
    below: str | None = None,
    into: str | None = None,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> RestoreReport:
    """Brings back every file that a quarantine's manifests name, without asking: the report of what came back."""
    return carry_out(plan_rescue(folder, below=below, into=into), limits=limits or Limits(), progress=progress)


def carry_out(plan: RescuePlan, *, limits: Limits, progress: Progress = silent) -> RestoreReport:
    """Brings back what was planned: the report of what came back, and of what was not planned for a reason."""
    report = RestoreReport(pinned=False, failures=list(plan.refused))
    advance = progress("restoring", len(plan.returns))
    for one in plan.returns:
        with uninterrupted():
            problem = _bring_back(one, limits=limits)
        if problem is None:
            report.restored += 1
        else:
            report.failures.append((one.target, problem))
        advance(1)
    return report


def _bring_back(one: Return, *, limits: Limits) -> str | None:
    """Brings one file back under its locks; why not, if it could not be."""
    quarantine = quarantine_of(one.place)

    def may_write(folder: str) -> bool:
        return folder == quarantine or _is_of_target(folder, one)

    try:
        with hold_around([one.target], quarantine=quarantine, may_write=may_write) as locks:
            with open_quarantine_path(one.place) as place:
                _move_back(one, place, locks=locks, limits=limits)
            line = _line(one.entry)
            if one.target == one.entry.path and not line.is_in_force():
                append_restored(line, may_write=may_write)
    except (OSError, MismatchError) as problem:
        return why(problem)
    return None


def _is_of_target(quarantine: str, one: Return) -> bool:
    """Whether a quarantine lies where files may be written, or in a folder above the file, and no link led to it."""
    folder, name = os.path.split(quarantine)
    return name == QUARANTINE_NAME and (lies_beneath(quarantine, one.allowed) or lies_beneath(one.target, folder))


def _move_back(one: Return, place: OpenQuarantinePath, *, locks: FolderLocks, limits: Limits) -> None:
    expected = ContentDigest(one.entry.size_bytes, one.entry.content_hash)
    is_writable = os.access(os.path.dirname(one.place), os.W_OK | os.X_OK)
    if is_writable:
        restore_from_aside(place.file, expected=expected, before_unlink=locks.require)
    found = check_image(place.file, expected=expected, limits=limits)
    with _open_target(one) as target:
        if is_same_directory_entry(place.file, target):
            raise MismatchError(
                "its path leads into the quarantine, to the file itself; take that link or mount away first"
            )
        is_back = _is_back(place.file, target, expected=expected)
        if is_back and is_writable:
            _drop_copy(place.file, target, expected=expected, locks=locks)
        elif is_writable:
            move_no_replace(place.file, target, expected=found, before_unlink=locks.require, drop_special_bits=True)
        elif not is_back:
            copy_no_replace(place.file, target, expected=found, drop_special_bits=True)
    if is_writable:
        release_open_path(place)


@contextmanager
def _open_target(one: Return) -> Iterator[str]:
    """The path where a file goes, in a folder that is open and was made if need be."""
    folder, name = os.path.split(one.target)
    if find_quarantine(folder) is not None:
        raise MismatchError("its path leads into a quarantine")
    with open_folder(folder, create=True) as inside:
        yield f"{inside}/{name}"


def _drop_copy(place: str, target: str, *, expected: ContentDigest, locks: FolderLocks) -> None:
    """Deletes the one in quarantine of two whole files."""
    if not locks.exclusive:
        raise MismatchError(
            "it is back, and its copy in quarantine stays, as another host may be at work on it; delete that yourself"
        )
    back = verify(target, expected=expected)
    delete_witnessed(
        place,
        expected=verify(place, expected=expected),
        aside=aside_path(place),
        require_witness=lambda: verify_again(target, checked=back, expected=expected),
        before_unlink=locks.require,
    )


def _is_back(place: str, target: str, *, expected: ContentDigest) -> bool:
    """Whether the file is at both ends, whole and with one time, as a cut between the two leaves it."""
    try:
        there, here = verify(target, expected=expected), verify(place, expected=expected)
    except MismatchError:
        return False
    return abs(there.mtime_ns - here.mtime_ns) <= COARSEST_TIME_NS  # a copy's time may be cut


def _line(entry: Entry) -> WitnessLine:
    """What the records are told of a file that is back."""
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
