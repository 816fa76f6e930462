"""Errors of a driver are recognised by their code, whatever language their message is in."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from indexer.errors import DatabaseError, IndexerError, RowRefusedError
from indexer.store.database import Database, parse_database
from tests.support.databases import on_postgresql

NONSENSE = "Unsinn »x«"
SQLITE = {
    "SQLITE_BUSY": "another program is writing to it",
    "SQLITE_BUSY_SNAPSHOT": "another program is writing to it",
    "SQLITE_LOCKED": "another program is writing to it",
    "SQLITE_READONLY": "it cannot be written to",
    "SQLITE_READONLY_DBMOVED": "it cannot be written to",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_CORRUPT": "it is damaged or no SQLite database",
    "SQLITE_CORRUPT_INDEX": "it is damaged or no SQLite database",
    "SQLITE_NOTADB": "it is damaged or no SQLite database",
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_IOERR_WRITE": "the disk reports an error",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_CANTOPEN_FULLPATH": "it cannot be opened",
}
SERVER = {
    "3D000": "there is no such database yet",
    "28P01": "the server does not let this user in",
    "28000": "the server does not let this user in",
    "42501": "this user may not do that",
    "53300": "the server has no connection free",
    "57P03": "the server is starting",
    "57P01": "the server went away",
    "57P02": "the server went away",
    "57P04": "the server went away",
    "57P05": "the server went away",
    "25P03": "the server went away",
    "08006": "the server went away",
    "25006": "the server only reads",
    "40P01": "another program is writing the same",
    "40001": "another program is writing the same",
    "54000": "a path is too long for PostgreSQL",
    "53100": "the disk is full",
    "58030": "the disk reports an error",
    "XX001": "it is damaged or no SQLite database",
    "XX002": "it is damaged or no SQLite database",
}
UNREACHABLE = {
    'connection failed: connection to server at "::1", port 1 failed: Connection refused': "no server answers there",
    "connection timeout expired": "no server answers there",
    "failed to resolve host 'x': [Errno -2] Name or service not known": "there is no such host",
    'connection failed: FATAL:  database "x" does not exist': "there is no such database yet",
    'connection failed: FATAL:  role "x" does not exist': "the server does not let this user in",
    'connection failed: FATAL:  password authentication failed for user "x"': "the server does not let this user in",
    'connection failed: FATAL:  permission denied for database "x"': "this user may not do that",
    "connection failed: FATAL:  sorry, too many clients already": "the server has no connection free",
    "connection failed: FATAL:  the database system is starting up": "the server is starting",
    "connection failed: FATAL:  the database system is shutting down": "the server went away",
    "consuming input failed: server closed the connection unexpectedly": "the server went away",
}


@pytest.fixture
def file(tmp_path: Path) -> Database:
    """A database of SQLite that nobody has opened."""
    return Database(parse_database(str(tmp_path / "i.db")))


def translated(database: Database, error: Exception, *, broken: bool = False) -> IndexerError:
    """What this program makes of an error of the driver."""
    return database.translate_error(OperationalError("", {}, error, connection_invalidated=broken))


@pytest.mark.parametrize("name", SQLITE)
def test_a_file_by_the_result_code(file: Database, name: str) -> None:
    """A result code of SQLite, extended or not, is recognised without its message."""
    error = sqlite3.OperationalError(NONSENSE)
    error.sqlite_errorcode = getattr(sqlite3, name)
    assert str(translated(file, error)).startswith(f"database {file.path}: {SQLITE[name]}")


def test_a_file_without_advice(file: Database) -> None:
    """A message that reads like another error is no reason for its advice."""
    error = sqlite3.OperationalError("malformed JSON, locked")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert str(translated(file, error)) == f"database {file.path}: malformed JSON, locked"


@pytest.mark.parametrize("code", SERVER)
def test_a_server_by_the_sqlstate(file: Database, code: str) -> None:
    """An SQLSTATE is recognised without its message."""
    error = psycopg.errors.lookup(code)(NONSENSE)
    assert str(translated(file, error)).startswith(f"database {file.path}: {SERVER[code]}")


@on_postgresql
def test_a_real_server_by_the_sqlstate(database: Database) -> None:
    """The same of errors that a server raises, in words that are no English."""

    def raised(code: str) -> str:
        with pytest.raises(DatabaseError) as caught, database.write() as session:
            session.connection().exec_driver_sql(f"DO $$ BEGIN RAISE '{NONSENSE}' USING ERRCODE = '{code}'; END $$")
        return str(caught.value).removeprefix(f"database {database.name}: ")

    assert {code: raised(code)[: len(says)] for code, says in SERVER.items()} == SERVER


@pytest.mark.parametrize("message", UNREACHABLE)
def test_where_there_is_no_code(file: Database, message: str) -> None:
    """Of what goes wrong while connecting there is only a text."""
    assert f": {UNREACHABLE[message]}" in str(translated(file, psycopg.OperationalError(f"{message}\nmore")))


def test_a_broken_connection(file: Database) -> None:
    """A connection that broke is a server that went away, whatever the text says."""
    said = str(translated(file, psycopg.OperationalError(NONSENSE), broken=True))
    assert said.startswith(f"database {file.path}: the server went away")


@pytest.mark.parametrize("code", ["22001", "23505", "54000"])
def test_rows_that_a_server_refuses(file: Database, code: str) -> None:
    """A value or a row that is refused is no fault of the database, told by the class of its code."""
    assert isinstance(translated(file, psycopg.errors.lookup(code)(NONSENSE)), RowRefusedError)


def test_a_row_that_reads_like_another_error(file: Database) -> None:
    """A value that is refused by the driver itself gets no advice for what it happens to say."""
    error = DBAPIError.instance("", {}, psycopg.DataError("password"), psycopg.Error)
    assert isinstance(error, DBAPIError)
    assert file.translate_error(error).args == (f"database {file.path}: password",)
