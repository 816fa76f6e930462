"""audit: ready-made questions and a person's own; asking changes nothing."""

from collections.abc import Iterator

import pytest

from indexer.errors import IndexerError, UsageError
from indexer.store.database import Database
from indexer.workflows.admin.audit import AuditQuery, list_audits, parse_query, run_query
from tests.support.databases import Maker
from tests.support.index import BIRD, CAR, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """A camera with everything in its history: decided, removed, changed, gone."""
    for minute, content in enumerate([picture(), picture(BIRD), picture(), b"broken", picture(CAR)]):
        index.put(name(minute), content)
    index.ingest()
    index.compare()
    index.prune()
    (index.folder / name(4)).unlink()
    index.ingest()


@pytest.fixture
def asking(lot: Index, maker: Maker) -> Iterator[Database]:
    """The same index, opened by who may only read."""
    opened = maker.reader(lot.database)
    yield opened
    opened.close()


def test_every_ready_made_question_is_answered(lot: Index) -> None:
    """Each ready-made question runs on an index with a history, and changes nothing."""
    before = lot.dump()
    given = {"image": "1", "run": "3"}
    for audit in list_audits():
        asked = [f"{one.name}={given[one.name]}" for one in audit.parameters if one.name in given]
        with run_query(lot.database, parse_query(audit.name, asked, sql=None)) as table:
            assert table.columns, audit.name
    assert len(list_audits()) >= 6
    assert lot.dump() == before


def test_own_question_is_answered(lot: Index, asking: Database) -> None:
    """A person's SQL on the views gives columns and rows."""
    sql = "SELECT camera, state, count(*) AS files FROM audit_removals GROUP BY 1, 2"
    with run_query(asking, AuditQuery(None, {}, sql)) as found:
        assert (found.columns, list(found)) == (("camera", "state", "files"), [("gate", "quarantined", 2)])


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM images",
        "UPDATE runs SET outcome = 'done'",
        "DROP VIEW audit_runs",
        "PRAGMA user_version = 5",
        "nonsense",
    ],
)
def test_question_cannot_write(lot: Index, asking: Database, sql: str) -> None:
    """SQL that would change anything is refused by the database, in one sentence."""
    before = lot.dump()
    with pytest.raises(IndexerError):
        run_query(asking, AuditQuery(None, {}, sql))
    assert lot.dump() == before


def test_words_of_a_question_must_fit() -> None:
    """A name beside SQL, an unknown name or a parameter without a value is refused; nothing asked is no question."""
    assert parse_query(None, [], sql=None) is None
    for name_, parameters, sql in (("families", [], "SELECT 1"), ("nowhere", [], None), ("families", ["limit"], None)):
        with pytest.raises(UsageError):
            parse_query(name_, parameters, sql=sql)
