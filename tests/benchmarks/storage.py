"""How many bytes a row takes in each table and in its indexes, on SQLite and on PostgreSQL.

Asked of the databases themselves (`dbstat`; `pg_table_size`, `pg_indexes_size`), of an index of made-up rows
(`tests.benchmarks.rows`) with paths of 50 characters and thumbnails as frames have them. A table's bytes are those of
its pages, what is free in them included. `data` is what a thumbnail holds.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.store.schema import open_database
from indexer.store.transfer.rows import list_tables
from indexer.workflows.admin import copy_index
from tests.benchmarks.measuring import rounded
from tests.benchmarks.rows import fill_rows
from tests.benchmarks.scale import drawn_thumbnails
from tests.support import databases
from tests.support.databases import SERVER, Server

_SMALL = 100  # tables of fewer rows say nothing
_FOLDER = "/srv/cameras"


def measure(folder: Path, *, images: int = 50_000) -> dict[str, Any]:
    """Rows of each table and bytes of each of these rows."""
    index, thumbnails = folder / "index.db", drawn_thumbnails(folder / "drawn.db")
    fill_rows(index, images, thumbnails=thumbnails, folder=_FOLDER)
    found = {table: dict(taken) for table, taken in _of_file(index)}
    found["thumbnails"]["data"] = rounded(sum(map(len, thumbnails)) / len(thumbnails))
    if SERVER:
        for table, taken in _of_server(index):
            found[table] |= taken
    return found


def _of_file(index: Path) -> Iterator[tuple[str, dict[str, float]]]:
    with closing(sqlite3.connect(index)) as connection:
        pages = dict(connection.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"))
        owners = connection.execute("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'").fetchall()
        for table in list_tables():
            (count,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            if count >= _SMALL:
                beside = sum(pages[name] for name, owner in owners if owner == table)
                yield table, {"rows": count, **_each("SQLite", (pages[table], beside), count)}


def _of_server(index: Path) -> Iterator[tuple[str, dict[str, float]]]:
    with closing(Server(SERVER)) as server:
        place = server.place(index.parent)
        copy_index.copy(str(index), place, clock=lambda: datetime.now(UTC))
        with closing(open_database(place)) as database:
            for table in list_tables():
                sizes = f"SELECT COUNT(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}"
                ((count, *taken),) = databases.rows(database, sizes)
                if count >= _SMALL:
                    yield table, _each("PostgreSQL", taken, count)


def _each(kind: str, taken: Sequence[int], count: int) -> dict[str, float]:
    table, beside = (rounded(size / count) for size in taken)
    return {f"{kind} table": table, f"{kind} indexes": beside}
