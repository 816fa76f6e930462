"""One writing command at a time on one database.

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
from typing import IO

from sqlalchemy import text

from indexer.errors import DatabaseProblem
from indexer.store.database import Database

_SERVER_LOCK = 0x1DE8E5  # the key of the advisory lock on a server: any number that only indexer uses


@contextmanager
def writer_lock(database: Database, *, command: str, since: datetime) -> Iterator[None]:
    """Holds the right to write until the end of the block; raises if another process has it."""
    if database.path is None:
        with _server_lock(database):
            yield
        return
    place = Path(f"{database.path}.lock")
    try:
        file = place.open("a+", encoding="utf-8")
    except OSError as problem:
        raise DatabaseProblem(
            f"the lock {place} cannot be made ({problem.strerror}); check the rights of its folder"
        ) from problem
    with file:
        _take(file, database)
        holder = {"command": command, "pid": os.getpid(), "host": platform.node(), "since": since.isoformat()}
        file.seek(0)
        file.truncate()
        json.dump(holder, file)
        file.flush()
        yield


def _take(file: IO[str], database: Database) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise DatabaseProblem(
            f"database {database.name} is being written by {_holder(file.read())}; wait for it"
        ) from None


def _holder(said: str) -> str:
    try:
        holder = json.loads(said)
        return f"{holder['command']!r} (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another command"


@contextmanager
def _server_lock(database: Database) -> Iterator[None]:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # the lock is the connection's: back in the pool it would go on holding it
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _SERVER_LOCK}):
            raise DatabaseProblem(f"database {database.name} is being written by another command; wait for it")
        yield
