"""Kills `db upgrade` at twenty moments: the index then has its old or its new revision, and all of its rows."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from indexer.store.schema import check_database, head_revision, open_any_revision, upgrade_database

PROJECT = Path(__file__).resolve().parents[2]
DUMP = PROJECT / "tests" / "store" / "old" / "00675fd.sql"
KILLS = 20
KILLS_BEFORE_THE_BACKUP = 4  # the others are spread from the moment in which it begins


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


COMMAND = [sys.executable, PROJECT / "manage.py", "--db", "indexer.db", "db", "upgrade"]


def start_upgrade(folder: Path) -> subprocess.Popen[bytes]:
    """An upgrade of a new old index in a new folder, which begins."""
    folder.mkdir()
    old_index(folder / "indexer.db")
    return subprocess.Popen(COMMAND, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def list_backups(folder: Path) -> list[str]:
    """The names of the backup, also of one that is not complete."""
    return sorted(path.name for path in folder.glob("*.revision-*"))


def measure(folder: Path) -> tuple[float, float]:
    """After how many seconds an upgrade begins its backup, and ends."""
    begin_s, backup_s = time.monotonic(), None
    process = start_upgrade(folder)
    while process.poll() is None:
        if backup_s is None and list_backups(folder):
            backup_s = time.monotonic() - begin_s
        time.sleep(0.001)
    assert process.returncode == 0
    assert backup_s is not None
    return backup_s, time.monotonic() - begin_s


def is_whole(folder: Path, old_revision: str, before: list[tuple[object, ...]]) -> str:
    """The revision of an index whose upgrade was killed: the old or the new one. Its rows are there, and in the
    backup; a second upgrade finishes the first."""
    path = folder / "indexer.db"
    database, revision = open_any_revision(str(path))
    database.close()
    assert revision in {old_revision, head_revision()}
    assert images_and_decisions(path) == before
    backups = [folder / name for name in list_backups(folder) if "partial" not in name]
    assert [images_and_decisions(file) for file in backups] == [before] * len(backups)
    assert upgrade_database(str(path)).revision == head_revision()
    database, _ = open_any_revision(str(path))
    with closing(database):
        assert check_database(database).problems == ()
    assert images_and_decisions(path) == before
    return revision


@pytest.mark.drill
def test_killed_upgrades_leave_the_old_or_the_new_index(tmp_path: Path) -> None:
    """After each kill the index opens, is undamaged and complete. Kills fell before the backup and after it."""
    backup_s, end_s = measure(tmp_path / "whole")
    (tmp_path / "old").mkdir()
    old_revision = old_index(tmp_path / "old" / "indexer.db")
    before = images_and_decisions(tmp_path / "old" / "indexer.db")
    moments = Counter[tuple[bool, bool]]()
    for number in range(KILLS):
        folder = tmp_path / str(number)
        process = start_upgrade(folder)
        if number < KILLS_BEFORE_THE_BACKUP:
            time.sleep(backup_s * number / KILLS_BEFORE_THE_BACKUP)
        else:
            while process.poll() is None and not list_backups(folder):
                time.sleep(0.001)
            later = (number - KILLS_BEFORE_THE_BACKUP) / (KILLS - KILLS_BEFORE_THE_BACKUP)
            time.sleep((end_s - backup_s) * later)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        has_backup = bool(list_backups(folder))
        moments[has_backup, is_whole(folder, old_revision, before) == old_revision] += 1
    print(f"kills by (has a backup, has the old revision): {dict(moments)}")  # noqa: T201
    assert moments[True, True] > 0, "no kill fell between the start of the backup and the end of the migrations"
