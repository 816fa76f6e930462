"""Auditing: whoever asks the memory in SQL gets plain values or one sentence, and changes nothing."""

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.images import State
from indexer.errors import DatabaseProblem, IndexerError, UsageProblem
from indexer.pixels.describing import Thumbnail
from indexer.store import auditing, images, profiles
from indexer.store.auditing import Table
from indexer.store.database import Database
from tests.databases import on_sqlite

LATER = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER_TEXT = "2026-01-02 03:04:05.678901"
ODD = "/frames/caf\udce9.jpg"

Add = Callable[..., int]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_own_question(database: Database, add: Add) -> None:
    """An answer is columns and plain values: bytes are counted, times are UTC text, paths as stored."""
    image_id = add(ODD, at=LATER)
    with database.write() as session:
        digest = profiles.active_profile(session).profile.preparation.digest
        images.add_thumbnails(session, [(image_id, Thumbnail(digest, 240, 320, b"\x89PNG" * 100))])
    sql = (
        "SELECT i.path, captured_at, data AS png, sharpness, i.id FROM images i JOIN thumbnails t ON t.image_id = i.id;"
    )
    assert auditing.run_sql(database, sql) == Table(
        ("path", "captured_at", "png", "sharpness", "id"),
        (("file:///frames/caf%E9.jpg", LATER_TEXT, "<400 bytes>", 20.5, image_id),),
    )


@on_sqlite
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("-- a comment\nSELECT 1 ; -- and another", ((1,),)),
        (
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n",
            ((1,), (2,), (3,)),
        ),
        ("VALUES ('100%', ':x', '%s')", (("100%", ":x", "%s"),)),
        ("SELECT COUNT(*) FROM audit_cameras", ((0,),)),
        ("PRAGMA table_info(audit_runs)", None),
        ("EXPLAIN QUERY PLAN SELECT * FROM images", None),
        ("SELECT CAST(x'C3A9FF' AS TEXT)", (("é\\xff",),)),
        ("SELECT name FROM sqlite_master WHERE 1 = 0", ()),
    ],
)
def test_reading_is_admitted(database: Database, sql: str, rows: tuple[Any, ...] | None) -> None:
    """Whatever reads is answered: comments, recursion, plans, schemas, text that is not UTF-8."""
    answer = auditing.run_sql(database, sql).rows
    assert answer == rows if rows is not None else answer


def test_no_more_rows_than_asked_for(database: Database) -> None:
    """`max_rows` cuts an answer short, endless ones too."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    assert auditing.run_sql(database, endless, max_rows=3).rows == ((1,), (2,), (3,))


WRITING = [
    "INSERT INTO cameras (name) VALUES ('x')",
    "DELETE FROM images",
    "UPDATE decisions SET verdict = 'keep'",
    "WITH x AS (SELECT 1) DELETE FROM images",
    "REPLACE INTO cameras (id, name) VALUES (1, 'x')",
    "DROP VIEW audit_runs",
    "CREATE TABLE mine (x)",
    "CREATE TEMP TABLE mine (x)",
    "ALTER TABLE images ADD COLUMN x",
    "VACUUM",
    "VACUUM INTO '{place}'",
    "ATTACH '{place}' AS other",
    "DETACH main",
    "REINDEX",
    "ANALYZE",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SAVEPOINT x",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA user_version = 7",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "SELECT load_extension('{place}')",
    "SELECT LOAD_EXTENSION('{place}', 'init')",
    "EXPLAIN DELETE FROM images",
]


@on_sqlite
@pytest.mark.parametrize("sql", WRITING)
def test_writing_is_refused(database: Database, add: Add, tmp_path: Path, sql: str) -> None:
    """Whatever writes, here or elsewhere, is refused in one sentence, and the index is what it was."""
    add("/frames/1.jpg")
    database.close()
    assert database.path is not None
    before = snapshot(database.path.parent)
    place = tmp_path / "place.db"
    with pytest.raises(UsageProblem, match=r"^audit --sql only reads, with one SELECT statement"):
        auditing.run_sql(database, sql.format(place=place))
    database.close()
    assert (snapshot(database.path.parent), place.exists()) == (before, False)


@on_sqlite
def test_the_file_is_opened_for_reading(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the authorizer SQLite itself still refuses to write: there are two locks."""
    monkeypatch.setattr(auditing, "_authorize", lambda *_: sqlite3.SQLITE_OK)
    with pytest.raises(UsageProblem, match=r"only reads.*readonly database"):
        auditing.run_sql(database, "INSERT INTO cameras (name) VALUES ('x')")


@on_sqlite
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", 'the query cannot be run: near "SELEC": syntax error'),
        ("SELECT * FROM image", "the query cannot be run: no such table: image"),
        ("SELECT nope FROM images", "the query cannot be run: no such column: nope"),
        ("SELECT 1; SELECT 2", "the query cannot be run: You can only execute one statement at a time."),
        ("SELECT 1; DELETE FROM images", "the query cannot be run: You can only execute one statement at a time."),
        ("SELECT :x", "the query cannot be run: "),
        ("SELECT 'a\0b'", "the query cannot be run: "),
        ("SELECT 'caf\udce9'", "the query cannot be run: "),
        ("SELECT hex(zeroblob(99999999))", "the query cannot be run: string or blob too big"),
        ("", "the query asks for nothing; type for example: SELECT * FROM audit_cameras"),
        (" -- nothing\n;", "the query asks for nothing; type for example: SELECT * FROM audit_cameras"),
    ],
)
def test_questions_that_make_no_sense(database: Database, sql: str, said: str) -> None:
    """A question that cannot be run is one sentence with what SQLite says of it, exit code 2."""
    with pytest.raises(UsageProblem, match=f"^{re.escape(said)}") as problem:
        auditing.run_sql(database, sql)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("asked", ["SELECT COUNT(*) FROM n", "SELECT x FROM n WHERE x < 0", "SELECT x FROM n"])
def test_endless_questions_end(database: Database, asked: str) -> None:
    """A question that takes too long is stopped and said so, whether it answers nothing or goes on answering."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    with pytest.raises(DatabaseProblem, match=r"^the query took longer than 0\.05 s; ask for less of it$"):
        auditing.run_sql(database, endless + asked, timeout_s=0.05)


@on_sqlite
def test_a_damaged_index_is_said_to_be_damaged(database: Database) -> None:
    """What SQLite finds wrong with the file while it answers is the database's problem, not the question's."""
    database.close()
    assert database.path is not None
    database.path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(IndexerError, match="it is damaged or no SQLite database") as problem:
        auditing.run_sql(database, "SELECT * FROM images")
    assert isinstance(problem.value, DatabaseProblem)


@on_sqlite
def test_no_file_is_left_behind(database: Database) -> None:
    """After a question, and the index closed, its folder holds the index alone."""
    auditing.run_sql(database, "SELECT * FROM audit_runs")
    database.close()
    assert database.path is not None
    assert [file.name for file in database.path.parent.iterdir()] == ["indexer.db"]


def test_questions_see_what_is_committed_only(database: Database, add: Add) -> None:
    """A question is answered while a command writes, from what was committed before."""
    add("/frames/1.jpg")
    with database.write() as session:
        images.set_state(session, [1], State.MISSING)
        assert auditing.run_sql(database, "SELECT state FROM images").rows == (("ready",),)
    assert auditing.run_sql(database, "SELECT state FROM images").rows == (("missing",),)
