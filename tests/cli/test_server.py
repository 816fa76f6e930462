"""The commands on a server: the whole job from the command line, and a question that may not write."""

from pathlib import Path

import pytest

from indexer.workflows.admin.demo import write_frames
from tests.support.command import Run
from tests.support.databases import Maker, on_postgresql, rows


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """A folder of twelve made frames."""
    write_frames(tmp_path / "site" / "frames")
    return tmp_path / "site" / "frames"


@on_postgresql
def test_the_whole_job(maker: Maker, run: Run, lot: Path, tmp_path: Path) -> None:
    """From a database without tables to removed files and back, by commands alone; each prints one JSON document."""
    asked = ["--db", maker.place(tmp_path)]
    before = sorted(path.name for path in lot.iterdir())
    ingested = run(*asked, "ingest", lot, "--json").document
    assert ingested["seen"] == len(before)
    compared = run(*asked, "compare", "--json").document
    duplicates = sum(camera["duplicates"] for camera in run(*asked, "status", "--json").document["cameras"])
    assert duplicates > 0
    assert sum(camera["duplicates"] for camera in compared["cameras"]) == duplicates
    assert run(*asked, "prune", "--yes", "--json").document["removed"] == duplicates
    assert len(list(lot.iterdir())) == len(before) - duplicates
    assert len(run(*asked, "audit", "removals", "--json").document["rows"]) == duplicates
    assert run(*asked, "restore", "--all", "--json").document["restored"] == duplicates
    assert sorted(path.name for path in lot.iterdir()) == before
    assert run(*asked, "db", "check", "--json").code == 0


@on_postgresql
def test_a_question_may_not_write(maker: Maker, run: Run, lot: Path, tmp_path: Path) -> None:
    """`audit --sql` that would write ends with code 2, by a role that may do more than read with code 1. All stays."""
    database = maker.new(tmp_path)
    place = database.url.render_as_string(hide_password=False)
    run("--db", place, "ingest", lot)
    answer = run("--db", place, "audit", "--sql", "SELECT path FROM images")
    assert (answer.code, answer.out) == (1, "")
    assert answer.sentence.startswith("indexer: audit --sql on a server is for a role that can only read, and ")
    reader = maker.reader(database)
    asking = ["--db", reader.url.render_as_string(hide_password=False)]
    reader.close()
    answer = run(*asking, "audit", "--sql", "COMMIT; DELETE FROM images")
    assert answer.code == 2
    assert answer.sentence.startswith("indexer: audit --sql only reads, with one SELECT statement (")
    answered = run(*asking, "audit", "--sql", "SELECT path FROM images ORDER BY 1", "--json").document["rows"]
    assert answered == [list(row) for row in rows(database, "SELECT path FROM images ORDER BY 1")] != []
    assert rows(database, "SELECT COUNT(*) > 0 FROM images") == [(True,)]
    maker.drop(database)


def test_a_server_that_is_not_there(run: Run, lot: Path) -> None:
    """Where no server answers, that is one sentence without the password, code 1."""
    answer = run("--db", "postgresql+psycopg://ada:hunter2@127.0.0.1:1/index", "ingest", lot)
    assert answer.code == 1
    assert "no server answers" in answer.sentence
    assert "hunter2" not in answer.out + answer.err
