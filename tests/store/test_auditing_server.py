"""Auditing on a server: a question in SQL changes nothing, whatever it says, as the server does not let it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from indexer.errors import DatabaseProblem, IndexerError, UsageProblem
from indexer.store import auditing
from indexer.store.database import Database
from tests.databases import on_postgresql, rows

pytestmark = on_postgresql

Add = Callable[..., int]

WRITING = [
    "DELETE FROM images",
    "INSERT INTO cameras (name) VALUES ('x')",
    "COMMIT; DELETE FROM images",
    "SELECT 1; DELETE FROM images",
    "SELECT 1; COMMIT; DELETE FROM images; BEGIN",
    "SELECT 1) ; DELETE FROM images --",
    "WITH gone AS (DELETE FROM images RETURNING id) SELECT * FROM gone",
    "SELECT * INTO mine FROM images",
    "SELECT * FROM images FOR UPDATE",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET default_transaction_read_only = off",
    "COPY images TO PROGRAM 'touch /tmp/indexer_was_here'",
    "COPY images FROM PROGRAM 'echo'",
    "EXPLAIN ANALYZE DELETE FROM images",
    "PREPARE x AS DELETE FROM images",
    "DO $$ BEGIN DELETE FROM images; END $$",
    "CREATE TEMP TABLE mine (x int)",
    "CALL x()",
    "TRUNCATE images",
    "VACUUM",
    "LOCK TABLE images",
    "SELECT nextval('images_id_seq')",
    "SELECT setval('images_id_seq', 7)",
]
TRICKS = [
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT query_to_xml('DELETE FROM images RETURNING id', true, true, '')",
    "SELECT query_to_xml('COMMIT', true, true, '')",
    "SELECT set_config('transaction_read_only', 'off', true), query_to_xml('DELETE FROM images', true, true, '')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT pg_advisory_lock(1953509, 0)",
    "SELECT pg_notify('x', 'y')",
]


def held(database: Database) -> list[Any]:
    """All that a question might have changed."""
    asked = [
        "SELECT * FROM images",
        "SELECT * FROM cameras",
        "SELECT last_value, is_called FROM images_id_seq",
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT oid FROM pg_largeobject_metadata",
    ]
    return [rows(database, sql) for sql in asked]


@pytest.mark.parametrize("sql", WRITING)
def test_writing_is_refused(database: Database, add: Add, sql: str) -> None:
    """Whatever writes, or would end the transaction, is refused in one sentence, and the index is what it was."""
    add("/frames/1.jpg")
    before = held(database)
    with pytest.raises(UsageProblem, match=r"^audit --sql only reads, with one SELECT statement") as problem:
        auditing.run_sql(database, sql)
    assert "\n" not in str(problem.value)
    assert held(database) == before


@pytest.mark.parametrize("sql", TRICKS)
def test_tricks_change_nothing(database: Database, add: Add, sql: str) -> None:
    """Functions that write, or take away what forbids it, are refused or leave nothing: no row, no lock, no setting."""
    add("/frames/1.jpg")
    before = held(database)
    with suppress(IndexerError):
        auditing.run_sql(database, sql)
    assert held(database) == before
    add("/frames/2.jpg")


def test_a_lock_ends_with_its_question(database: Database) -> None:
    """An advisory lock that a question takes does not go back to the pool with its connection."""
    auditing.run_sql(database, "SELECT pg_advisory_lock(7)")
    with database.read() as session:
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar()
        locks = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
        assert session.connection().exec_driver_sql(locks, (pid,)).all() == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_sleep(60)",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(60) FROM generate_series(1, 9)",
        "SELECT set_config('statement_timeout', '0', true) FROM generate_series(1, 90000000000)",
        "SELECT COUNT(*) FROM generate_series(1, 90000000000)",
    ],
)
@pytest.mark.parametrize("max_rows", [None, 100_000_000])
def test_endless_questions_end(database: Database, sql: str, max_rows: int | None) -> None:
    """A question that takes too long is stopped by the server, also one that tries to take the limit away."""
    with pytest.raises(DatabaseProblem, match=r"^the query took longer than 0\.2 s; ask for less of it$"):
        auditing.run_sql(database, sql, timeout_s=0.2, max_rows=max_rows)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM image", 'the query cannot be run: relation "image" does not exist'),
        ("SELECT nope FROM images", 'the query cannot be run: column "nope" does not exist'),
        ("SELECT 1 / 0", "the query cannot be run: division by zero"),
        ("SELECT 'a\0b'", "the query cannot be run: "),
        ("SELECT 'caf\udce9'", "the query cannot be run: "),
        ("", "audit --sql only reads, with one SELECT statement"),
        ("-- nothing", "audit --sql only reads, with one SELECT statement"),
    ],
)
def test_questions_that_make_no_sense(database: Database, sql: str, said: str) -> None:
    """A question that cannot be run is one sentence with what the server says of it."""
    with pytest.raises(UsageProblem) as problem:
        auditing.run_sql(database, sql)
    assert str(problem.value).startswith(said)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("-- a comment\nSELECT 1 ; -- and another", ((1,),)),
        ("VALUES ('100%', ':x', '%s')", (("100%", ":x", "%s"),)),
        ("SELECT true, 1.5::numeric, 2::numeric, NULL, ARRAY[1, 2]", ((True, 1.5, 2, None, "[1, 2]"),)),
        ("SELECT COUNT(*) FROM audit_cameras", ((0,),)),
        ("SELECT 1 WHERE false", ()),
    ],
)
def test_reading_is_admitted(database: Database, sql: str, answer: tuple[Any, ...]) -> None:
    """Whatever reads is answered in plain values."""
    assert auditing.run_sql(database, sql).rows == answer
