"""The `db` commands as they are typed: exit codes and documents."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.command import Run

ORPHAN = "orphan: row 1 of pins refers to a missing row of {}"


def test_an_upgrade_that_finds_a_problem_fails(run: Run, own_home: Path) -> None:
    """`db upgrade` checks the index that it leaves, and its exit code is 1 if a row refers to a missing one."""
    assert run("db", "upgrade").code == 0
    with closing(sqlite3.connect(own_home / "indexer.db")) as connection:  # which does not enforce references
        connection.execute("INSERT INTO pins (image_id, reason, pinned_at, run_id) VALUES (9, 'pin', '2026-01-01', 1)")
        connection.commit()
    answer = run("db", "upgrade", "--json")
    assert (answer.code, answer.document["problems"]) == (1, [ORPHAN.format("runs"), ORPHAN.format("images")])


def test_a_backup_is_named_by_its_whole_path(run: Run, own_home: Path) -> None:
    """The document has the absolute path, whatever was typed."""
    assert run("db", "upgrade").code == 0
    assert run("db", "backup", "b.db", "--json").document["backup"] == str(own_home / "b.db")


def test_an_upgrade_without_a_backup_says_so(run: Run, own_home: Path) -> None:
    """Where no copy was made, the text says it, and the document has the revision of before; a new index had none."""
    old = Path(__file__).parents[2] / "store" / "old" / "revision_0016.sql"
    with closing(sqlite3.connect(own_home / "indexer.db")) as connection:
        connection.executescript(old.read_text(encoding="utf-8"))
    assert "made no backup" in run("db", "upgrade", "--no-backup").out
    document = run("--db", "new.db", "db", "upgrade", "--json").document
    assert (document["backup"], document["upgraded_from"]) == (None, None)
