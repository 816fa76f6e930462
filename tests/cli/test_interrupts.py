"""Ctrl-C: what was done is kept, nobody keeps running, and the same command goes on from there."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import command, draw

FRAMES = 200


@pytest.fixture
def big_lot(own_home: Path) -> Path:
    """A folder of some hundred frames, enough to be interrupted in."""
    folder = own_home / "lot"
    first = draw(folder / "gate_2026_03_01__00_00_00.png", size=(1200, 1600))
    for number in range(1, FRAMES):
        shutil.copy(first, folder / f"gate_2026_03_01__{number // 60:02d}_{number % 60:02d}_00.png")
    return folder


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command as a terminal does, in a process group of its own; ends what is left of it after the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command(*words), stdout=pipe, stderr=pipe, text=True, start_new_session=True))
        return running[-1]

    yield start
    for process in running:
        if members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def members(group: int) -> list[int]:
    """The processes of a group that are still running."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = entry.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(entry.parent.name))
    return found


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether something happened before so many seconds had passed."""
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)
    return happened()


def known_images(database: Path) -> int:
    """How many images the index holds; 0 before there is one."""
    try:
        reader = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
        with closing(reader):
            return int(reader.execute("SELECT COUNT(*) FROM images").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_interrupted_ingest(big_lot: Path, own_home: Path, started: Callable[..., subprocess.Popen[str]]) -> None:
    """Ctrl-C ends an ingest and its workers with exit code 130 and one sentence; the next run takes in the rest."""
    database = own_home / "indexer.db"
    process = started("ingest", big_lot, "--processes", 2, "--json")
    assert within(60, lambda: known_images(database) > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert json.loads(out) == {"error": err.removeprefix("indexer: ").rstrip("\n"), "exit_code": process.returncode}
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert within(60, lambda: members(process.pid) == [])
    kept = known_images(database)
    assert 0 < kept < FRAMES
    rest, _ = started("ingest", big_lot, "--processes", 2).communicate(timeout=120)
    assert rest.startswith(f"{FRAMES} files seen: {FRAMES - kept} added, {kept} unchanged.")
