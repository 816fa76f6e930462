"""Kills `db upgrade` at twenty moments: the index then has its old or its new revision, and all of its rows."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from indexer.store.schema import check_database, head_revision, open_any_revision, upgrade_database

PROJECT = Path(__file__).resolve().parents[2]
DUMP = PROJECT / "tests" / "store" / "old" / "00675fd.sql"
KILLS = 20


def old_index(path: Path) -> str:
    """Makes the index of an earlier version; its revision."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def images_and_decisions(path: Path) -> list[tuple[object, ...]]:
    """Rows that no upgrade may lose."""
    with closing(sqlite3.connect(path)) as connection:
        images = connection.execute("SELECT id, path, state, content_hash FROM images ORDER BY id").fetchall()
        return (
            images + connection.execute("SELECT id, image_id, keeper_id, score FROM decisions ORDER BY id").fetchall()
        )


@pytest.mark.drill
def test_killed_upgrades_leave_the_old_or_the_new_index(tmp_path: Path) -> None:
    """After each kill the index opens, is undamaged and complete, and a second upgrade finishes the first."""
    command = [sys.executable, PROJECT / "manage.py", "--db", "indexer.db", "db", "upgrade"]
    whole = tmp_path / "whole"
    whole.mkdir()
    old_revision = old_index(whole / "indexer.db")
    before = images_and_decisions(whole / "indexer.db")
    begin_s = time.monotonic()
    subprocess.run(command, cwd=whole, check=True, capture_output=True, timeout=120)
    duration_s = time.monotonic() - begin_s
    revisions = set[str]()
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "indexer.db"
        old_index(path)
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(duration_s * (0.4 + 0.6 * number / KILLS))  # the first part is the start of Python
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        database, revision = open_any_revision(str(path))
        database.close()
        revisions.add(revision)
        assert revision in {old_revision, head_revision()}
        assert images_and_decisions(path) == before
        backups = [file for file in folder.glob("indexer.db.revision-*") if "partial" not in file.name]
        assert [images_and_decisions(file) for file in backups] == [before] * len(backups)
        assert upgrade_database(str(path)).revision == head_revision()
        database, _ = open_any_revision(str(path))
        with closing(database):
            assert check_database(database).problems == ()
        assert images_and_decisions(path) == before
    assert old_revision in revisions, "every kill came too late"
