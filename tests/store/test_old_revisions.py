"""Indexes that earlier versions made, one per revision of the schema: opened, upgraded, compared and pruned.

`old/make_revisions.py` made the dumps, each with the last commit that had the revision.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, inspect

from indexer.store.database import Database, parse_database
from indexer.store.schema import check_database, head_revision, migrate, open_database, upgrade_database
from tests.support.databases import POSTGRESQL, Maker, execute, execute_many, rows
from tests.support.index import Index
from tests.support.old_frames import write_frames

OLD = Path(__file__).parent / "old"
DUMPS = sorted(OLD.glob("revision_*.sql"))
NEVER_NEWEST = {1, 2, 14}  # they came in one commit with, or after, a later one
DECISIONS = "SELECT path, camera, decision, keeper_path, score, reason, decided_by FROM audit_decisions ORDER BY path"


def old_rows(dump: Path, site: Path) -> sqlite3.Connection:
    """The index of a dump, in memory, with its folder where the test has it."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(dump.read_text(encoding="utf-8").replace("/srv/site", str(site)))
    return connection


def put_on_server(old: sqlite3.Connection, place: str, revision: str) -> None:
    """Makes the same index on a server: the tables of that revision, with the rows of the dump."""
    with closing(Database(parse_database(place))) as database:
        with database.write_connection() as connection:
            migrate(connection, revision=revision)
        with database.read() as session:
            there = inspect(session.connection())
            tables = {name: there.get_columns(name) for name in there.get_table_names() if name != "alembic_version"}
            order = [table for table, _ in there.get_sorted_table_and_fkc_names() if table in tables]
        for table in reversed(order):
            execute(database, f"DELETE FROM {table}")
        for table in order:
            booleans = {column["name"] for column in tables[table] if isinstance(column["type"], Boolean)}
            cursor = old.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            stored = [
                tuple(bool(value) if name in booleans else value for name, value in zip(names, row, strict=True))
                for row in cursor.fetchall()
            ]
            marks = ", ".join("?" * len(names))
            if stored:
                execute_many(database, f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", stored)
            if any(column["name"] == "id" and column.get("autoincrement") for column in tables[table]):
                last = f"(SELECT COALESCE(MAX(id), 1) FROM {table})"
                rows(database, f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")


@pytest.fixture
def place(maker: Maker, tmp_path: Path) -> str:
    """Where an index may be made."""
    return maker.place(tmp_path)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_index_of_an_earlier_version_goes_on(maker: Maker, place: str, tmp_path: Path, dump: Path) -> None:
    """After the upgrade its decisions are what they were; nothing is taken in or decided anew, and prune removes
    exactly its duplicates, whole."""
    lot = Path(os.path.realpath(tmp_path)) / "lot"
    frames = write_frames(lot)
    with closing(old_rows(dump, lot.parent)) as old:
        duplicates = [
            path
            for (path,) in old.execute(
                "SELECT path FROM images JOIN decisions ON image_id = images.id WHERE verdict = 'duplicate'"
            )
        ]
        decided = old.execute("SELECT COUNT(*) FROM decisions").fetchone()
        if maker.kind == POSTGRESQL:
            put_on_server(old, place, dump.stem[-4:])
        else:
            with closing(sqlite3.connect(place)) as file:
                old.backup(file)
    assert upgrade_database(place).revision == head_revision()
    with closing(open_database(place)) as database:
        index = Index(database, lot)
        assert check_database(database).problems == ()
        before = rows(database, DECISIONS)
        assert dict(index.ingest().outcomes) == {"unchanged": len(frames)}
        assert sum(camera.decided for camera in index.compare().cameras) == 0
        assert rows(database, DECISIONS) == before
        assert [len(before)] == [*decided] == [len(frames)]
        report = index.prune()
        assert (report.removed, report.failures) == (len(duplicates), [])
    left = {path.relative_to(lot).as_posix(): path.read_bytes() for path in lot.rglob("*.bmp")}
    assert left == {name: data for name, data in frames.items() if str(lot / name) not in duplicates}
    moved = {path.read_bytes() for path in lot.parent.rglob("*.bmp") if lot not in path.parents}
    assert moved == {data for name, data in frames.items() if str(lot / name) in duplicates}


def test_no_dump_is_lost() -> None:
    """There is a dump of each revision up to 0016 that was the newest one in some commit."""
    assert {int(dump.stem[-4:]) for dump in DUMPS} >= set(range(1, 17)) - NEVER_NEWEST


def test_dumps_have_something_to_lose() -> None:
    """Each dump has kept images and duplicates of two cameras."""
    for dump in DUMPS:
        with closing(old_rows(dump, Path("/srv/site"))) as old:
            counts: list[Any] = old.execute("SELECT verdict, COUNT(*) FROM decisions GROUP BY 1 ORDER BY 1").fetchall()
            assert [verdict for verdict, _ in counts] == ["duplicate", "keep"], dump.name
