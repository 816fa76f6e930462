"""Long runs: one row, the lock for each batch, and an end that is known even if the process was killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from indexer.errors import DatabaseError, IndexInUseError
from indexer.store.database import Database
from indexer.workflows.runs.killed_runs import list_killed_runs
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.run import open_run, record_run
from tests.support.apart import until
from tests.support.databases import on_sqlite
from tests.support.index import Index, Ticking, name, picture

PROJECT = Path(__file__).resolve().parents[3]
AT_WORK = """
import sys
from datetime import UTC, datetime
from indexer.store.schema import open_database
from indexer.workflows.runs.run import open_run
database = open_database(sys.argv[1])
with open_run(database, "ingest", arguments={}, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as run:
    with run.record_batch() as batch:
        batch.counts["videos"] = 1
    print("between batches", flush=True)
    sys.stdin.read()
"""


def runs(index: Index) -> list[tuple[str, str | None, str | None]]:
    """Command, outcome and counts of every run."""
    return index.rows("SELECT command, outcome, counts FROM audit_runs ORDER BY run_id")


@contextmanager
def another_process(index: Index) -> Iterator["subprocess.Popen[str]"]:
    """A long run of another process, between two batches."""
    url = index.database.url.render_as_string(hide_password=False)
    pipe = subprocess.PIPE
    surroundings = os.environ | {"PYTHONPATH": str(PROJECT)}
    arguments = [sys.executable, "-c", AT_WORK, url]
    with subprocess.Popen(arguments, env=surroundings, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "between batches\n"
        yield process


def test_one_row_with_the_counts_of_every_batch(index: Index) -> None:
    """A long run has one row, its counts are there after each batch, and its outcome and end come last."""
    with open_run(index.database, "ingest", arguments={"paths": []}, clock=index.clock) as run:
        for number in (1, 2):
            with run.record_batch() as batch:
                assert (batch.id, batch.write_lock.exclusive) == (run.id, True)
                batch.counts["videos"] = number
            assert runs(index) == [("ingest", None, json.dumps({"videos": number}))]
    assert runs(index) == [("ingest", "done", '{"videos": 2}')]
    assert index.rows("SELECT COUNT(*) FROM audit_runs WHERE finished_at > started_at") == [(1,)]


def test_others_work_between_batches(index: Index) -> None:
    """Between two batches another command writes; within one it is refused and told who holds the lock."""
    index.put(name(0), picture())
    refuse = LockWait(batch_limit_s=0)
    other = Database(index.database.url)
    with open_run(index.database, "ingest", arguments={}, clock=index.clock) as run:
        with run.record_batch():
            refused = pytest.raises(IndexInUseError, match=r"'ingest' \(process \d+")
            with refused, record_run(other, "pin", arguments={}, clock=index.clock, wait=refuse):
                pass
        with record_run(other, "pin", arguments={}, clock=index.clock, wait=refuse):
            pass
        with run.record_batch():
            pass
    other.close()
    assert [row[:2] for row in runs(index)] == [("ingest", "done"), ("pin", "done")]


@on_sqlite
def test_others_get_the_lock_of_a_run_that_takes_it_again_at_once(index: Index) -> None:
    """A command that waits for a long run with batch after batch gets the lock long before it gives up."""
    is_over = threading.Event()

    def work(database: Database) -> None:
        with open_run(database, "ingest", arguments={}, clock=Ticking()) as run:
            while not is_over.is_set():
                with run.record_batch():
                    is_over.wait(0.3)

    with ThreadPoolExecutor(1) as threads, closing(Database(index.database.url)) as other:
        working = threads.submit(work, other)
        try:
            until(lambda: index.rows("SELECT COUNT(*) FROM runs") == [(1,)])
            for _ in range(3):
                with record_run(index.database, "pin", arguments={}, clock=index.clock):
                    pass
        finally:
            is_over.set()
        working.result()


@on_sqlite
def test_a_run_that_is_no_longer_shown_works_no_more(index: Index) -> None:
    """A run whose lock is gone, which others take for cut off, has no further batch."""
    with open_run(index.database, "ingest", arguments={}, clock=index.clock) as run:
        (lock,) = Path(str(index.database.path)).parent.glob("*.run1.lock")
        lock.unlink()
        with pytest.raises(DatabaseError, match="'ingest' is at work"), run.record_batch():
            pass


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [(KeyboardInterrupt, "interrupted"), (DatabaseError, "failed"), (ZeroDivisionError, "failed")],
)
def test_early_end(index: Index, problem: type[BaseException], outcome: str) -> None:
    """A long run that ends early within a batch says how, and keeps the counts so far."""

    def work() -> None:
        with open_run(index.database, "ingest", arguments={}, clock=index.clock) as run, run.record_batch() as batch:
            batch.counts["videos"] = 1
            raise problem

    with pytest.raises(problem):
        work()
    assert runs(index) == [("ingest", outcome, '{"videos": 1}')]


def test_a_killed_run_is_recorded_by_the_next_command(index: Index) -> None:
    """A long run at work stays without an outcome; after a kill the next command records it as interrupted."""
    with another_process(index) as process:
        index.pin()
        assert runs(index)[0] == ("ingest", None, '{"videos": 1}')
        assert list_killed_runs(index.database) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = until(lambda: list_killed_runs(index.database))  # a server sees some time later that a client is gone
        assert [run.id for run in killed] == [1]
        index.pin()
    assert runs(index)[0] == ("ingest", "interrupted", '{"videos": 1}')
    assert list_killed_runs(index.database) == []
    if index.database.path is not None:
        assert list(index.database.path.parent.glob("*.run*.lock")) == []


def test_a_batch_waits_for_the_lock(index: Index) -> None:
    """A batch waits while another command has the lock, reports once for whom, and goes on."""
    holders, entered, leave = list[str](), threading.Event(), threading.Event()
    other = Database(index.database.url)

    def hold() -> None:
        with record_run(other, "prune", arguments={}, clock=Ticking()):
            entered.set()
            leave.wait(60)

    def report(holder: str) -> None:
        holders.append(holder)
        leave.set()

    thread = threading.Thread(target=hold)
    wait = LockWait(limit_s=None, batch_limit_s=None, on_wait=report, pauses_s=(0.3,))
    with open_run(index.database, "ingest", arguments={}, clock=index.clock, wait=wait) as run:
        thread.start()
        assert entered.wait(60)
        with run.record_batch() as batch:
            batch.counts["videos"] = 1
    thread.join()
    other.close()
    assert [holder.split()[0] for holder in holders] == ["'prune'"]
    assert sorted(row[:2] for row in runs(index)) == [("ingest", "done"), ("prune", "done")]


def test_unfinished_removals_are_recovered_by_a_batch(index: Index) -> None:
    """What another command left unfinished between two batches is recovered by the next batch, and counted."""
    for minute in range(2):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.prune()
    with open_run(index.database, "ingest", arguments={}, clock=index.clock) as run:
        index.execute("UPDATE removals SET pending = 'restore'")
        with run.record_batch() as batch:
            assert batch.recovery.undone + batch.recovery.finished == 1
    counts = json.loads(runs(index)[-1][2] or "")
    assert sum(counts["settled"].values()) == 1
