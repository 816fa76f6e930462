"""Auditing: whoever asks the memory in SQL gets plain values or one sentence, and changes nothing."""

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.descriptions import Thumbnail
from indexer.domain.images import ImageState
from indexer.errors import DatabaseError, IndexerError, UsageError
from indexer.store import audit_queries, images, profiles, thumbnails
from indexer.store.database import Database
from indexer.store.query_result import QueryBounds, QueryResult
from tests.support.databases import on_sqlite

LATER = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER_TEXT = "2026-01-02 03:04:05.678901"
ODD = "/frames/caf\udce9.jpg"

Add = Callable[..., int]


def whole(table: QueryResult) -> tuple[tuple[Any, ...], ...]:
    """All rows of an answer, which is closed."""
    with table:
        return tuple(table)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_own_question(database: Database, reader: Database, add: Add) -> None:
    """An answer is columns and plain values: bytes are counted, times are UTC text, paths as stored."""
    image_id = add(ODD, at=LATER)
    with database.write() as session:
        digest = profiles.get_active_profile(session).profile.preparation.digest
        thumbnails.add_thumbnails(session, [(image_id, Thumbnail(digest, 240, 320, b"\x89PNG" * 100))])
    sql = (
        "SELECT i.path, captured_at, data AS png, sharpness, i.id FROM images i JOIN thumbnails t ON t.image_id = i.id;"
    )
    table = audit_queries.run_sql(reader, sql)
    assert table.columns == ("path", "captured_at", "png", "sharpness", "id")
    assert whole(table) == (("file:///frames/caf%E9.jpg", LATER_TEXT, "<400 bytes>", 20.5, image_id),)


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
    answer = whole(audit_queries.run_sql(database, sql))
    assert answer == rows if rows is not None else answer


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"{ENDLESS}SELECT x FROM n", "the answer has more than 3 rows; count, group, or add LIMIT and OFFSET"),
        (
            "SELECT REPLACE('" + "x" * 100 + "', 'x', 'abcdefghijklmnopqrst')",
            "the answer is longer than 1000 bytes; ask for fewer rows or columns",
        ),
    ],
)
def test_answers_are_bounded(reader: Database, sql: str, said: str) -> None:
    """An answer of more rows, or of more bytes, than the bounds is one sentence, exit code 2; endless ones too."""
    with pytest.raises(UsageError) as problem:
        audit_queries.run_sql(reader, sql, bounds=QueryBounds(rows=3, size_bytes=1000))
    assert str(problem.value) == said


def test_an_answer_as_large_as_its_bounds(reader: Database) -> None:
    """What is exactly as much as the bounds allow is answered."""
    table = audit_queries.run_sql(reader, "VALUES (1), (2), (3)", bounds=QueryBounds(rows=3, size_bytes=100))
    assert whole(table) == ((1,), (2,), (3,))


def test_ready_made_answers_are_bounded(reader: Database, monkeypatch: pytest.MonkeyPatch, add: Add) -> None:
    """Ready-made queries have the same bounds."""
    monkeypatch.setattr(audit_queries, "BOUNDS", QueryBounds(rows=1))
    add("/frames/1.jpg", state="damaged", state_reason="x")
    assert len(whole(audit_queries.run_audit(reader, "unreadable", {}))) == 1
    add("/frames/2.jpg", state="damaged", state_reason="x")
    with pytest.raises(UsageError, match=r"^the answer has more than 1 rows"):
        audit_queries.run_audit(reader, "unreadable", {})


@on_sqlite
@pytest.mark.parametrize(
    ("sql", "longest"),
    [
        ("SELECT {value}", 1200),
        ("SELECT 1, 2, {value}", 400),
        ("-- why\nWITH x(a, b) AS (SELECT 1, {value}) SELECT a, b FROM x;", 600),
        ("SELECT length({value})", 1200),
        ("SELECT group_concat({value}, '') FROM (VALUES (1), (2))", 1200),
        ("SELECT printf('%s', {value})", 1200),
        ("SELECT format('%s', {value}) AS said", 1200),
    ],
)
def test_values_are_bounded(database: Database, sql: str, longest: int) -> None:
    """A value longer than its part of a row is not built: one sentence. Nothing is NULL in its place."""
    bounds, said = (
        QueryBounds(row_bytes=1200),
        f"the query makes a value of more than {longest} bytes; use a part of the value",
    )
    with pytest.raises(UsageError, match=f"^{said}"):
        audit_queries.run_sql(database, sql.format(value="hex(zeroblob(601))"), bounds=bounds)
    assert len(whole(audit_queries.run_sql(database, sql.format(value="hex(zeroblob(10))"), bounds=bounds))) == 1


