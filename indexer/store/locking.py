"""The right to write: one command at a time on a SQLite index, one at a time on each camera of a server's.

It promises that a second writer is refused at once and told who holds the lock, and that a lock ends with its process,
however that ends: the operating system (or the server) holds it, not a file's existence.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from indexer.errors import DatabaseProblem
from indexer.store.advisory import server_right
from indexer.store.database import Database
from indexer.store.holders import UNKNOWN, holder, taken


class Right(Protocol):
    """What a command holds. `whole`: the index; else cameras, each from when it is taken until it is left."""

    whole: bool

    def take_all(self) -> None:
        """Takes everything, and raises if any other command is at work."""

    def share(self) -> None:
        """Lets other commands work on cameras that this one does not take."""

    def try_all(self) -> None:
        """Takes everything if nobody else is at work, or is so no more after a moment."""

    def take(self, camera: str) -> str | None:
        """Who else is at work on a camera; None where it is this command's from now on."""

    def leave(self, camera: str) -> None:
        """Lets others work on a camera again."""


class _Everything:
    """The right on a SQLite index, which has one writer: there is no less than everything."""

    whole = True

    def take_all(self) -> None:
        """Has it."""

    def share(self) -> None:
        """Cannot."""

    def try_all(self) -> None:
        """Has it."""

    def take(self, camera: str) -> None:
        """Has it."""

    def leave(self, camera: str) -> None:
        """Keeps it."""


@contextmanager
def writer_lock(
    database: Database, *, command: str, since: datetime, by_camera: bool = False, settling: bool = False
) -> Iterator[Right]:
    """Holds the right to write until the end of the block; raises if another process has it.

    `by_camera`: the command takes cameras as it comes to them, where that is possible, and others may work on others.
    It begins with everything all the same where it is `settling` what a cut left open and nobody else is at work.
    """
    if database.path is not None:
        with _file_lock(database, Path(f"{database.path}.lock"), command=command, since=since):
            yield _Everything()
        return
    with server_right(database, command=command) as right:
        if not by_camera:
            right.take_all()
        elif settling:
            right.try_all()
        if not right.whole:
            right.share()
        yield right


@contextmanager
def _file_lock(database: Database, place: Path, *, command: str, since: datetime) -> Iterator[None]:
    try:
        file = place.open("a+", encoding="utf-8")
    except OSError as problem:
        raise DatabaseProblem(
            f"the lock {place} cannot be made ({problem.strerror}); check the rights of its folder"
        ) from problem
    with file:
        _take(file, database)
        told = {"command": command, "pid": os.getpid(), "host": platform.node(), "since": since.isoformat()}
        file.seek(0)
        file.truncate()
        json.dump(told, file)
        file.flush()
        yield


def _take(file: IO[str], database: Database) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise taken(database.name, _holder(file.read())) from None


def _holder(said: str) -> str:
    try:
        told = json.loads(said)
        return holder(told["command"], process=told["pid"], host=told["host"], since=told["since"])
    except (ValueError, KeyError, TypeError):
        return UNKNOWN
