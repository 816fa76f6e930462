"""A backup: one file with the rows of one moment, complete or not there, whatever others write meanwhile."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indexer.errors import DatabaseError, FolderError, UsageError
from indexer.store.database import Database, parse_database
from indexer.store.schema import migrate, open_any_revision, open_database, upgrade_database
from indexer.store.transfer import backup
from indexer.store.transfer.backup import PageCounter, back_up
from tests.support.databases import Maker, execute, rows

PROJECT = Path(__file__).resolve().parents[3]
KILL_AT = """
import os, signal, sys
from indexer.store.schema import open_database
from indexer.store.transfer.backup import back_up
steps = iter(range(int(sys.argv[3])))
back_up(open_database(sys.argv[1]), sys.argv[2], pages_per_step=8,
        advance=lambda done, total: next(steps, None) is None and os.kill(os.getpid(), signal.SIGKILL))
"""
INSERT = "INSERT INTO runs (command, arguments, version, started_at) VALUES ('ingest', ?, '0', '2026-01-01')"


def ignore(_done: int, _total: int) -> None:
    """A progress that shows nothing."""


def kind_of_run(database: Database) -> list[tuple[int, int]]:
    """How many runs an index has, and how long their arguments are."""
    return rows(database, "SELECT COUNT(*), SUM(LENGTH(arguments)) FROM runs")


@pytest.fixture
def index(tmp_path: Path) -> Database:
    """An index of more pages than a step copies, as the tests take small steps."""
    database = open_database(str(tmp_path / "indexer.db"), create=True)
    for _ in range(20):
        execute(database, INSERT, "x" * 9000)
    return database


def in_small_steps(index: Database, target: Path, *, advance: PageCounter = ignore) -> int:
    """Makes a backup in several steps."""
    return back_up(index, str(target), advance=advance, pages_per_step=8)


def test_backup_is_the_index_of_one_moment(index: Database, tmp_path: Path) -> None:
    """Whatever another connection commits while pages are copied, the backup has the rows of before, and is whole."""
    before = kind_of_run(index)
    steps: list[int] = []

    def write_meanwhile(done: int, _total: int) -> None:
        steps.append(done)
        with closing(sqlite3.connect(tmp_path / "indexer.db")) as other:
            other.execute(INSERT, ("y" * 50_000,))
            other.commit()

    size = in_small_steps(index, tmp_path / "copy.db", advance=write_meanwhile)
    assert len(steps) > 3
    assert steps == sorted(set(steps)), "the copy began anew"
    assert size == (tmp_path / "copy.db").stat().st_size
    with closing(open_database(str(tmp_path / "copy.db"))) as copy:
        assert kind_of_run(copy) == before
        assert rows(copy, "SELECT id FROM index_identity") == rows(index, "SELECT id FROM index_identity")
        assert rows(copy, "PRAGMA journal_mode") == [("wal",)]
    assert kind_of_run(index) != before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_nothing_is_written_over(index: Database, tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A file, a folder or a link that leads nowhere at the target is refused, and left as it is."""
    target = tmp_path / "copy.db"
    make(target)
    before = os.lstat(target)
    with pytest.raises(FolderError, match=r"copy\.db"):
        in_small_steps(index, target)
    assert os.lstat(target) == before


def test_a_full_disk_leaves_nothing(index: Database, tmp_path: Path) -> None:
    """Where the copy has no room, the error names the file that was asked for, and nothing is left."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(DatabaseError, match=r"/copy\.db cannot be written .*nothing is left"):
            in_small_steps(index, tmp_path / "copy.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob("copy*"))


def test_a_file_that_appears_meanwhile_stays(index: Database, tmp_path: Path) -> None:
    """Another program's file, made while pages are copied, is not written over."""
    target = tmp_path / "copy.db"
    with pytest.raises(FolderError, match="already"):
        in_small_steps(index, target, advance=lambda _done, _total: target.write_text("theirs"))
    assert target.read_text() == "theirs"
    assert not list(tmp_path.glob("*partial*"))


