"""An ingest of good files with hostile ones among them, and the memory that its processes take."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.apart import answer, facts, left_behind, rows, shoot, until
from tests.support.hostile import plant

OUTCOMES = ("added", "unreadable", "damaged", "too_small")


class Watch:
    """The largest resident memory, in MB, of any process that works for a folder, and how many there were at once."""

    def __init__(self, folder: Path) -> None:
        self.largest_mb = 0.0
        self.together_mb = 0.0
        self._folder = folder
        self._over = threading.Event()

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        """Looks every 50 ms until the end of the block."""
        looking = threading.Thread(target=self._look)
        looking.start()
        try:
            yield self
        finally:
            self._over.set()
            looking.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            sizes = [self._peak_mb(process) for process in left_behind(self._folder)]
            self.largest_mb = max([self.largest_mb, *(peak for peak, _ in sizes)])
            self.together_mb = max(self.together_mb, sum(now for _, now in sizes))

    @staticmethod
    def _peak_mb(process: int) -> tuple[float, float]:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return 0.0, 0.0
        said = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmHWM", "VmRSS"))}
        return int(said.get("VmHWM", 0)) / 1024, int(said.get("VmRSS", 0)) / 1024


def ingested(folder: Path, index: str, **surroundings: str) -> tuple[Counter[str], dict[str, Any]]:
    """The outcomes of the files, and all counts of the run, which says nothing on stderr.

    The pattern says that the words at the end of the names of hostile files are no cameras.
    """
    pattern = r"(?P<camera>cam\d+)-(?P<timestamp>\d+)"
    ended = answer("--db", index, "ingest", "frames", "--pattern", pattern, folder=folder, env=surroundings)
    assert (ended.code, ended.err) == (0, "")
    counts = json.loads(rows(folder / index, "SELECT counts FROM runs")[0][0])
    return Counter({name: counts[name] for name in OUTCOMES if name in counts}), counts


def drill(folder: Path, *, cameras: int, frames: int, hostile: int, seconds: int) -> tuple[Counter[str], Watch]:
    """The outcomes of the hostile files, after all promises were seen to hold, and what it took."""
    good = cameras * frames
    shoot(folder / "frames", cameras=cameras, frames=frames)
    assert ingested(folder, "alone.db")[0] == {"added": good}
    planted = plant(folder / "frames", count=hostile)
    with Watch(folder).on() as watch:
        outcomes, counts = ingested(folder, "indexer.db", INDEXER_MAX_SECONDS=str(seconds))
    assert (outcomes.pop("added"), sum(outcomes.values())) == (good, hostile)
    assert (counts["skipped"], counts["seen"]) == (3, good + hostile + 3)  # a pipe and two links
    names = {str(path) for path in planted}
    with_them, without = facts(folder / "indexer.db"), facts(folder / "alone.db")
    found = {row[0]: row for row in with_them["images"] if row[0] in names}
    assert found.keys() == names
    assert all(row[-2] != "ready" and row[-1] for row in found.values())
    assert all("more than the limit" in row[-1] for path, row in found.items() if "-huge-" in path)
    assert [row for row in with_them["images"] if row[0] not in names] == without["images"]
    assert with_them["thumbnails"] == without["thumbnails"]
    assert until(lambda: left_behind(folder) == [])
    return outcomes, watch
