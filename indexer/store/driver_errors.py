"""What an error of a database driver means, with advice for the person.

It promises to look at codes alone wherever the driver gives one: a server sends its messages in its own language. The
codes are the primary result codes of SQLite (https://www.sqlite.org/rescode.html) and the SQLSTATE of a server
(https://www.postgresql.org/docs/current/errcodes-appendix.html). It does not know which database failed.
"""

import re
import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

DAMAGED_ADVICE = "it is damaged or no SQLite database; restore it from a backup, or name another"
_SERVER_GONE_ADVICE = "the server went away; when it is back, run the command again: it goes on where it stopped"
_PATH_TOO_LONG_ADVICE = "a path is too long for PostgreSQL, which takes some 2 700 bytes; shorten it"
_NO_DATABASE_ADVICE = "there is no such database yet; make it with: createdb NAME"
_NOT_LET_IN_ADVICE = "the server does not let this user in; check user and password in --db, or in ~/.pgpass"
_TOO_MANY_ADVICE = "the server has no connection free; try again when others have ended"
_STARTING_ADVICE = "the server is starting; try again in a moment"
_FULL_ADVICE = "the disk is full; free some space and run the command again, it goes on where it stopped"
_BUSY_ADVICE = "another program is writing to it; try again when it has finished"
_DISK_ADVICE = "the disk reports an error; check its free space and its health"

_ADVICE_BY_PRIMARY_CODE = {
    sqlite3.SQLITE_BUSY: _BUSY_ADVICE,
    sqlite3.SQLITE_LOCKED: _BUSY_ADVICE,
    sqlite3.SQLITE_READONLY: "it cannot be written to; check the rights of the file and of its folder",
    sqlite3.SQLITE_FULL: _FULL_ADVICE,
    sqlite3.SQLITE_CORRUPT: DAMAGED_ADVICE,
    sqlite3.SQLITE_NOTADB: DAMAGED_ADVICE,
    sqlite3.SQLITE_IOERR: _DISK_ADVICE,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and may be written to",
}
_DISK_SYMPTOMS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOLFS,
}
_ADVICE_BY_SQLSTATE = [
    (("3D000",), _NO_DATABASE_ADVICE),
    (("28",), _NOT_LET_IN_ADVICE),
    (("42501",), "this user may not do that; use the user who owns the database, or GRANT it"),
    (("53300",), _TOO_MANY_ADVICE),
    (("57P03",), _STARTING_ADVICE),
    # Classes 57 and 25 have codes for a server that stops or ends the connection. 08 is a broken connection.
    (("57P01", "57P02", "57P04", "57P05", "25P03", "25P04", "08"), _SERVER_GONE_ADVICE),
    (("25006",), "the server only reads, as a standby does; name the one that writes"),
    (("40001", "40P01"), "another program is writing the same; run the command again"),
    (("54000",), _PATH_TOO_LONG_ADVICE),  # of all that the store does, only an index key can exceed a limit
    (("53100",), _FULL_ADVICE),
    (("58030",), _DISK_ADVICE),
    (("XX001", "XX002"), DAMAGED_ADVICE),
]
_ADVICE_WITHOUT_SQLSTATE = [
    # While libpq connects, and when a connection breaks, there is no code, only a text. The texts of libpq and psycopg
    # are in English, because Python sets no LC_MESSAGES. The texts of a server (below) are in the server's language.
    ("Connection refused|timeout expired|timed out$", "no server answers there; start it, or check host and port"),
    (
        "could not translate host name|resolve host|Name or service not known",
        "there is no such host; check its name",
    ),
    ("closed the connection|connection (is closed|was lost|.*reset)", _SERVER_GONE_ADVICE),
    (r'database ".*" does not exist', _NO_DATABASE_ADVICE),
    (r'password|role ".*" does not exist|no pg_hba.conf entry', _NOT_LET_IN_ADVICE),
    ("permission denied for database", "this user may not do that; use the user who owns the database, or GRANT it"),
    ("too many clients|connection slots", _TOO_MANY_ADVICE),
    ("starting up|in recovery mode", _STARTING_ADVICE),
    ("shutting down", _SERVER_GONE_ADVICE),
]


def primary_code(error: BaseException | None) -> int | None:
    """The primary result code of an error of SQLite; None if it has none.

    It is the lowest byte of the extended code. The name in the exception is of no use: it is "unknown" for a code that
    is newer than this Python.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def find_advice(error: DBAPIError) -> str | None:
    """What an error means and what to do about it, as one clause; None if there is no advice for it."""
    if isinstance(error.orig, sqlite3.Error):
        return _ADVICE_BY_PRIMARY_CODE.get(primary_code(error.orig) or sqlite3.SQLITE_OK)
    if sqlstate := _sqlstate(error):
        return next((advice for codes, advice in _ADVICE_BY_SQLSTATE if sqlstate.startswith(codes)), None)
    if error.connection_invalidated:
        return _SERVER_GONE_ADVICE
    message = "" if is_row_error(error) else str(error.orig).partition("\n")[0]
    return next((advice for pattern, advice in _ADVICE_WITHOUT_SQLSTATE if re.search(pattern, message)), None)


def may_be_disk_limitation(error: DBAPIError) -> bool:
    """Whether SQLite reports this error also if the disk lacks what an index needs (`indexer.store.index_disk`)."""
    return primary_code(error.orig) in _DISK_SYMPTOMS


def is_row_error(error: DBAPIError) -> bool:
    """Whether the database refuses only one value, or one row that conflicts with others; it works otherwise.

    For a server the class of the SQLSTATE decides.
    """
    sqlstate = _sqlstate(error)
    if sqlstate is None:
        return isinstance(error, DataError | IntegrityError)
    return sqlstate[:2] in {"22", "23", "54"}


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
