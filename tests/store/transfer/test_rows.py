"""Rows as plain values: whatever a table can hold goes in and comes back equal, and a digest tells any difference."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from indexer.store.database import Database
from indexer.store.tables import Base
from indexer.store.transfer.rows import TableDigest, TableWriter, count_rows, iter_rows, list_tables

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
TIMES = st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda time: time.replace(fold=0))
FLOATS = st.floats(allow_nan=False, width=64).map(lambda number: number + 0.0)  # SQLite has one zero
BIG = st.integers(-(2**63), 2**63 - 1)
RUN = (1, "ingest", "{}", "0", datetime(2026, 1, 1), *[None] * 6)
CAMERA = (1, "gate", None)
COUNTS = st.one_of(st.none(), TEXTS)
RUNS = st.tuples(TEXTS, TEXTS, TEXTS, TIMES, st.one_of(st.none(), TIMES), st.none(), COUNTS, COUNTS, COUNTS, COUNTS)
MEASURES = st.tuples(BIG, BIG, TEXTS, FLOATS, st.just("missing"), st.one_of(st.none(), TEXTS), st.just(1))
slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def there_and_back(database: Database, connection: Connection, name: str, rows: list[Any]) -> list[Any]:
    """What a table holds after rows were put into it."""
    TableWriter(connection, name).add(rows)
    return [row for some in iter_rows(database, connection, name) for row in some]


def digest(*rows: Any) -> str:
    """The digest of rows."""
    tally = TableDigest("images")
    tally.add(rows)
    return tally.contents.digest


@slow
@given(run=RUNS, size=st.tuples(MEASURES, st.one_of(st.none(), TIMES)))
@example(
    run=("'", '"', "\\", datetime.max, datetime(1000, 1, 1), None, "\N{SNOWMAN}", "t", "u", "h"),
    size=((0, 0, "", 0.1, "missing", None, 1), None),
)
@example(
    run=("", "", "", datetime(2026, 1, 1, microsecond=1), None, None, None, None, None, None),
    size=((0, 0, "", 5e-324, "missing", "", 1), None),
)
def test_values_come_back(database: Database, run: Any, size: Any) -> None:
    """Text, times to the microsecond, numbers of 64 bits and every NULL come back as they were, bit for bit."""
    measures, at = size
    image = (1, "file:///caf%E9.jpg", "/", 1, "name", at, None, None, None, *measures, True)
    with database.write_connection() as connection:
        assert there_and_back(database, connection, "runs", [RUN, (2, *run)]) == [RUN, (2, *run)]
        TableWriter(connection, "cameras").add([CAMERA])
        back = there_and_back(database, connection, "images", [image])
        assert repr(back) == repr([image])
        connection.rollback()


@slow
@given(st.binary(max_size=5000))
@example(bytes(range(256)))
def test_bytes_come_back(database: Database, data: bytes) -> None:
    """Bytes come back as they were."""
    image = (1, "/1.jpg", "/", 1, "name", None, None, None, None, 1, 1, "c", None, "missing", None, 1, False)
    with database.write_connection() as connection:
        for name, row in (("runs", RUN), ("cameras", CAMERA), ("images", image)):
            TableWriter(connection, name).add([row])
        assert there_and_back(database, connection, "pictures", [(1, 2, 3, data)]) == [(1, 2, 3, data)]
        connection.rollback()


def test_rows_come_in_the_order_of_their_keys(database: Database) -> None:
    """However many and in whatever order they were put in, rows come some at a time, by their keys."""
    rows = [(number, *RUN[1:]) for number in range(1, 5001)]
    with database.write_connection() as connection:
        TableWriter(connection, "runs").add(rows[::-1])
        batches = list(iter_rows(database, connection, "runs"))
        assert [row for some in batches for row in some] == rows
        assert max(map(len, batches)) == 2000
        assert count_rows(connection, "runs") == 5000
        connection.rollback()


@pytest.mark.parametrize(
    "other",
    [(1, 0.5, b"a", None), (1, 0.25, b"b", None), (1, 0.25, b"a", ""), (1.0, 0.25, b"a", None), (1, 0.25, "a", None)],
)
def test_digests_differ(other: Any) -> None:
    """Rows that differ in one value, or in its type, have another digest."""
    assert digest(other) != digest((1, 0.25, b"a", None)) == digest((1, 0.25, b"a", None))


def test_both_zeros_are_one() -> None:
    """SQLite knows no negative zero; a digest knows none either."""
    assert digest((-0.0,)) == digest((0.0,))


def test_digests_know_where_a_row_ends() -> None:
    """The same values as other rows, or in another order, have another digest."""
    assert len({digest(("a", "b")), digest(("a",), ("b",)), digest(("b", "a")), digest(("ab",)), digest()}) == 5


def test_every_table_is_listed_after_those_it_refers_to() -> None:
    """All tables but the identity, which no two indexes share, are there, each after those that its rows name."""
    names = list_tables()
    assert set(names) == set(Base.metadata.tables) - {"index_identity"}
    for name in names:
        named = {key.column.table.name for key in Base.metadata.tables[name].foreign_keys}
        assert named <= set(names[: names.index(name)])
