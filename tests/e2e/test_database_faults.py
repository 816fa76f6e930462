"""Faults of the database under a running command: one sentence, exit code 1, no image lost; a rerun goes on."""

import ctypes
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from indexer.store import database as store
from tests.support.apart import images, rows, shoot
from tests.support.command import Answer, Run
from tests.support.page_damage import COMPARE, FRAMES, INGEST, PAGE_BYTES, survive

WRITERS: list[list[Any]] = [INGEST, COMPARE, ["prune", "--yes"], ["restore", "--all"], ["pin", 1]]


def one_sentence(ended: Answer, said: str) -> None:
    """Holds if a command ended as a known problem does, in these words."""
    assert (ended.code, ended.err.count("\n"), "Traceback" in ended.out) == (1, 1, False), ended
    assert re.search(said, ended.err), ended.err


def all_is_well(lot: Path, run: Run, before: Counter[bytes]) -> None:
    """Holds if without the fault everything is taken in, decided, taken away and brought back, byte for byte."""
    rerun = [INGEST, COMPARE, ["prune", "--yes"], ["restore", "--all"], ["db", "check"]]
    assert [run(*words).code for words in rerun] == [0] * 5
    assert images(lot / "frames") == before
    assert rows(lot / "indexer.db", "SELECT COUNT(*) FROM images WHERE state = 'ready'") == [(2 * FRAMES,)]
    assert rows(lot / "indexer.db", "SELECT COUNT(*) FROM removals WHERE pending IS NOT NULL") == [(0,)]


@contextmanager
def planted(pragma: str, *, before_write: int) -> Iterator[None]:
    """Says something to SQLite just before the write of that number begins; later commands are let be."""
    count = itertools.count()
    usual = store.Database.write

    def write(database: store.Database) -> Any:
        if next(count) == before_write:
            with database.read() as session:
                session.execute(text(pragma))
        return usual(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.Database, "write", write)
        yield


@pytest.mark.parametrize(
    ("pragma", "said", "failing"),
    [
        ("max_page_count = 1", "the disk is full", {"ingest"}),
        ("query_only = ON", "check the rights", {"ingest", "compare", "prune", "restore"}),
    ],
    ids=["full", "read-only"],
)
def test_database_that_takes_no_more(lot: Path, run: Run, pragma: str, said: str, failing: set[str]) -> None:
    """A disk full or a database read-only from any write of a command on: a sentence, and every image is there."""
    before = images(lot)
    failed = set()
    for words in WRITERS:
        for write in range(4):
            with planted(f"PRAGMA {pragma}", before_write=write):
                ended = run(*words)
            if ended.code:
                one_sentence(ended, said)
                failed.add(words[0])
            assert images(lot) == before, (words, write)
    assert failed >= failing
    all_is_well(lot, run, before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB; only an administrator can have one."""
    disk, libc = tmp_path / "disk", ctypes.CDLL(None)
    disk.mkdir()
    if libc.mount(b"none", bytes(disk), b"tmpfs", 0, b"size=1m") != 0:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    libc.umount2(bytes(disk), 2)


def test_small_disk(small_disk: Path, own_home: Path, run: Run) -> None:
    """A disk that fills up while images are taken in: a sentence, and with more space the same command goes on."""
    shoot(own_home / "frames", cameras=1, frames=80, size=(240, 320))
    before, place = images(own_home), small_disk / "indexer.db"
    one_sentence(run("--db", place, *INGEST), "the disk is full|the disk reports an error")
    assert images(own_home) == before
    one_sentence(run("--db", place, *INGEST), "the disk is full|the disk reports an error")
    shutil.copytree(small_disk, own_home / "larger")
    assert run("--db", own_home / "larger/indexer.db", *INGEST).code == 0
    assert rows(own_home / "larger/indexer.db", "SELECT COUNT(*) FROM images WHERE state = 'ready'") == [(80,)]
    assert run("--db", own_home / "larger/indexer.db", "db", "check").code == 0


def test_database_that_vanishes_under_a_command(lot: Path, run: Run) -> None:
    """A database that vanishes under a command costs that command alone."""
    before = images(lot)
    place = lot / "indexer.db"
    shutil.copy(place, lot / "copy.db")
    usual = store.Database.write

    def write(database: store.Database) -> Any:
        place.unlink(missing_ok=True)
        return usual(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.Database, "write", write)
        codes = [run(*words).code for words in WRITERS]
    assert set(codes) <= {0, 1}
    assert images(lot) == before
    assert run("--db", lot / "copy.db", *INGEST).code == 0


@pytest.mark.parametrize(("how", "first"), [("nothing", 0), ("half", 2)])
def test_damaged_page_in_the_middle_of_a_table(lot: Path, run: Run, how: str, first: int) -> None:
    """Where a page of a table is damaged, a command that meets it says so in one sentence; no image is touched."""
    found = rows(lot / "indexer.db", "SELECT rootpage - 1 FROM sqlite_master WHERE type = 'table'")
    pages = sorted(page for (page,) in found)
    last = (lot / "indexer.db").stat().st_size // PAGE_BYTES - 1
    # A quarter of the pages in this way, and a quarter in the other; a drill damages all pages in all ways.
    assert survive(lot, run, [*pages, last][first::4], how)[1] > 0
