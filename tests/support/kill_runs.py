"""Commands that are killed again and again, beside ones that nobody disturbs."""

import shutil
import signal
import sqlite3
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.apart import answer, facts, left_behind, rows, shoot, started, until


@dataclass(frozen=True)
class Work:
    """A command, the index it starts from, and how much of it is done: the rest decides whether a kill hit anything."""

    words: tuple[Any, ...]
    start: Path | None
    progress: str


@dataclass
class Bout:
    """What the kills met."""

    kills: int = 0
    before_the_run: int = 0
    with_progress: int = 0
    rounds: int = 0


def undisturbed(folder: Path, work: Work) -> tuple[Path, float]:
    """The index that the command makes when nobody kills it, and the seconds that its run takes.

    The first run of a new copy of the program compiles the kernel, which takes longer than the work: the second counts.
    """
    for name in ("warm-up.db", "undisturbed.db"):
        place = folder / name
        if work.start is not None:
            shutil.copy(work.start, place)
        assert answer("--db", place, *work.words, folder=folder).code == 0
    length = "SELECT 86400 * (julianday(finished_at) - julianday(started_at)) FROM runs ORDER BY id DESC LIMIT 1"
    return place, float(rows(place, length)[0][0])


def fight(folder: Path, work: Work, *, kills: int, share: float, seed: int) -> Bout:
    """Kills the command so often, each time within a share of its run; whenever it comes to its end all is compared.

    A kill counts if there was work left; where there is none the fight goes on with a new index. One in eight comes
    before the run has begun: while the program loads, and while an index is made.
    """
    whole, length_s = undisturbed(folder, work)
    (total,), expected = rows(whole, work.progress)[0], facts(whole)
    bout, rng = Bout(), np.random.default_rng(seed)
    while bout.kills < kills:
        bout.rounds += 1
        place = folder / f"round-{bout.rounds}.db"
        if work.start is not None:
            shutil.copy(work.start, place)
        while bout.kills < kills and kill(
            folder, work, place, after_s=rng.uniform(0, share * length_s), early=rng.random() < 1 / 8
        ):
            done = progress(place, work)
            if done == total:
                break
            bout.kills += 1
            bout.before_the_run += done is None
            bout.with_progress += bool(done)
        ended = answer("--db", place, *work.words, folder=folder)
        assert ended.code == 0, ended
        assert facts(place) == expected
        assert rows(place, "PRAGMA integrity_check") + rows(place, "PRAGMA journal_mode") == [("ok",), ("wal",)]
        assert rows(place, "SELECT COUNT(*) FROM removals") == [(0,)]
    assert until(lambda: left_behind(folder) == [])
    return bout


def kill(folder: Path, work: Work, place: Path, *, after_s: float, early: bool) -> bool:
    """Whether the command was killed so many seconds after its run (early: its program) began, and not at its end."""
    before = count_runs(place)
    with started("--db", place, *work.words, folder=folder) as process:
        until(lambda: early or count_runs(place) > before or process.poll() is not None)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode in {0, -signal.SIGKILL}
        return process.returncode != 0


def count_runs(place: Path) -> int:
    """How many runs have begun."""
    try:
        return int(rows(place, "SELECT COUNT(*) FROM runs")[0][0])
    except sqlite3.OperationalError:  # it is not made yet
        return 0


def progress(place: Path, work: Work) -> int | None:
    """How much is done; None where there is no index yet."""
    if not place.exists() or rows(place, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'images'") == [(0,)]:
        return None
    return int(rows(place, work.progress)[0][0])


def of_ingest(folder: Path, *, frames: int, size: tuple[int, int], cameras: int = 4) -> Work:
    """Taking in frames of some cameras."""
    shoot(folder / "frames", cameras=cameras, frames=frames // cameras, suffix="jpg", size=size)
    return Work(("ingest", "frames"), None, "SELECT COUNT(*) FROM images")


def of_compare(folder: Path, *, frames: int, size: tuple[int, int], cameras: int = 2) -> Work:
    """Deciding frames of some cameras, which were taken in: each is stored when it is decided."""
    shoot(folder / "frames", cameras=cameras, frames=frames // cameras, suffix="jpg", size=size)
    assert answer("--db", "start.db", "ingest", "frames", folder=folder).code == 0
    progress = "SELECT (SELECT COUNT(*) FROM decisions) + (SELECT COUNT(*) FROM scores)"
    return Work(("compare",), folder / "start.db", progress)


def of_ingest_with_features(folder: Path, *, frames: int, size: tuple[int, int]) -> Work:
    """Taking in frames of some cameras, whose features are made at once."""
    work = of_ingest(folder, frames=frames, size=size)
    for words in (("profile", "make", "other", "--base", "learned"), ("compare", "--profile", "learned")):
        assert answer("--db", "start.db", *words, folder=folder).code == 0
    return replace(work, start=folder / "start.db")


def of_compare_with_features(folder: Path, *, frames: int, size: tuple[int, int]) -> Work:
    """Deciding frames of some cameras by features, which are made for it."""
    work = of_compare(folder, frames=frames, size=size)
    features = "(SELECT COUNT(*) FROM thumbnails WHERE height > 0.75 * width)"
    return replace(work, words=("compare", "--profile", "learned"), progress=f"{work.progress} + {features}")