@on_sqlite
def test_printf_is_what_it_was(database: Database) -> None:
    """`printf` and `format` say what SQLite says, NULL and nothing included."""
    asked = ["printf('%05.1f|%s|%d|%q', 1.25, 'caf\u00e9', 7, 'it''s')", "format('%,d', 1234567)", "printf('')"]
    asked += ["printf(NULL)", "printf('%s', NULL)", "printf()", "printf('%.*c', 3, 'x')", "printf('%s', x'4142')"]
    sql = f"SELECT {', '.join(asked)}"
    with sqlite3.connect(":memory:") as plain:
        expected = plain.execute(sql).fetchone()
    plain.close()
    assert whole(audit_queries.run_sql(database, sql)) == (expected,)


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
    with pytest.raises(UsageError, match=r"^audit --sql only reads, with one SELECT statement"):
        audit_queries.run_sql(database, sql.format(place=place))
    database.close()
    assert (snapshot(database.path.parent), place.exists()) == (before, False)


class Unguarded(sqlite3.Connection):
    """A connection that asks no authorizer."""

    def set_authorizer(self, authorizer: Any) -> None:
        """Does nothing."""


@on_sqlite
def test_the_file_is_opened_for_reading(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the authorizer SQLite itself still refuses to write: there are two locks."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Unguarded))
    with pytest.raises(UsageError, match=r"only reads.*readonly database"):
        audit_queries.run_sql(database, "INSERT INTO cameras (name) VALUES ('x')")


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
        (
            "SELECT hex(zeroblob(99999999))",
            "the query makes a value of more than 16000000 bytes; use a part of the value",
        ),
        ("", "the query is empty; type for example: SELECT * FROM audit_cameras"),
        (" -- nothing\n;", "the query is empty; type for example: SELECT * FROM audit_cameras"),
    ],
)
def test_questions_that_make_no_sense(database: Database, sql: str, said: str) -> None:
    """A question that cannot be run is one sentence with what SQLite says of it, exit code 2."""
    with pytest.raises(UsageError, match=f"^{re.escape(said)}") as problem:
        audit_queries.run_sql(database, sql)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("asked", ["SELECT COUNT(*) FROM n", "SELECT x FROM n WHERE x < 0", "SELECT x FROM n"])
def test_endless_questions_end(reader: Database, asked: str) -> None:
    """A question that takes too long is stopped and said so, whether it answers nothing or goes on answering."""
    with pytest.raises(DatabaseError, match=r"^the query took longer than 0\.2 s; select fewer rows$"):
        audit_queries.run_sql(reader, ENDLESS + asked, bounds=QueryBounds(rows=10**9, size_bytes=10**9, seconds=0.2))


@on_sqlite
def test_a_damaged_index_is_reported_as_damaged(database: Database) -> None:
    """What SQLite finds wrong with the file while it answers is the database's problem, not the question's."""
    database.close()
    assert database.path is not None
    database.path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(IndexerError, match="damaged or no SQLite") as problem:
        audit_queries.run_sql(database, "SELECT * FROM images")
    assert isinstance(problem.value, DatabaseError)


@on_sqlite
def test_no_file_is_left_behind(database: Database) -> None:
    """After a question, and the index closed, its folder holds the index alone."""
    audit_queries.run_sql(database, "SELECT * FROM audit_runs").close()
    database.close()
    assert database.path is not None
    assert [file.name for file in database.path.parent.iterdir()] == ["indexer.db"]


def test_questions_see_what_is_committed_only(database: Database, reader: Database, add: Add) -> None:
    """A question is answered while a command writes, from what was committed before."""
    add("/frames/1.jpg")
    with database.write() as session:
        images.set_state(session, [1], ImageState.MISSING)
        assert whole(audit_queries.run_sql(reader, "SELECT state FROM images")) == (("ready",),)
    assert whole(audit_queries.run_sql(reader, "SELECT state FROM images")) == (("missing",),)
