"""Auditing on a server: a question in SQL changes nothing, whatever it says, as the server does not let it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Connection

from indexer.errors import DatabaseError, IndexerError, UsageError
from indexer.store import audit_queries
from indexer.store.database import Database
from indexer.store.query_result import QueryBounds
from tests.support.connections import ADVISORY_LOCKS, OTHERS
from tests.support.databases import on_postgresql, rows

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


REACHING_OUT = [
    f"SELECT pg_terminate_backend(pid) FROM {OTHERS}",
    f"SELECT pg_cancel_backend(pid) FROM {OTHERS}",
    f"SELECT pg_terminate_backend(pid) FROM {ADVISORY_LOCKS} AND pid <> pg_backend_pid()",
    f"SELECT set_config('role', 'postgres', false), pg_terminate_backend(pid) FROM {OTHERS}",
    "SELECT pg_try_advisory_lock(1958117, 0)",
    "SELECT pg_advisory_unlock_all()",
    "SELECT lo_create(0)",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "SELECT pg_export_snapshot()",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT txid_current()",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_stat_reset()",
]
ADVISORY = f"SELECT classid FROM {ADVISORY_LOCKS}"


def answered(database: Database, sql: str, **bounds: int) -> list[tuple[Any, ...]]:
    """All rows of an answer."""
    with audit_queries.run_sql(database, sql, bounds=QueryBounds(**bounds)) as table:
        return list(table)


def held(database: Database) -> list[Any]:
    """All that a question might have changed."""
    asked = [
        "SELECT * FROM images",
        "SELECT * FROM cameras",
        "SELECT last_value, is_called FROM images_id_seq",
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT oid FROM pg_largeobject_metadata",
        "SELECT setconfig FROM pg_db_role_setting ORDER BY 1",
    ]
    return [rows(database, sql) for sql in asked]


@pytest.mark.parametrize("sql", WRITING)
def test_writing_is_refused(database: Database, reader: Database, add: Add, sql: str) -> None:
    """Whatever writes, or would end the transaction, is refused in one sentence, and the index is what it was."""
    add("/frames/1.jpg")
    before = held(database)
    with pytest.raises(UsageError, match=r"^audit --sql only reads, with|^the query cannot be run: p") as problem:
        audit_queries.run_sql(reader, sql)
    assert "\n" not in str(problem.value)
    assert held(database) == before


@pytest.mark.parametrize("sql", TRICKS)
def test_tricks_change_nothing(database: Database, reader: Database, add: Add, sql: str) -> None:
    """Functions that write, or take away what forbids it, are refused or leave nothing: no row, no lock, no setting."""
    add("/frames/1.jpg")
    before = held(database)
    with suppress(IndexerError):
        audit_queries.run_sql(reader, sql).close()
    assert held(database) == before
    add("/frames/2.jpg")


@pytest.fixture
def writer(database: Database) -> Iterator[Connection]:
    """A connection of the index's owner that holds an advisory lock, as a command that writes does."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(1958117, 7)")
        yield connection


@pytest.mark.parametrize("sql", TRICKS + REACHING_OUT)
def test_who_may_write_may_not_ask(database: Database, writer: Connection, sql: str) -> None:
    """Who owns the index may put no question of their own, whatever it asks: nothing of it is run."""
    before = held(database)
    with pytest.raises(DatabaseError, match=r"is a superuser; make one with: manage\.py db make-reader NAME$"):
        audit_queries.run_sql(database, sql)
    assert writer.exec_driver_sql("SELECT 1").scalar() == 1
    assert held(database) == before


@pytest.mark.parametrize("sql", REACHING_OUT)
def test_a_reader_reaches_nobody(database: Database, reader: Database, writer: Connection, sql: str) -> None:
    """Functions that end connections, take locks or leave something behind have no effect when a reader calls them."""
    before = held(database)
    with suppress(IndexerError):
        audit_queries.run_sql(reader, sql).close()
    assert writer.exec_driver_sql("SELECT 1").scalar() == 1
    assert held(database) == before


@pytest.mark.parametrize("view", ["decisions", "removals", "scores", "cameras", "twins", "runs"])
def test_views_answer_a_reader(reader: Database, view: str) -> None:
    """The views that docs/audits.md names are there for who may only read."""
    with audit_queries.run_sql(reader, f"SELECT * FROM audit_{view}") as table:
        assert len(table.columns) > 5


