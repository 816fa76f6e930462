"""What these drills share: commands in processes of their own, frames to work on, all that an index says."""

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from indexer.store.database import Database
from tests.support import databases
from tests.support.command import Answer, command

MARK = "INDEXER_DRILL"
"""A name in the environment of every process that these drills start, and of those that they start in turn."""


@contextmanager
def started(*words: object, folder: Path, program: str | None = None, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A command (or a program, with these words) in a process of its own, killed at the end if it still runs."""
    line = command(*words) if program is None else [sys.executable, "-c", program, *map(str, words)]
    surroundings = (
        os.environ | {MARK: str(folder), "PYTHONPATH": os.pathsep.join(["", *sys.path])} | more.pop("env", {})
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    process = subprocess.Popen(line, cwd=folder, env=surroundings, text=True, errors="surrogateescape", **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def answer(*words: object, folder: Path, timeout_s: float = 600, **more: Any) -> Answer:
    """What a command says, run to its end in that folder."""
    with started(*words, folder=folder, **more) as process:
        out, err = process.communicate(timeout=timeout_s)
        return Answer(process.returncode, out, err)


def until(what: Callable[[], Any], *, timeout_s: float = 60) -> Any:
    """The first answer that is true, asked again and again."""
    end = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


def left_behind(folder: Path) -> list[int]:
    """The numbers of the processes that commands in this folder started and that are still there."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def shoot(folder: Path, *, cameras: int, frames: int, suffix: str = "png", size: tuple[int, int] = (96, 128)) -> Path:
    """A folder of frames of several cameras: places of their own, with a car in one of five bays or none."""
    height, width = size
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    for camera in range(cameras):
        place = cv2.resize(rng.integers(90, 150, (6, 8), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
        for minute in range(frames):
            frame = place.copy()
            bay = int(rng.integers(0, 6))
            left = width * (1 + 2 * bay) // 12
            if bay < 5:
                frame[height // 3 : height * 2 // 3, left : left + width // 8] = 20
            frame[0, :4] = [minute % 256, minute // 256, 128, camera]  # under the mask: no two files are equal
            name = folder / f"cam{camera:02}-{1_623_844_800_000 + minute * 60_000}.{suffix}"
            cv2.imwrite(str(name), frame)
            os.utime(name, ns=(1_600_000_000_000_000_000 + minute,) * 2)
    return folder


def images(folder: Path) -> Counter[bytes]:
    """The bytes of every image below a folder, in whatever place."""
    return Counter(
        path.read_bytes() for path in folder.rglob("*.[pj][np]g") if path.is_file() and not path.is_symlink()
    )


def rows(index: Path | Database, sql: str) -> list[tuple[Any, ...]]:
    """What a query answers, asked past the tool."""
    if isinstance(index, Database):
        return [tuple(int(one) if isinstance(one, bool) else one for one in row) for row in databases.rows(index, sql)]
    with closing(sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute(sql).fetchall()
        return found[::-1] if databases.REVERSED and "ORDER BY" not in sql.upper() else found


_IMAGE = (
    "i.path, i.root, c.name, i.camera_source, i.captured_at, i.captured_at_source, i.width, i.height, i.file_size, "
    "i.mtime_ns, i.content_hash, i.sharpness, i.state, i.state_reason"
)
_FACTS = {
    "images": f"SELECT {_IMAGE} FROM images i JOIN cameras c ON c.id = i.camera_id",
    "thumbnails": "SELECT i.path, p.digest, t.width, t.height, t.data FROM thumbnails t "
    "JOIN images i ON i.id = t.image_id JOIN preparations p ON p.id = t.preparation_id",
    "decisions": "SELECT i.path, k.path, d.verdict, d.reason, d.score, d.profile_id, d.decided_by, "
    "d.superseded_at IS NULL FROM decisions d JOIN images i ON i.id = d.image_id "
    "LEFT JOIN images k ON k.id = d.keeper_id",
    "scores": "SELECT s.scoring_id, CASE WHEN a.path < b.path THEN a.path ELSE b.path END, "
    "CASE WHEN a.path < b.path THEN b.path ELSE a.path END, s.score, s.largest_contour, "
    "s.contour_count, s.changed_fraction, s.distance, s.changed_area "
    "FROM scores s JOIN images a ON a.id = s.image_a_id JOIN images b ON b.id = s.image_b_id",
    "removals": "SELECT path, keeper_path, state, pending FROM removals",
    "pins": "SELECT i.path, p.reason FROM pins p JOIN images i ON i.id = p.image_id",
    "cameras": "SELECT name FROM cameras",
}


def facts(index: Path | Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that an index knows, but for ids, times of the clock and its runs."""
    return {name: sorted(rows(index, sql), key=repr) for name, sql in _FACTS.items()}
