"""How one file is taken away, with the journal around it.

It promises that the file and its keeper are read again and found as the index knows them, that a row in the journal
and a line in the quarantine say so before anything is touched, and that a failure leaves the file where it was. The
pictures that were made of what was read (`indexer.workflows.album`) are written with that row. The steps that a cut can
fall between are those of `indexer.files.steps` and the writes of `indexer.store.removals`; what is left open is settled
by `indexer.workflows.settle`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexer.domain.images import State
from indexer.domain.removal import Flagged, RemovalState
from indexer.files import manifest
from indexer.files.checking import FileIdentity, Mismatch, same_file
from indexer.files.moving import delete, move_no_replace
from indexer.files.quarantine import forget_place, quarantine_folder, quarantine_place
from indexer.pixels.headers import Limits
from indexer.store import images, removals
from indexer.store.database import Database
from indexer.store.removals import Act
from indexer.workflows.album import Album
from indexer.workflows.running import Run
from indexer.workflows.watching import Clock


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
    """How one removal ended: into which quarantine, or left alone as a hard link of its keeper, or why it failed."""

    quarantine: str | None = None
    hard_link: bool = False
    problem: str | None = None


def take_away(database: Database, item: Flagged, *, manner: Manner, run: Run, clock: Clock, album: Album) -> End:
    """Takes one file away, or says why it is where it was."""
    if item.victim.image_id in run.settled.left_open:
        return End(problem="an earlier removal of it was cut off and cannot be settled yet; its disk refuses")
    if same_file(item.victim.path, item.keeper.path):
        return End(hard_link=True)
    try:
        victim = _checked(item, album)
        if manner.permanent:
            with _journalled(database, item, act="delete", place=None, run=run, clock=clock, album=album):
                delete(item.victim.path, expected=victim)
            return End()
        folder = quarantine_folder(item.victim.root, override=manner.quarantine)
        place = _place(folder, item, run=run, clock=clock)
    except _Refused as problem:
        with database.write() as session:
            album.write(session)
            removals.note_failure(session, item, problem=str(problem), at=clock(), run_id=run.id)
        return End(problem=str(problem))
    except _Failed as problem:
        return End(problem=str(problem))
    return _quarantine(database, item, victim, place=place, folder=folder, run=run, clock=clock, album=album)


class _Refused(Exception):
    """A check failed before anything was begun."""


class _Failed(Exception):
    """An act was begun and failed; the file is where it was, and the journal says why."""


def _checked(item: Flagged, album: Album) -> FileIdentity:
    """The identity of the file, after it and its keeper were read again and found as the index knows them."""
    try:
        album.check(item.keeper)
    except Mismatch as problem:
        raise _Refused(f"its keeper: {problem.reason}") from problem
    try:
        return album.check(item.victim)
    except Mismatch as problem:
        raise _Refused(problem.reason) from problem


def _place(folder: str, item: Flagged, *, run: Run, clock: Clock) -> str:
    """A place in quarantine, with the line that says what will lie there."""
    victim, place = item.victim, None
    try:
        place = quarantine_place(
            folder, run=f"run-{run.id}", name=str(victim.image_id), basename=os.path.basename(victim.path)
        )
        entry = manifest.Entry(
            path=victim.path,
            size_bytes=victim.size_bytes,
            content_hash=victim.content_hash,
            keeper_path=item.keeper.path,
            removed_at=clock().isoformat(),
        )
        manifest.note(place, entry)
    except OSError as problem:
        if place is not None:
            forget_place(place)
        raise _Refused(f"the quarantine {folder!a} cannot be used: {problem.strerror}") from problem
    return place


def _quarantine(
    database: Database,
    item: Flagged,
    victim: FileIdentity,
    *,
    place: str,
    folder: str,
    run: Run,
    clock: Clock,
    album: Album,
) -> End:
    try:
        with _journalled(database, item, act="quarantine", place=place, run=run, clock=clock, album=album):
            move_no_replace(item.victim.path, place, expected=victim)
    except _Failed as problem:
        forget_place(place)
        return End(problem=str(problem))
    return End(quarantine=folder)


@contextmanager
def _journalled(
    database: Database, item: Flagged, *, act: Act, place: str | None, run: Run, clock: Clock, album: Album
) -> Iterator[None]:
    """The journal around one act: a row before it, and the same row written on after it, each committed."""
    with database.write() as session:
        album.write(session)  # first: should the database undo more than the pictures, the row is written after that
        removal_id = removals.begin_removal(session, item, act=act, quarantine_path=place, at=clock(), run_id=run.id)
    try:
        yield
    except (OSError, Mismatch) as problem:
        reason = problem.reason if isinstance(problem, Mismatch) else str(problem.strerror)
        # What could not even be undone stays open: the next writing command settles it.
        if isinstance(problem, FileExistsError) or place is None or not os.path.lexists(place):
            with database.write() as session:
                removals.finish_act(session, removal_id, RemovalState.FAILED, at=clock(), problem=reason)
        raise _Failed(reason) from problem
    with database.write() as session:
        state = RemovalState.QUARANTINED if act == "quarantine" else RemovalState.DELETED
        removals.finish_act(session, removal_id, state, at=clock())
        images.set_state(session, [item.victim.image_id], State.REMOVED)