def test_ready_made_queries_answer_anybody(database: Database, reader: Database) -> None:
    """Who owns the index, and who may only read it, get the ready-made queries."""
    for asking in (database, reader):
        for audit in audit_queries.list_audits():
            given = {one.name: "1" for one in audit.parameters if one.required and one.name != "image"}
            if audit.name != "history":
                audit_queries.run_audit(asking, audit.name, given).close()


def test_a_lock_ends_with_its_question(database: Database, reader: Database) -> None:
    """An advisory lock that a question takes does not go back to the pool with its connection."""
    audit_queries.run_sql(reader, "SELECT pg_advisory_lock(7)").close()
    deadline = monotonic() + 60
    while advisory := rows(database, ADVISORY):
        assert monotonic() < deadline, advisory


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_sleep(60)",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(60) FROM generate_series(1, 9)",
        "SELECT set_config('statement_timeout', '0', true) FROM generate_series(1, 90000000000)",
        "SELECT COUNT(*) FROM generate_series(1, 90000000000)",
    ],
)
def test_endless_questions_end(reader: Database, sql: str) -> None:
    """A question that takes too long is stopped by the server, also one that tries to take the limit away."""
    with pytest.raises(DatabaseError, match=r"^the query took longer than 0\.2 s; select fewer rows$"):
        audit_queries.run_sql(reader, sql, bounds=QueryBounds(rows=10**9, size_bytes=10**12, seconds=0.2))


@pytest.mark.parametrize(
    ("sql", "longest"),
    [
        ("SELECT repeat('x', 301)", 300),
        ("SELECT 1, repeat('x', 151);", 150),
        ("SELECT 10::numeric ^ 400", 300),
        ("SELECT array_agg(n) FROM generate_series(1, 200) AS n", 300),
        ("SELECT json_agg(n) FROM generate_series(1, 200) AS n", 300),
        ("SELECT ROW(repeat('x', 301))", 300),
    ],
)
def test_values_are_bounded(reader: Database, sql: str, longest: int) -> None:
    """A value longer than its part of a row does not leave the server, whatever its type: one sentence."""
    said = f"the query makes a value of more than {longest} characters; use a part of the value"
    with pytest.raises(UsageError, match=f"^{said}"):
        audit_queries.run_sql(reader, sql, bounds=QueryBounds(row_bytes=1200))


def test_bytes_are_counted_where_they_are(reader: Database) -> None:
    """Bytes are not sent, however many they are."""
    assert answered(reader, "SELECT repeat('x', 5000)::bytea", row_bytes=1200) == [("<5000 bytes>",)]


def test_questions_that_ask_for_no_column(reader: Database) -> None:
    """PostgreSQL has answers without a column; there is nothing to show."""
    with pytest.raises(UsageError, match=r"^the query is empty"):
        audit_queries.run_sql(reader, "SELECT FROM images")


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
def test_questions_that_make_no_sense(reader: Database, sql: str, said: str) -> None:
    """A question that cannot be run is one sentence with what the server says of it."""
    with pytest.raises(UsageError) as problem:
        audit_queries.run_sql(reader, sql)
    assert str(problem.value).startswith(said)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("-- a comment\nSELECT 1 ; -- and another", [(1,)]),
        ("SELECT ';' AS \"a;b\", $x$;$x$, E'\\';' ;; /* ; */ ", [(";", ";", "';")]),
        ("VALUES ('100%', ':x', '%s')", [("100%", ":x", "%s")]),
        ("SELECT true, 1.5::numeric, 2::numeric, NULL, ARRAY[1, 2]", [(True, 1.5, 2, None, "{1,2}")]),
        ("SELECT 'Infinity'::numeric, '{\"a\": 1}'::json, ROW(1, 'x')", [(float("inf"), '{"a": 1}', "(1,x)")]),
        ("SELECT length((10::numeric ^ 5000)::text), 10::numeric ^ 5000", [(5018, "1" + "0" * 5000)]),
        ("SELECT 1 AS same, 2 AS same", [(1, 2)]),
        ("SELECT n FROM generate_series(1, 3) AS n ORDER BY n DESC", [(3,), (2,), (1,)]),
        ("TABLE audit_cameras", []),
        ("WITH x AS (SELECT 1 AS n) SELECT n FROM x UNION SELECT 2 ORDER BY 1", [(1,), (2,)]),
        ("SELECT COUNT(*) FROM audit_cameras", [(0,)]),
        ("SELECT 1 WHERE false", []),
    ],
)
def test_reading_is_admitted(reader: Database, sql: str, answer: list[tuple[Any, ...]]) -> None:
    """Whatever reads is answered in plain values."""
    assert answered(reader, sql) == answer
