"""Naming rules, which belong to no camera: commands that work on different cameras write them one after the other."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from indexer.domain.naming.rules import NamingRule
from indexer.store.database import Database
from indexer.store.naming_rules import list_rules_to_change, set_rule
from tests.support.apart import until
from tests.support.connections import WAITING_LOCKS
from tests.support.databases import on_postgresql, rows


@on_postgresql
def test_who_would_write_rules_waits_for_who_does(database: Database) -> None:
    """Of two commands at once, the second reads the rules when the first has stored its own."""

    def read_late() -> list[str]:
        with closing(Database(database.url)) as other, other.write() as session:
            return list(list_rules_to_change(session))

    with ThreadPoolExecutor(1) as thread:
        with database.write() as session:
            assert list_rules_to_change(session) == {}
            late = thread.submit(read_late)
            until(lambda: rows(database, f"SELECT 1 FROM {WAITING_LOCKS}"))
            set_rule(session, NamingRule("/frames"))
        assert late.result(60) == ["/frames"]
