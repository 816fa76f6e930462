"""Indexes that earlier versions made, from the dumps in `tests/store/old`, on either database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Boolean, inspect

from indexer.store.database import Database, parse_database
from indexer.store.schema import migrate
from tests.support.databases import execute, execute_many, rows


def old_rows(dump: Path, site: Path) -> sqlite3.Connection:
    """The index of a dump, in memory, with its folder where the test has it."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(dump.read_text(encoding="utf-8").replace("/srv/site", str(site)))
    return connection


def make_old_index(old: sqlite3.Connection, place: str) -> None:
    """Makes the same index at a path, or on a server: the tables of its revision, with the rows of the dump."""
    if "://" in place:
        _put_on_server(old, place)
        return
    with closing(sqlite3.connect(place)) as file:
        old.backup(file)


def _put_on_server(old: sqlite3.Connection, place: str) -> None:
    (revision,) = old.execute("SELECT version_num FROM alembic_version").fetchone()
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
