"""What ends the connections of a database leaves those of other databases of the same server alone."""

import re
from contextlib import closing
from pathlib import Path

from indexer.store.database import Database
from tests.support.connections import END_OTHERS, connected
from tests.support.databases import Maker, execute, on_postgresql

TESTS = Path(__file__).resolve().parents[1]
OF_A_SERVER = re.compile("pg_stat_activity|pg_locks")


def is_open(connection: object) -> bool:
    """Whether the server still answers on a connection."""
    from psycopg import OperationalError

    try:
        return bool(connection.execute("SELECT 1").fetchone())  # type: ignore[attr-defined]
    except OperationalError:
        return False


@on_postgresql
def test_only_connections_of_the_same_database_end(database: Database, maker: Maker, tmp_path: Path) -> None:
    """Tests run side by side on one server: what one of them ends is its own, also among those that hold a lock."""
    neighbour = maker.new(tmp_path)
    with closing(connected(database.url)) as own, closing(connected(neighbour.url)) as other:
        for connection in (own, other):
            connection.execute("SELECT pg_advisory_lock(1958117, 1)")
        execute(database, END_OTHERS)
        assert (is_open(own), is_open(other)) == (False, True)
    maker.drop(neighbour)


def test_only_this_place_asks_a_server_for_all_its_connections() -> None:
    """What lists the connections or locks of a whole server is asked through `connections.py`, which keeps to one
    database."""
    named = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if OF_A_SERVER.search(path.read_text("utf-8"))
    }
    assert named == {"support/connections.py", "support/test_connections.py"}
