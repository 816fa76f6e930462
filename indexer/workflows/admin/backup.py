"""db backup: copy an index that is a file, while other commands work with it."""

import os
from contextlib import closing
from dataclasses import dataclass

from indexer.errors import InterruptedRunError
from indexer.store.schema import open_any_revision
from indexer.store.transfer import backup
from indexer.workflows.context import Advance, Progress, no_progress


@dataclass(frozen=True)
class BackupReport:
    """The backup that was made, with its size and the revision of its schema."""

    database: str
    backup: str
    revision: str
    size_bytes: int


def back_up(name: str, target: str, *, progress: Progress = no_progress) -> BackupReport:
    """Copies the index at a path to a new file. An index of an older or newer version is copied as it is.

    Raises `NoIndexError`, `DatabaseError` and `UsageError` as `open_any_revision` and `backup.back_up`, and
    `InterruptedRunError` on Ctrl-C. After an error there is no backup.
    """
    database, revision = open_any_revision(name)
    with closing(database):
        try:
            size = backup.back_up(database, target, advance=_page_counter(progress))
        except KeyboardInterrupt:
            raise InterruptedRunError(f"interrupted: there is no backup, and {database.name!r} is as it was") from None
        return BackupReport(database.name, os.path.abspath(target), revision, size)


def _page_counter(progress: Progress) -> backup.PageCounter:
    """Shows the number of copied pages as a stage of its own, which begins when the number of all pages is known."""
    stage: list[Advance] = []
    copied = 0

    def advance(done: int, total: int) -> None:
        nonlocal copied
        if not stage:
            stage.append(progress("copying pages", total))
        stage[0](done - copied)
        copied = done

    return advance