def test_a_folder_that_is_missing(index: Database, tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(FolderError, match=r"nowhere does not exist"):
        back_up(index, str(tmp_path / "nowhere" / "copy.db"), advance=ignore)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_fails_leaves_nothing(index: Database, tmp_path: Path, error: BaseException) -> None:
    """After Ctrl-C or an error while pages are copied there is no backup and no part of one."""

    def fail(_done: int, _total: int) -> None:
        raise error

    with pytest.raises((KeyboardInterrupt, DatabaseError)):
        in_small_steps(index, tmp_path / "copy.db", advance=fail)
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == []


def test_a_damaged_index_has_no_backup(index: Database, tmp_path: Path) -> None:
    """Damage is found when the copy is checked: nobody shall rely on a backup that cannot be read."""
    index.close()
    path = tmp_path / "indexer.db"
    data = bytearray(path.read_bytes())
    for start in range(20 * 4096, len(data), 4096):
        data[start : start + 100] = b"\xff" * 100
    path.write_bytes(data)
    with closing(Database(parse_database(str(path)))) as damaged, pytest.raises(DatabaseError, match="damaged"):
        in_small_steps(damaged, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("step", [0, 2])
def test_a_kill_leaves_no_backup_that_looks_whole(index: Database, tmp_path: Path, step: int) -> None:
    """After SIGKILL while pages are copied nothing is at the target, and the index is as it was."""
    before = kind_of_run(index)
    words = [sys.executable, "-c", KILL_AT, tmp_path / "indexer.db", tmp_path / "copy.db", str(step)]
    assert subprocess.run(words, cwd=PROJECT, timeout=60).returncode == -signal.SIGKILL
    assert not (tmp_path / "copy.db").exists()
    assert kind_of_run(index) == before


def test_a_server_has_its_own_tool(maker: Maker, tmp_path: Path) -> None:
    """A file is copied; for a server the error is the command to type, without a password."""
    place = maker.place(tmp_path)
    with closing(open_database(place, create=True)) as database:
        if "://" not in place:
            assert back_up(database, str(tmp_path / "copy.db"), advance=ignore) > 0
            return
        with pytest.raises(UsageError, match=r"type: pg_dump --format=custom --file=\S+copy\.db postgresql://\S+$"):
            back_up(database, str(tmp_path / "copy.db"), advance=ignore)


def made_at(path: Path, revision: str) -> Database:
    """An index of an older revision with one run."""
    database = Database(parse_database(str(path)))
    database.use_write_ahead_log()
    with database.write_connection() as connection:
        migrate(connection, revision=revision)
    execute(database, INSERT, "{}")
    database.close()
    return database


def test_an_upgrade_makes_a_backup_first(tmp_path: Path) -> None:
    """The index of before lies beside the new one, with its revision in its name, and opens as what it was."""
    made_at(tmp_path / "indexer.db", "0005")
    upgraded = upgrade_database(str(tmp_path / "indexer.db"), make_backup=True)
    assert upgraded.backup == str(tmp_path / "indexer.db.revision-0005")
    old, revision = open_any_revision(upgraded.backup)
    with closing(old):
        assert revision == "0005"
        assert rows(old, "SELECT command FROM runs") == [("ingest",)]
    assert upgrade_database(str(tmp_path / "indexer.db"), make_backup=True).backup is None, "nothing was older"


def test_a_second_backup_has_a_name_of_its_own(tmp_path: Path) -> None:
    """A backup of an earlier try is not written over."""
    made_at(tmp_path / "indexer.db", "0005")
    (tmp_path / "indexer.db.revision-0005").write_text("earlier")
    upgraded = upgrade_database(str(tmp_path / "indexer.db"), make_backup=True)
    assert upgraded.backup == str(tmp_path / "indexer.db.revision-0005-2")
    assert (tmp_path / "indexer.db.revision-0005").read_text() == "earlier"


def test_without_room_for_a_backup_nothing_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index keeps its revision, and the error names the way without a backup."""
    made_at(tmp_path / "indexer.db", "0005")
    monkeypatch.setattr(backup, "move_no_replace", refuse_for_space)
    with pytest.raises(DatabaseError, match=r"No space left.*nothing was upgraded.*db upgrade --no-backup"):
        upgrade_database(str(tmp_path / "indexer.db"), make_backup=True)
    old, revision = open_any_revision(str(tmp_path / "indexer.db"))
    old.close()
    assert revision == "0005"
    assert not list(tmp_path.glob("*partial*"))


def refuse_for_space(*_arguments: object, **_options: object) -> None:
    """A disk that is full."""
    raise OSError(28, "No space left on device")
