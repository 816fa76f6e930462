"""What all writing commands share: one at a time, remembered from the beginning, with an honest end."""

import json

import pytest

from indexer.errors import DatabaseError
from indexer.workflows.runs.run import record_run
from tests.support.index import Index, name, picture


def outcomes(index: Index) -> list[tuple[str, str | None, str | None]]:
    """Command, outcome and counts of every run."""
    return index.rows("SELECT command, outcome, counts FROM audit_runs ORDER BY run_id")


def test_run_is_there_from_the_beginning(index: Index) -> None:
    """The row of a run is committed before its work, without an outcome, and finished with counts and times."""
    with record_run(index.database, "ingest", arguments={"paths": ["a"]}, clock=index.clock) as run:
        assert outcomes(index) == [("ingest", None, None)]
        run.counts = {"seen": 3}
    found = index.rows("SELECT run_id, arguments, outcome, counts, started_at < finished_at FROM audit_runs")
    assert found == [(1, '{"paths": ["a"]}', "done", '{"seen": 3}', 1)]


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [(KeyboardInterrupt, "interrupted"), (DatabaseError, "failed"), (ZeroDivisionError, "failed")],
)
def test_run_tells_how_it_ended(index: Index, problem: type[BaseException], outcome: str) -> None:
    """A run that ends early says how, keeps its counts so far, and lets the next one work."""

    def work() -> None:
        with record_run(index.database, "compare", arguments={}, clock=index.clock) as run:
            run.counts = {"scored": 1}
            raise problem

    with pytest.raises(problem):
        work()
    assert outcomes(index) == [("compare", outcome, '{"scored": 1}')]
    assert index.compare().cameras == []


def test_second_writer_is_refused(index: Index) -> None:
    """While one command writes, another is refused, told who holds the lock, and leaves nothing behind."""
    index.put(name(0), picture())
    with record_run(index.database, "prune", arguments={}, clock=index.clock):
        before = index.dump()
        with pytest.raises(DatabaseError, match=r"'prune' \(process \d+"):
            index.ingest()
        assert index.dump() == before
    assert dict(index.ingest().outcomes) == {"added": 1}


def test_every_writing_command_is_remembered(index: Index) -> None:
    """Each writing command leaves one run with counts that can be read; what only looks leaves none."""
    for minute in range(2):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.plan()
    for verb in (index.compare, index.prune, index.restore, index.purge):
        verb()
    index.pin(name(0))
    index.unpin(name(0))
    index.make_profile("mine")
    commands = ["ingest", "compare", "prune", "restore", "purge", "pin", "unpin", "profile make"]
    assert [found[:2] for found in outcomes(index)] == [(command, "done") for command in commands]
    assert all(isinstance(json.loads(counts or ""), dict) for _, _, counts in outcomes(index))


def test_runs_do_not_know_where_the_database_is(index: Index) -> None:
    """A run remembers what was asked for, never the database's address, which may hold a password."""
    index.put(name(0), picture())
    index.put(name(1), picture())
    index.ingest()
    index.compare()
    index.prune()
    index.make_profile("mine", max_score=5.0)
    found = [json.loads(arguments) for (arguments,) in index.rows("SELECT arguments FROM audit_runs ORDER BY run_id")]
    assert found == [
        {"paths": [str(index.folder)], "camera": None, "pattern": None},
        {"profile": None, "camera": None},
        {"camera": None, "permanent": False, "quarantine": None, "max_share": None, "include_restored": False},
        {"name": "mine", "base": "balanced", "max_score": 5.0},
    ]
