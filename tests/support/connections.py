"""Connections to the server of the tests, past the tool: kept open for the next question, and ended from outside.

A server is shared by all processes that test at the same time: only connections of the test's own database are ended.
"""

import os
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL

OTHERS = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
"""What follows FROM in a query for the other connections of a database."""
ADVISORY_LOCKS = """pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
"""What follows FROM in a query for the advisory locks that are held in a database."""
WAITING_LOCKS = ADVISORY_LOCKS.replace("AND granted", "AND NOT granted")
"""What follows FROM in a query for the advisory locks of a database that are waited for."""
END_OTHERS = f"SELECT pg_terminate_backend(pid, 5000) FROM {OTHERS}"
"""The SQL that ends all other connections of a database, and waits until they have ended, at most five seconds."""


def connected(url: URL) -> Any:
    """A new connection to a database, in no transaction."""
    import psycopg

    return psycopg.connect(url_text(url.set(drivername="postgresql")), autocommit=True)


def url_text(url: URL) -> str:
    """The URL with its password."""
    return url.render_as_string(hide_password=False)


class Connections:
    """Open connections to the databases that were asked last, each by itself and in no transaction."""

    _CAPACITY = 4  # of one process; the server has a hundred for all

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], Any] = {}

    def ask(self, url: URL, ask: Callable[[Any], Any]) -> Any:
        """What is answered over a connection to a database; over another one if that was ended meanwhile."""
        from psycopg import OperationalError

        connection = self._get(url)
        try:
            return ask(connection)
        except OperationalError:
            if not connection.closed:
                raise
            return ask(self._get(url))

    def _get(self, url: URL) -> Any:
        key = (os.getpid(), url_text(url))  # a fork has the connections of its parent, and must not use them
        kept = self._open.pop(key, None)
        self._open[key] = connected(url) if kept is None or kept.closed else kept
        if len(self._open) > self._CAPACITY:
            self._open.pop(next(iter(self._open))).close()
        return self._open[key]

    def close(self, url: URL) -> None:
        """Ends the connection to a database, if there is one."""
        kept = self._open.pop((os.getpid(), url_text(url)), None)
        if kept is not None:
            kept.close()

    def close_all(self) -> None:
        """Ends all connections."""
        for key in [key for key in self._open if key[0] == os.getpid()]:
            self._open.pop(key).close()


open_connections = Connections()
