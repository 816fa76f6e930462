"""`watch`: seconds from the closing of a file to its decision, with 20 cameras at one frame a second; files that are
all there at once against `ingest` and `compare` of them; and what a watch costs while nothing arrives.

A file is written under another name and renamed: that is its closing. Its decision is the row of `decisions`. The flood
lies in folders of 20 cameras when the watch begins, and time on the processor of all processes is compared. The idle
watch looks at its folders every five seconds, as on a network disk (`--poll`).
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import ROOT, manage, processor_s_of, rounded

_DECIDED = """
    SELECT image.path, MIN(decision.decided_at) FROM images AS image
    JOIN decisions AS decision ON decision.image_id = image.id GROUP BY image.path
"""
_COUNTS = "SELECT (SELECT COUNT(*) FROM images WHERE state = 'ready'), (SELECT COUNT(DISTINCT image_id) FROM decisions)"


def measure(
    folder: Path,
    *,
    cameras: int = 20,
    seconds: int = 120,
    every_s: float = 5.0,
    files: int = 20_000,
    size: tuple[int, int] = (640, 360),
    idle_folders: int = 1000,
    idle_s: float = 60.0,
    warm_up_s: float = 10.0,
) -> dict[str, Any]:
    """Median and 95th percentile of the delay; processor time of the flood and its ratio; share of a core when idle."""
    how: Any = {"every_s": every_s, "size": size, "warm_up_s": warm_up_s}
    return {
        "a frame a second": _measure_delay(folder / "live", cameras, seconds, **how),
        "at once": _measure_flood(folder / "flood", cameras, files, size=size),
        "idle": _measure_idle(folder / "idle", idle_folders, idle_s, warm_up_s=warm_up_s),
    }


@contextmanager
def _watching(folder: Path, *words: object) -> Iterator["subprocess.Popen[bytes]"]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER_")}
    line = [sys.executable, str(ROOT / "manage.py"), "--db", "i.db", "watch", "frames", *map(str, words)]
    env = surroundings | {"INDEXER_STATE": "off"}
    with subprocess.Popen(line, cwd=folder, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            while not list(folder.glob("i.db.run*")):
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()


def _measure_delay(
    folder: Path, cameras: int, seconds: int, *, every_s: float, size: tuple[int, int], warm_up_s: float
) -> dict[str, float]:
    made = many(cameras, frames=cameras * seconds, width=size[0], height=size[1])
    by_camera = defaultdict[str, list[Path]](list)
    for path in write_frames(folder / "made", made, apart=True):
        by_camera[path.parent.name].append(path)
    for camera in by_camera:
        (folder / "frames" / camera).mkdir(parents=True)
    closed_s = dict[str, float]()
    with _watching(folder, "--every", every_s):
        time.sleep(warm_up_s)
        start_s = time.monotonic()
        for number in range(seconds):
            for camera, paths in by_camera.items():
                path = folder / "frames" / camera / paths[number].name
                partial = path.with_suffix(".part")
                partial.write_bytes(paths[number].read_bytes())
                partial.rename(path)
                closed_s[str(path.resolve())] = time.time()
            time.sleep(max(0.0, start_s + number + 1 - time.monotonic()))
        _wait_until_decided(folder, cameras * seconds)
    with closing(sqlite3.connect(folder / "i.db")) as index_file:
        decided = dict(index_file.execute(_DECIDED).fetchall())
    delays = sorted(_utc_s(decided[path]) - at for path, at in closed_s.items())
    return {
        "files": len(delays),
        "median_s": rounded(statistics.median(delays)),
        "p95_s": rounded(delays[int(0.95 * (len(delays) - 1))]),
        "longest_s": rounded(delays[-1]),
    }


def _measure_flood(folder: Path, cameras: int, files: int, *, size: tuple[int, int]) -> dict[str, float]:
    made = many(cameras, frames=files, width=size[0], height=size[1])
    write_frames(folder / "frames", made, apart=True)
    both = [manage("--db", "two.db", word, *more, folder=folder, watched=True) for word, *more in _TWO]
    once = manage("--db", "i.db", "watch", "frames", "--once", folder=folder, watched=True)
    with closing(sqlite3.connect(folder / "i.db")) as index_file:
        ((ready, decided),) = index_file.execute(_COUNTS).fetchall()
    two_s, watch_s = sum(ran.processor_s for ran in both), once.processor_s
    return {
        "files": files,
        "lost": files - min(ready, decided),
        "two_commands_s": rounded(two_s),
        "watch_s": rounded(watch_s),
        "ratio": rounded(watch_s / two_s),
        "resident_mb": rounded(once.resident_mb),
    }


def _measure_idle(folder: Path, folders: int, seconds: float, *, warm_up_s: float) -> dict[str, float]:
    for number in range(folders):
        (folder / "frames" / f"c{number % 50:02}" / str(number)).mkdir(parents=True)
    with _watching(folder, "--poll") as process:
        time.sleep(warm_up_s)
        before_s = processor_s_of(process.pid)
        time.sleep(seconds)
        spent_s = processor_s_of(process.pid) - before_s
    return {
        "folders": folders,
        "seconds": seconds,
        "processor_s": rounded(spent_s),
        "share": rounded(spent_s / seconds),
    }


_TWO = (("ingest", "frames"), ("compare",))


def _wait_until_decided(folder: Path, number: int) -> None:
    end_s = time.monotonic() + 600
    while time.monotonic() < end_s:
        with closing(sqlite3.connect(folder / "i.db")) as index_file:
            ((ready, decided),) = index_file.execute(_COUNTS).fetchall()
        if min(ready, decided) >= number:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{number} files were not decided")


def _utc_s(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()
