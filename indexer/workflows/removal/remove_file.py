"""How one file is taken away, with the journal around it.

It promises that the file and its keeper are read again and found as the index knows them, that a row in the journal,
a line in the quarantine and a line in the record beside the images say so before anything is touched, and that a
failure leaves the file where it was. All that bears on the file is locked meanwhile
(`indexer.workflows.removal.safeguards`), and the right to write is asked for once more before each name goes. The
pictures that were made of what was read (`indexer.workflows.removal.preview_recorder`) are written with the row. The
steps that a cut can fall between are those of `indexer.files.io_steps` and the writes of `indexer.store.removals`;
what is left open is settled by `indexer.workflows.runs.recovery`.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from indexer.domain.images import ImageState
from indexer.domain.removal import IndexedFile, RemovalCandidate, RemovalState
from indexer.files import manifest
from indexer.files.filesystems import free_bytes
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
    verify,
)
from indexer.imaging.headers import Limits
from indexer.store import images, removals
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.removal.preview_recorder import Album
from indexer.workflows.removal.safeguards import ProtectedError, Safeguards, Staying
from indexer.workflows.runs.run import Run

_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE}
"""What ends a run in order: a full disk, another command that holds a lock for too long, too few open files."""
_SPARE_BYTES = 16 * 2**20
"""What stays free on the other disk: for the manifest, and for others."""


@dataclass(frozen=True)
class Manner:
    """How files are taken away.

    Into quarantine (`quarantine`: this folder, None: beside the images) or deleted at once; `max_share`: the brake;
    `limits`: of what a picture is made.
    """

    permanent: bool = False
    quarantine: str | None = None
    max_share: float | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class End:
    """How one removal ended: into which quarantine, or left alone and why.

    `hard_link`: its keeper's own file; `protected`: it must stay; `problem`: it failed; `ends_run`: so would others;
    `changed_id`: the image, this one or its keeper, whose file is not what the index knows.
    """

    quarantine: str | None = None
    hard_link: bool = False
    protected: str | None = None
    problem: str | None = None
    ends_run: bool = False
    changed_id: int | None = None


@dataclass(frozen=True)
class _Removal:
    """One removal under way: what is removed, and all that it needs."""

    item: RemovalCandidate
    database: Database
    manner: Manner
    run: Run
    clock: Clock
    album: Album
    safeguards: Safeguards


def take_away(
    database: Database,
    item: RemovalCandidate,
    *,
    manner: Manner,
    run: Run,
    clock: Clock,
    album: Album,
    safeguards: Safeguards,
) -> End:
    """Takes one file away, or says why it is where it was."""
    if item.victim.image_id in run.settled.left_open:
        return End(problem=f"an earlier removal of it {run.settled.why_open(item.victim.image_id)}")
    if is_same_file(item.victim.path, item.keeper.path):
        return End(hard_link=True)
    removal = _Removal(item, database, manner, run, clock, album, safeguards)
    try:
        end = _take_away(removal)
    except ProtectedError as problem:
        return End(protected=str(problem))
    except _Refused as problem:
        with database.write() as session:
            album.write(session)
            removals.add_failure(session, item, problem=str(problem), at=clock(), run_id=run.id)
        return End(problem=str(problem), ends_run=problem.ends_run, changed_id=problem.changed_id)
    except _Failed as problem:
        return End(problem=str(problem), ends_run=problem.ends_run)
    safeguards.forget(item)
    return end


class _Stopped(Exception):
    """Why a file was left where it was; `ends_run`: the next one would fare no better; `changed_id`: see `End`."""

    def __init__(self, reason: str, *, ends_run: bool = False, changed_id: int | None = None) -> None:
        super().__init__(reason)
        self.ends_run = ends_run
        self.changed_id = changed_id


class _Refused(_Stopped):
    """A check failed before anything was begun."""


class _Failed(_Stopped):
    """An act was begun and failed; the file is where it was, and the journal says why."""


def _take_away(removal: _Removal) -> End:
    """Makes the folders, locks them, and does it."""
    item, manner = removal.item, removal.manner
    quarantine = None if manner.permanent else removal.safeguards.quarantine(item, override=manner.quarantine)
    with _refusing("the record beside the images cannot be written to"):
        records = removal.safeguards.record_folders(item)
    if quarantine is not None:
        with _refusing(f"the quarantine {quarantine!a} cannot be used"):
            removal.safeguards.prepare(quarantine, root=item.victim.root)
    own = [*records, *([] if quarantine is None else [quarantine])]
    with _locked(removal, own) as (before_unlink, near):
        victim, keeper = _checked(item, removal.album)
        with _refusing("what lies near it cannot be read"):
            staying = removal.safeguards.examine(item, victim=victim, keeper=keeper, records=near)

        def before() -> None:
            before_unlink()
            staying.require()

        if quarantine is None:
            _record(removal, records)
            _delete(removal, victim, staying, before_unlink=before)
        else:
            _require_space(quarantine, item, victim)
            place = _place(quarantine, removal)
            try:
                _record(removal, records)
                _quarantine(removal, victim, staying, place=place, before_unlink=before)
            except _Stopped:
                release_quarantine_path(place)
                raise
    return End(quarantine=quarantine)


@contextmanager
def _locked(removal: _Removal, own: Sequence[str]) -> Iterator[tuple[Callable[[], None], list[str]]]:
    """Holds the locks of a removal; gives what must be asked before a name goes, and whose records bear on it."""
    with ExitStack() as stack:
        with _refusing("a quarantine near it, which may say what this file stands for, cannot be locked"):
            locks, records = stack.enter_context(removal.safeguards.hold(removal.item, own=own))

        def require() -> None:
            locks.require()
            removal.run.right.raise_if_lost()

        yield require, records


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """What the disk refuses within the block costs this file."""
    try:
        yield
    except OSError as problem:
        raise _Refused(f"{what}: {_told(problem, what)}", ends_run=problem.errno in _HOPELESS) from problem


def _told(problem: OSError, what: str) -> str:
    """What the disk said, with the path that it said it of if `what` does not name that."""
    place = f" ({problem.filename!a})" if problem.filename and str(problem.filename) not in what else ""
    if problem.errno == errno.EACCES and not isinstance(problem, DiskRefusalError):
        return f"{problem.strerror}{place}; its owner may give you the right to write to it"
    problem.filename = None
    return f"{describe_os_error(problem)}{place}"


def _require_space(quarantine: str, item: RemovalCandidate, victim: FileIdentity) -> None:
    """Refuses a file for which another disk has no room: before it is copied, not in the middle."""
    with _refusing(f"the quarantine {quarantine!a} cannot be used"):
        on_another = os.stat(quarantine).st_dev != victim.device
        if on_another and free_bytes(quarantine) < item.victim.size_bytes + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), quarantine)


def _checked(item: RemovalCandidate, album: Album) -> tuple[FileIdentity, FileIdentity]:
    """The file and its keeper, after both were read again and found as the index knows them."""
    try:
        keeper = album.check(item.keeper)
    except MismatchError as problem:
        raise _Refused(f"its keeper: {problem.reason}", changed_id=_changed_id(item.keeper, problem)) from problem
    try:
        return album.check(item.victim), keeper
    except MismatchError as problem:
        raise _Refused(problem.reason, changed_id=_changed_id(item.victim, problem)) from problem


def _changed_id(file: IndexedFile, problem: MismatchError) -> int | None:
    """The image of a file that is another one now; one that only cannot be read may be what it was."""
    return None if isinstance(problem, UnreadableFileError) else file.image_id


def _place(folder: str, removal: _Removal) -> str:
    """A place in quarantine, with the line that says what will lie there."""
    item, run, place = removal.item, removal.run, None
    victim = item.victim
    try:
        with _refusing(f"the quarantine {folder!a} cannot be used"):
            place = reserve_quarantine_path(
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
            manifest.append_entry(place, entry)
    except _Refused:
        if place is not None:
            release_quarantine_path(place)
        raise
    return place


def _record(removal: _Removal, folders: tuple[str, ...]) -> None:
    with _refusing("the record beside the images cannot be written to"):
        removal.safeguards.record(removal.item, folders, at=removal.clock().isoformat())


def _delete(removal: _Removal, victim: FileIdentity, staying: Staying, *, before_unlink: Callable[[], None]) -> None:
    with _journalled(removal, victim, place=None) as aside:
        delete_witnessed(
            removal.item.victim.path,
            expected=victim,
            aside=aside,
            require_witness=staying.require,
            before_unlink=before_unlink,
        )


def _quarantine(
    removal: _Removal, victim: FileIdentity, staying: Staying, *, place: str, before_unlink: Callable[[], None]
) -> None:
    path = removal.item.victim.path
    expected = ContentDigest(removal.item.victim.size_bytes, removal.item.victim.content_hash)
    with _journalled(removal, victim, place=place):
        move_no_replace(path, place, expected=victim, before_unlink=before_unlink)
        try:
            staying.require()
        except MismatchError:
            move_no_replace(place, path, expected=verify(place, expected=expected))
            raise


@contextmanager
def _journalled(removal: _Removal, victim: FileIdentity, *, place: str | None) -> Iterator[str]:
    """The journal around one act: a row before it, and the same row written on after it, each committed.

    Gives the name under which a file waits that is deleted at once (without a `place`).
    """
    item, database, clock, run = removal.item, removal.database, removal.clock, removal.run
    with database.write() as session:
        removal.album.write(session)  # first: should the database undo more than the pictures, the row comes after that
        removal_id = removals.begin_removal(
            session,
            item,
            act="delete" if place is None else "quarantine",
            quarantine_path=place,
            at=clock(),
            run_id=run.id,
        )
        aside = aside_path(item.victim.path, name=f"{run.token[:8]}-{item.victim.image_id}")
        if place is None:
            removals.record_aside_path(session, removal_id, aside_path=aside)
    try:
        yield aside
    except (OSError, MismatchError) as problem:
        reason = problem.reason if isinstance(problem, MismatchError) else describe_os_error(problem)
        # What could not even be undone stays open: the next writing command settles it.
        in_the_way = isinstance(problem, FileExistsError) and is_checked_file(item.victim.path, victim)
        if in_the_way or not os.path.lexists(aside if place is None else place):
            with database.write() as session:
                removals.fail_act(session, removal_id, problem=reason, at=clock())
        raise _Failed(reason, ends_run=isinstance(problem, OSError) and problem.errno in _HOPELESS) from problem
    with database.write() as session:
        state = RemovalState.DELETED if place is None else RemovalState.QUARANTINED
        removals.finish_act(session, removal_id, state, at=clock())
        images.set_state(session, [item.victim.image_id], ImageState.REMOVED)
