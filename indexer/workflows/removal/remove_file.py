"""Removes one file, with its journal entry.

It promises that the file and its keeper are read again and verified against the index. Before anything is touched, the
removal is written down in three places, in this order: a line in the quarantine, a row in the journal, a line in the
record beside the images. A line in the record without a row in the journal would be unknown to the recovery. A failure
leaves the file where it was, and ends row and line. Meanwhile all locks that concern the file are held
(`indexer.workflows.removal.safeguards`), and the index lock is checked once more before each name is unlinked. The
previews that were made from the checked bytes (`indexer.workflows.removal.preview_recorder`) are written with the row.
A crash can fall between the steps of `indexer.files.io_steps` and the writes of `indexer.store.removals`;
`indexer.workflows.runs.recovery` resolves what it leaves open.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from indexer.domain.descriptions import Limits
from indexer.domain.images import ImageState
from indexer.domain.removal import IndexedFile, RemovalCandidate, RemovalState
from indexer.files import manifest
from indexer.files.moving import aside_path, delete_witnessed, move_no_replace
from indexer.files.quarantine import release_quarantine_path, reserve_quarantine_path
from indexer.files.refusals import DiskRefusalError, describe_os_error
from indexer.files.verification import (
    ContentDigest,
    FileIdentity,
    MismatchError,
    UnreadableFileError,
    is_checked_file,
    is_same_file,
    regular_status,
    verify,
)
from indexer.store import images, removals
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.removal.preview_recorder import PreviewRecorder
from indexer.workflows.removal.quarantine_space import find_lack_of_space
from indexer.workflows.removal.safeguards import ProtectedError, RequiredFiles, Safeguards
from indexer.workflows.runs.run import ActiveRun

T = TypeVar("T")

_RUN_ENDING_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE}
"""Errors that end a run: a full disk, another command that holds a lock for too long, too few open files."""


@dataclass(frozen=True)
class RemovalOptions:
    """How files are removed.

    They go into quarantine (`quarantine`: this folder, None: beside the images), or are deleted at once with
    `permanent`. `max_share`: the limit of the removal guard. `limits`: which images get a preview. `include_restored`:
    also files that are held back.
    """

    permanent: bool = False
    quarantine: str | None = None
    max_share: float | None = None
    limits: Limits = field(default_factory=Limits)
    include_restored: bool = False


@dataclass(frozen=True)
class RemovalResult:
    """How one removal ended: the quarantine that the file went to, or why the file was left alone.

    `hard_link`: the file is its keeper's own file. `protected`: why it must stay. `problem`: why it failed. `ends_run`:
    other files would fail, too. `changed_id`: the image, this one or its keeper, whose file is not what the index
    knows.
    """

    quarantine: str | None = None
    hard_link: bool = False
    protected: str | None = None
    problem: str | None = None
    ends_run: bool = False
    changed_id: int | None = None


@dataclass(frozen=True)
class _RemovalTask:
    """One removal in progress: its candidate, and all that it needs."""

    item: RemovalCandidate
    database: Database
    options: RemovalOptions
    run: ActiveRun
    clock: Clock
    recorder: PreviewRecorder
    safeguards: Safeguards


def remove_file(
    database: Database,
    item: RemovalCandidate,
    *,
    options: RemovalOptions,
    run: ActiveRun,
    clock: Clock,
    recorder: PreviewRecorder,
    safeguards: Safeguards,
) -> RemovalResult:
    """Removes one file, or says why it is still where it was."""
    if item.victim.image_id in run.recovery.unresolved:
        return RemovalResult(
            problem=f"an earlier removal of it {run.recovery.describe_unresolved(item.victim.image_id)}"
        )
    if is_same_file(item.victim.path, item.keeper.path):
        return RemovalResult(hard_link=True)
    removal = _RemovalTask(item, database, options, run, clock, recorder, safeguards)
    try:
        result = _lock_and_remove(removal)
    except ProtectedError as problem:
        return RemovalResult(protected=str(problem))
    except _RefusedError as problem:
        with database.write() as session:
            recorder.write(session)
            removals.add_failure(session, item, problem=str(problem), at=clock(), run_id=run.id)
        return RemovalResult(problem=str(problem), ends_run=problem.ends_run, changed_id=problem.changed_id)
    except _FailedError as problem:
        return RemovalResult(problem=str(problem), ends_run=problem.ends_run)
    safeguards.forget(item)
    return result


class _RemovalError(Exception):
    """Why a file was left where it was.

    `ends_run`: the next file would fail, too; `changed_id`: see `RemovalResult`.
    """

    def __init__(self, reason: str, *, ends_run: bool = False, changed_id: int | None = None) -> None:
        super().__init__(reason)
        self.ends_run = ends_run
        self.changed_id = changed_id


class _RefusedError(_RemovalError):
    """A check failed before anything was begun."""


class _FailedError(_RemovalError):
    """An act was begun and failed; the file is where it was, and the journal says why."""


def _lock_and_remove(removal: _RemovalTask) -> RemovalResult:
    """Makes the folders, locks them, and removes the file."""
    item, options = removal.item, removal.options
    # Before a folder is made near them: one that was renamed, or whose disk is away, must not be made anew.
    _check_both(item, lambda file: regular_status(file.path))
    quarantine = None if options.permanent else removal.safeguards.quarantine(item, override=options.quarantine)
    with _refuse_on_os_error("the record beside the images cannot be written to"):
        records = removal.safeguards.record_folders(item)
    if quarantine is not None:
        with _refuse_on_os_error(f"the quarantine {quarantine!r} cannot be used"):
            removal.safeguards.prepare(quarantine, root=item.victim.root)
    written_folders = [*records, *([] if quarantine is None else [quarantine])]
    with _lock_for_removal(removal, written_folders) as (before_unlink, nearby_records):
        victim_identity, keeper_identity = _check_both(item, removal.recorder.check)
        with _refuse_on_os_error("what lies near it cannot be read"):
            required_files = removal.safeguards.examine(
                item, victim_identity=victim_identity, keeper_identity=keeper_identity, records=nearby_records
            )

        def require_locks_and_files() -> None:
            before_unlink()
            required_files.require()

        if quarantine is None:
            _delete(removal, victim_identity, required_files, records=records, before_unlink=require_locks_and_files)
        else:
            _require_space(quarantine, item, victim_identity)
            quarantine_path = _reserve_with_manifest(quarantine, removal)
            try:
                _quarantine(
                    removal,
                    victim_identity,
                    required_files,
                    records=records,
                    quarantine_path=quarantine_path,
                    before_unlink=require_locks_and_files,
                )
            except _RemovalError:
                release_quarantine_path(quarantine_path)
                raise
    return RemovalResult(quarantine=quarantine)


@contextmanager
def _lock_for_removal(
    removal: _RemovalTask, written_folders: Sequence[str]
) -> Iterator[tuple[Callable[[], None], list[str]]]:
    """Holds the locks of a removal.

    Yields the check to call before a name is unlinked, and the folders whose records bear on the file.
    """
    with ExitStack() as stack:
        with _refuse_on_os_error("a quarantine near it, which may say what this file stands for, cannot be locked"):
            locks, records = stack.enter_context(
                removal.safeguards.lock_for_removal(removal.item, written_folders=written_folders)
            )

        def require() -> None:
            locks.require()
            removal.run.write_lock.raise_if_lost()

        yield require, records


@contextmanager
def _refuse_on_os_error(what: str) -> Iterator[None]:
    """Turns an `OSError` within the block into a refusal of this one file."""
    try:
        yield
    except OSError as problem:
        raise _RefusedError(f"{what}: {_describe_os_error(problem, what)}", ends_run=_ends_run(problem)) from problem


def _describe_os_error(problem: OSError, what: str) -> str:
    """The message of a disk error, with its path if `what` does not name it."""
    path_note = f" ({problem.filename!r})" if problem.filename and str(problem.filename) not in what else ""
    if problem.errno == errno.EACCES and not isinstance(problem, DiskRefusalError):
        return f"{problem.strerror}{path_note}; its owner may give you the right to write to it"
    problem.filename = None
    return f"{describe_os_error(problem)}{path_note}"


def _require_space(quarantine: str, item: RemovalCandidate, victim_identity: FileIdentity) -> None:
    """Refuses a file that does not fit on another disk, before the copy starts and not in the middle of it."""
    with _refuse_on_os_error(f"the quarantine {quarantine!r} cannot be used"):
        on_another = os.stat(quarantine).st_dev != victim_identity.device
        if on_another and (lack := find_lack_of_space(quarantine, size_bytes=item.victim.size_bytes)) is not None:
            raise OSError(errno.ENOSPC, lack, quarantine)


def _check_both(item: RemovalCandidate, check: Callable[[IndexedFile], T]) -> tuple[T, T]:
    """What a check of the file gives, and of its keeper, which is checked first. A mismatch refuses the removal."""
    results = []
    for file, whose in ((item.keeper, "its keeper: "), (item.victim, "")):
        try:
            results.append(check(file))
        except MismatchError as problem:
            # A file that only cannot be read may be unchanged.
            changed_id = None if isinstance(problem, UnreadableFileError) else file.image_id
            raise _RefusedError(f"{whose}{problem.reason}", changed_id=changed_id) from problem
    return results[1], results[0]


def _reserve_with_manifest(folder: str, removal: _RemovalTask) -> str:
    """A reserved path in quarantine, after the manifest line that says what will lie there was written."""
    item, run, quarantine_path = removal.item, removal.run, None
    victim = item.victim
    try:
        with _refuse_on_os_error(f"the quarantine {folder!r} cannot be used"):
            quarantine_path = reserve_quarantine_path(
                folder,
                run=removal.safeguards.run_folder(folder),
                name=str(victim.image_id),
                basename=os.path.basename(victim.path),
                synced=removal.safeguards.synced_folders,
            )
            entry = manifest.Entry(
                path=victim.path,
                size_bytes=victim.size_bytes,
                content_hash=victim.content_hash,
                keeper_path=item.keeper.path,
                removed_at=removal.clock().isoformat(),
                keeper_hash=item.keeper.content_hash,
                index_id=run.index_id,
                run_token=run.token,
            )
            manifest.append_entry(quarantine_path, entry)
    except _RefusedError:
        if quarantine_path is not None:
            release_quarantine_path(quarantine_path)
        raise
    return quarantine_path


def _delete(
    removal: _RemovalTask,
    victim_identity: FileIdentity,
    required_files: RequiredFiles,
    *,
    records: Sequence[str],
    before_unlink: Callable[[], None],
) -> None:
    with _recorded_act(removal, victim_identity, records=records, quarantine_path=None) as aside:
        delete_witnessed(
            removal.item.victim.path,
            expected=victim_identity,
            aside=aside,
            require_witness=required_files.require,
            before_unlink=before_unlink,
        )


def _quarantine(
    removal: _RemovalTask,
    victim_identity: FileIdentity,
    required_files: RequiredFiles,
    *,
    records: Sequence[str],
    quarantine_path: str,
    before_unlink: Callable[[], None],
) -> None:
    path = removal.item.victim.path
    expected = ContentDigest(removal.item.victim.size_bytes, removal.item.victim.content_hash)
    with _recorded_act(removal, victim_identity, records=records, quarantine_path=quarantine_path):
        move_no_replace(path, quarantine_path, expected=victim_identity, before_unlink=before_unlink)
        try:
            required_files.require()
        except MismatchError:
            move_no_replace(quarantine_path, path, expected=verify(quarantine_path, expected=expected))
            raise


@contextmanager
def _recorded_act(
    removal: _RemovalTask, victim_identity: FileIdentity, *, records: Sequence[str], quarantine_path: str | None
) -> Iterator[str]:
    """Writes the journal and the records around one act: before it that it begins, and after it how it ended.

    Each write to the journal is committed. Yields the aside name under which a file waits that is deleted at once
    (without a `quarantine_path`).
    """
    item, database, clock = removal.item, removal.database, removal.clock
    aside = aside_path(item.victim.path, name=f"{removal.run.token[:8]}-{item.victim.image_id}")
    removal_id = _begin(removal, aside=aside, quarantine_path=quarantine_path)
    try:
        with _refuse_on_os_error("the record beside the images cannot be written to"):
            removal.safeguards.record("removed", item, records, at=clock().isoformat())
        yield aside
    except (OSError, MismatchError, _RefusedError) as problem:
        reason = _reason_of(problem)
        # An act that could not even be undone stays open: the next writing command recovers it. So does one
        # that left no name: a network disk may report an error for what had worked, or be away when it is asked.
        path = item.victim.path
        is_blocked = isinstance(problem, FileExistsError) and is_checked_file(path, victim_identity)
        was_kept = os.path.lexists(path) and not os.path.lexists(quarantine_path or aside)
        if is_blocked or was_kept:
            _end_failed(removal, removal_id, records=records, reason=reason)
        ends_run = problem.ends_run if isinstance(problem, _RefusedError) else _ends_run(problem)
        raise _FailedError(reason, ends_run=ends_run) from problem
    with database.write() as session:
        state = RemovalState.DELETED if quarantine_path is None else RemovalState.QUARANTINED
        removals.finish_act(session, removal_id, state, at=clock())
        removals.release(session, item.victim.image_id)
        images.set_state(session, [item.victim.image_id], ImageState.REMOVED)


def _begin(removal: _RemovalTask, *, aside: str, quarantine_path: str | None) -> int:
    """Adds the row of the journal for an act, and returns its id."""
    with removal.database.write() as session:
        # First: if the database rolls back more than the previews, the row comes after that.
        removal.recorder.write(session)
        removal_id = removals.begin_removal(
            session,
            removal.item,
            act="delete" if quarantine_path is None else "quarantine",
            quarantine_path=quarantine_path,
            at=removal.clock(),
            run_id=removal.run.id,
        )
        if quarantine_path is None:
            removals.record_aside_path(session, removal_id, aside_path=aside)
    return removal_id


def _end_failed(removal: _RemovalTask, removal_id: int, *, records: Sequence[str], reason: str) -> None:
    """Writes first into the records and then into the journal that the act failed.

    If the disk refuses that too, the act stays open, and the next writing command recovers it.
    """
    try:
        removal.safeguards.record("failed", removal.item, records, at=removal.clock().isoformat())
    except OSError:
        return
    with removal.database.write() as session:
        removals.fail_act(session, removal_id, problem=reason, at=removal.clock())


def _reason_of(problem: Exception) -> str:
    """Why an act failed, for people."""
    if isinstance(problem, OSError):
        return describe_os_error(problem)
    return problem.reason if isinstance(problem, MismatchError) else str(problem)


def _ends_run(problem: Exception) -> bool:
    """Whether other files would fail for the same reason."""
    return isinstance(problem, OSError) and problem.errno in _RUN_ENDING_ERRNOS
