"""Opening, making, upgrading, checking: no database is changed, or made, by surprise, and damage is named."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import DatabaseError
from indexer.store.database import Database, parse_database
from indexer.store.schema import (
    Health,
    Upgrade,
    check_database,
    head_revision,
    migrate,
    open_database,
    upgrade_database,
)
from tests.support.databases import on_sqlite


def made_at(path: Path, revision: str) -> Path:
    """An index as that revision left it."""
    opened = Database(parse_database(str(path)))
    with opened.write_connection() as connection:
        migrate(connection, revision=revision)
    opened.close()
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_upgrade_makes_a_missing_database(tmp_path: Path) -> None:
    """`upgrade_database` makes one where there is none, and does nothing to a current one."""
    path = tmp_path / "indexer.db"
    assert upgrade_database(str(path)) == Upgrade(head_revision(), None)
    before = snapshot(tmp_path)
    assert (upgrade_database(str(path)).revision, snapshot(tmp_path)) == (head_revision(), before)


def foreign(path: Path, *, journal: str = "delete") -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE songs (title)")
    connection.execute("INSERT INTO songs VALUES ('Dove sono')")
    connection.commit()
    connection.close()


def foreign_with_alembic(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE images (path)")
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('1975ea83b712')")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    made_at(path, "head")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def truncated(path: Path) -> None:
    data = made_at(path, "head").read_bytes()
    path.write_bytes(data[: len(data) // 2 + 100])


REFUSED = {
    "folder": (Path.mkdir, "is a folder; name a file in it"),
    "missing": (lambda path: None, "there is no index at .*; make one with: manage.py --db .* ingest FOLDER"),
    "empty file": (Path.touch, "is empty; fill it with: manage.py --db .* ingest FOLDER"),
    "foreign": (foreign, "belongs to another program; name another file with --db"),
    "foreign, write-ahead": (lambda path: foreign(path, journal="wal"), "belongs to another program"),
    "foreign, with alembic": (foreign_with_alembic, "belongs to another program"),
    "older": (lambda path: made_at(path, "0001"), "older version; type: manage.py --db .* db upgrade"),
    "newer": (newer, "made by a newer version of indexer; update indexer"),
    "random bytes": (lambda path: path.write_bytes(os.urandom(9000)), "is damaged or no SQLite database; restore it"),
    "text": (lambda path: path.write_text("camera,path\n" * 99), "is damaged or no SQLite database"),
    "truncated": (truncated, "is damaged or no SQLite database"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_index_is_refused_untouched(tmp_path: Path, case: str) -> None:
    """What is no current index is refused in one sentence with advice, and left as it was, no file beside it."""
    make, advice = REFUSED[case]
    folder = tmp_path / "place"
    folder.mkdir()
    make(folder / "indexer.db")
    before = snapshot(folder)
    with pytest.raises(DatabaseError, match=advice) as refusal:
        open_database(str(folder / "indexer.db"))
    assert "\n" not in str(refusal.value)
    assert snapshot(folder) == before


@pytest.mark.parametrize("case", ["folder", "foreign", "foreign, with alembic", "newer", "random bytes", "truncated"])
@pytest.mark.parametrize("opened", [lambda name: open_database(name, create=True), upgrade_database])
def test_creating_and_upgrading_refuse_it_too(tmp_path: Path, case: str, opened: Callable[[str], object]) -> None:
    """Neither creating nor upgrading touches what is no index or a newer one."""
    make, advice = REFUSED[case]
    folder = tmp_path / "place"
    folder.mkdir()
    make(folder / "indexer.db")
    before = snapshot(folder)
    with pytest.raises(DatabaseError, match=advice):
        opened(str(folder / "indexer.db"))
    assert snapshot(folder) == before


def test_creating_does_not_upgrade(tmp_path: Path) -> None:
    """An older database is not upgraded by a command that may make a new one."""
    path = made_at(tmp_path / "indexer.db", "0001")
    with pytest.raises(DatabaseError, match="db upgrade"):
        open_database(str(path), create=True)


@pytest.mark.parametrize("create", [True, False])
def test_missing_folder(tmp_path: Path, create: bool) -> None:
    """A folder that does not exist is named, and not made."""
    with pytest.raises(DatabaseError, match=r"the folder .*nowhere does not exist; make it first"):
        open_database(str(tmp_path / "nowhere" / "indexer.db"), create=create)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("start", [lambda path: None, Path.touch])
def test_created_database_is_current(tmp_path: Path, start: Callable[[Path], None]) -> None:
    """A database made at a free path, or in an empty file, is of the current shape and healthy."""
    path = tmp_path / "indexer.db"
    start(path)
    open_database(str(path), create=True).close()
    reopened = open_database(str(path))
    assert check_database(reopened) == Health(str(path), head_revision(), ())
    reopened.close()


def test_cut_creation_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation that fails before its end leaves an empty database, and the next one makes it."""
    path = tmp_path / "indexer.db"
    with monkeypatch.context() as patched:
        patched.setattr("indexer.store.profiles.add_built_in", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            open_database(str(path), create=True)
    with pytest.raises(DatabaseError, match="is empty"):
        open_database(str(path))
    open_database(str(path), create=True).close()


@on_sqlite
def test_check_finds_an_orphan(database: Database) -> None:
    """A row that refers to a missing row is named."""
    with sqlite3.connect(database.path or "") as connection:
        connection.execute("INSERT INTO pins VALUES (7, 999, 'pin', '2026-01-01', NULL, 999)")
    problems = check_database(database).problems
    assert sorted(problems) == [
        "orphan: row 7 of pins refers to a missing row of images",
        "orphan: row 7 of pins refers to a missing row of runs",
    ]


@pytest.mark.parametrize("name", ["decisions", "ix_images_any_path", "profiles"])
def test_check_finds_a_damaged_page(migrated_file: Path, tmp_path: Path, name: str) -> None:
    """A page that was overwritten is reported as damage, whatever it held."""
    path = Path(shutil.copy(migrated_file, tmp_path / "indexer.db"))
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xaa" * size
    path.write_bytes(data)
    database = open_database(str(path))
    problems = check_database(database).problems
    database.close()
    assert problems
    assert all(problem.startswith("damaged: ") for problem in problems)
