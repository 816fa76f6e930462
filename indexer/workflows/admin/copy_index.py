"""db copy: copy an index from SQLite to PostgreSQL, back, or to another database of its own kind.

Every row of every table is copied as it was at one moment, whatever is written to the source meanwhile. The rows are
read back and compared before the copy counts: the new index is complete and equal, or there is none. Only rows are
copied: paths stay as they are, and files stay where they are.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from indexer.errors import DatabaseError, InterruptedRunError, UsageError
from indexer.interrupts import uninterrupted
from indexer.store.index_identity import get_index_id
from indexer.store.schema import head_revision, open_database
from indexer.store.transfer.new_index import create_index
from indexer.store.transfer.rows import Row, TableContents, TableDigest, TableWriter, count_rows, iter_rows, list_tables
from indexer.workflows.context import Advance, Clock, Progress, no_progress


@dataclass(frozen=True)
class CopyReport:
    """What was copied, and found equal when it was read back."""

    source: str
    target: str
    revision: str
    rows: int
    tables: tuple[TableContents, ...]


def copy(source: str, target: str, *, clock: Clock, progress: Progress = no_progress) -> CopyReport:
    """Copies the index at one URL or path into a new one at another. Returns what was copied.

    Raises `UsageError` if both are the same index, `DatabaseError` if one cannot be used or if the copy differs from
    its source, and `InterruptedRunError` on Ctrl-C. After an error there is no new index.
    """
    with closing(open_database(source)) as old, old.snapshot() as reading:
        if old.is_at(target):
            raise UsageError(f"{old.name} would be copied onto itself; name another index to copy into")
        totals = {name: count_rows(reading, name) for name in list_tables()}
        with old.read() as session:
            copied_from = get_index_id(session)
        try:
            with create_index(target, since=clock(), copied_from=copied_from) as (new, writing):
                source_tables = [
                    _feed_rows(
                        iter_rows(old, reading, name), TableWriter(writing, name), progress(f"copying {name}", total)
                    )
                    for name, total in totals.items()
                ]
                copied_tables = [
                    _feed_rows(iter_rows(new, writing, name), TableDigest(name), progress(f"checking {name}", total))
                    for name, total in totals.items()
                ]
                _require_equal(source_tables, copied_tables, target=new.name)
        except KeyboardInterrupt:
            raise InterruptedRunError(f"interrupted: nothing was copied, and {old.name!r} is as it was") from None
        return CopyReport(old.name, new.name, head_revision(), sum(totals.values()), tuple(copied_tables))


def _feed_rows(batches: Generator[Sequence[Row]], tally: TableDigest, advance: Advance) -> TableContents:
    """Adds rows to a tally, batch by batch; Ctrl-C takes effect between two batches."""
    with closing(batches):
        while True:
            with uninterrupted():
                rows = next(batches, ())
                tally.add(rows)
            if not rows:
                return tally.contents
            advance(len(rows))


def _require_equal(
    source_tables: Sequence[TableContents], copied_tables: Sequence[TableContents], *, target: str
) -> None:
    differing = [before.table for before, after in zip(source_tables, copied_tables, strict=True) if before != after]
    if differing:
        raise DatabaseError(
            f"database {target} gave back other rows of {', '.join(differing)} than were put in; nothing was copied"
        )
