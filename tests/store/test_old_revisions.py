"""Indexes that earlier versions made, one per revision of the schema: opened, upgraded, compared and pruned.

`old/make_revisions.py` made the dumps, each with the last commit that had the revision; 0006 is of the last program
before the redesign. An upgrade that fails leaves such an index as it was.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from indexer.store import schema
from indexer.store.database import Database, parse_database
from indexer.store.schema import check_database, head_revision, open_database, upgrade_database
from tests.support.databases import POSTGRESQL, Maker, rows
from tests.support.index import Index
from tests.support.old_frames import write_frames
from tests.support.old_indexes import make_old_index, old_rows

OLD = Path(__file__).parent / "old"
DUMPS = sorted(OLD.glob("revision_*.sql"))
NEVER_NEWEST = {1, 2, 14, 17, 18, 19}  # they came in one commit with, or after, a later one
DECISIONS = "SELECT path, camera, decision, keeper_path, score, reason, decided_by FROM audit_decisions ORDER BY path"


@pytest.fixture
def place(maker: Maker, tmp_path: Path) -> str:
    """Where an index may be made."""
    return maker.place(tmp_path)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_index_of_an_earlier_version_goes_on(maker: Maker, place: str, tmp_path: Path, dump: Path) -> None:
    """After the upgrade its decisions are what they were; nothing is taken in or decided anew, and prune removes
    exactly its duplicates, whole."""
    lot = Path(os.path.realpath(tmp_path)) / "lot"
    frames = write_frames(lot)
    with closing(old_rows(dump, lot.parent)) as old:
        duplicates = [
            path
            for (path,) in old.execute(
                "SELECT path FROM images JOIN decisions ON image_id = images.id WHERE verdict = 'duplicate'"
            )
        ]
        decided = old.execute("SELECT COUNT(*) FROM decisions").fetchone()
        make_old_index(old, place)
    assert upgrade_database(place).revision == head_revision()
    with closing(open_database(place)) as database:
        index = Index(database, lot)
        assert check_database(database).problems == ()
        before = rows(database, DECISIONS)
        assert dict(index.ingest().outcomes) == {"unchanged": len(frames)}
        assert sum(camera.decided for camera in index.compare().cameras) == 0
        assert rows(database, DECISIONS) == before
        assert [len(before)] == [*decided] == [len(frames)]
        report = index.prune()
        assert (report.removed, report.failures) == (len(duplicates), [])
    left = {path.relative_to(lot).as_posix(): path.read_bytes() for path in lot.rglob("*.bmp")}
    assert left == {name: data for name, data in frames.items() if str(lot / name) not in duplicates}
    moved = {path.read_bytes() for path in lot.parent.rglob("*.bmp") if lot not in path.parents}
    assert moved == {data for name, data in frames.items() if str(lot / name) in duplicates}


def contents(place: str) -> dict[str, tuple[list[str], list[str]]]:
    """The columns and the rows of each table."""
    with closing(Database(parse_database(place))) as database:
        with database.read() as session:
            there = inspect(session.connection())
            columns = {name: list(map(repr, there.get_columns(name))) for name in there.get_table_names()}
        stored = {name: sorted(map(repr, rows(database, f"SELECT * FROM {name}"))) for name in columns}
    return {name: (columns[name], stored[name]) for name in columns}


def test_a_failed_upgrade_changes_nothing(
    maker: Maker, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a migration fails in the middle of an upgrade, the index has its old tables and rows, and so has the backup;
    the next upgrade works."""
    shutil.copytree(schema.MIGRATIONS, tmp_path / "broken", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "broken" / "versions" / "0016_findings.py").open("a") as migration:
        migration.write("\n\n_whole = upgrade\n\n\ndef upgrade():\n    _whole()\n    raise RuntimeError('planted')\n")
    with closing(old_rows(OLD / "revision_0012.sql", tmp_path)) as old:
        make_old_index(old, place)
    before = contents(place)
    with monkeypatch.context() as broken:
        broken.setattr(schema, "MIGRATIONS", tmp_path / "broken")
        with pytest.raises(RuntimeError, match="planted"):
            upgrade_database(place, make_backup=True)
    assert contents(place) == before
    backups = [] if maker.kind == POSTGRESQL else [f"{place}.revision-0012"]
    assert [contents(backup) for backup in backups] == [before] * len(backups)
    assert upgrade_database(place).revision == head_revision()
    assert contents(place).keys() > before.keys()


def test_no_dump_is_lost() -> None:
    """There is a dump of each revision that was the newest one in some commit, up to that of this version."""
    kept = {int(dump.stem[-4:]) for dump in DUMPS}
    lost = sorted(set(range(1, int(head_revision()) + 1)) - NEVER_NEWEST - kept)
    commands = [f"python tests/store/old/make_revisions.py {revision:04}" for revision in lost]
    assert commands == [], "commit the migration, run these, and commit what they make"


def test_dumps_have_something_to_lose() -> None:
    """Each dump has kept images and duplicates of two cameras."""
    for dump in DUMPS:
        with closing(old_rows(dump, Path("/srv/site"))) as old:
            counts: list[Any] = old.execute("SELECT verdict, COUNT(*) FROM decisions GROUP BY 1 ORDER BY 1").fetchall()
            assert [verdict for verdict, _ in counts] == ["duplicate", "keep"], dump.name
