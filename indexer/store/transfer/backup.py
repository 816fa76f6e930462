"""A backup of an index that is a file: complete and checked at its name, or not there at all.

It copies the pages of one moment, while other commands read and write. A backup has the identity of its index: it is
that index at an earlier time. Servers have tools of their own.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import text

from indexer.errors import DatabaseError, FolderError, UsageError
from indexer.escaping import quoted
from indexer.files import private
from indexer.files.moving import move_no_replace
from indexer.files.verification import identity_of
from indexer.store.database import Database

PAGES_PER_STEP = 4096
"""Of 4 kB: Ctrl-C and the progress wait for a step."""

PageCounter = Callable[[int, int], None]
"""Is called with the number of pages that are copied, and the number of all pages."""


def back_up(database: Database, target: str, *, advance: PageCounter, pages_per_step: int = PAGES_PER_STEP) -> int:
    """Copies a SQLite index to a new file. Returns the size of the file in bytes.

    `advance` is called after each step. If it raises, or if anything fails, nothing is at the target.

    Raises
    ------
    UsageError
        If the index is on a server.
    FolderError
        If something is at the target, or if its folder does not exist.
    DatabaseError
        If the index cannot be read or is damaged, or if the file cannot be written.
    """
    if database.path is None:
        raise UsageError(_server_message(database, target))
    target = os.path.join(os.path.realpath(os.path.dirname(target) or os.curdir), os.path.basename(target))
    _require_free(target)
    partial = f"{target}.partial-{secrets.token_hex(4)}"
    try:
        os.close(private.create_file(partial))
        _copy_pages(database, partial, advance, pages_per_step)
        size = _sync(partial)
        move_no_replace(partial, target, expected=identity_of(os.lstat(partial)))
    except FileExistsError:
        raise FolderError(_exists_message(target)) from None
    except OSError as problem:
        raise _not_written(target, problem.strerror or str(problem)) from problem
    except sqlite3.Error as problem:
        raise _not_written(target, str(problem)) from problem
    finally:
        with suppress(OSError):
            os.unlink(partial)
    return size


def free_backup_path(path: Path, *, revision: str) -> str:
    """A free path beside an index for a backup of it before an upgrade from this revision."""
    name = f"{path}.revision-{revision}"
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, 10_000))
    return next(candidate for candidate in numbered if not os.path.lexists(candidate))


def _copy_pages(database: Database, partial: str, advance: PageCounter, pages_per_step: int) -> None:
    """Copies all pages as one transaction sees them, and checks the copy. Raises `sqlite3.Error` if that fails."""
    with database.snapshot() as reading:
        # The read transaction begins with the first query; without it each write of others would begin the copy anew.
        reading.execute(text("SELECT COUNT(*) FROM sqlite_master"))
        source = reading.connection.dbapi_connection
        assert isinstance(source, sqlite3.Connection)
        with closing(sqlite3.connect(partial)) as copy:
            source.backup(
                copy,
                pages=pages_per_step,
                progress=lambda _status, remaining, total: advance(total - remaining, total),
            )
            (finding,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise database.corruption_error(" ".join(finding.split()))


def _sync(path: str) -> int:
    """Writes a file out to the disk; its size in bytes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _require_free(target: str) -> None:
    if not os.path.isdir(os.path.dirname(target)):
        raise FolderError(f"the folder {os.path.dirname(target)} does not exist; make it first")
    if os.path.isdir(target):
        raise FolderError(f"{target} is a folder; name a new file in it")
    if os.path.lexists(target):
        raise FolderError(_exists_message(target))


def _exists_message(target: str) -> str:
    return f"there is a file at {target} already; name a new one"


def _not_written(target: str, reason: str) -> DatabaseError:
    return DatabaseError(f"the backup {target} cannot be written ({reason}); nothing is left of it")


def _server_message(database: Database, target: str) -> str:
    address = database.address.replace("+psycopg", "", 1)
    command = f"pg_dump --format=custom --file={quoted(target)} {quoted(address)}"
    return f"a server makes backups by its own tool; type: {command}"
