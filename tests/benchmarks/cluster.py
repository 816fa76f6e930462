"""`ingest` and `compare` through a Dask scheduler and its workers, all from the command line on loopback, against the
engine of worker processes; then once more with a worker killed and one added in the middle of each.

Both have as many workers as each other. The index is on the server that INDEXER_TEST_POSTGRES names, if it names one,
else in SQLite. Rows are those of decisions and scores, by path, held against those of the serial run in SQLite.
"""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from indexer.store.schema import open_database
from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import manage, ratios, rounded, side_by_side
from tests.support import databases
from tests.support.clusters import Cluster, started

Rows = set[tuple[Any, ...]]

_QUERIES = (
    "SELECT path, verdict, keeper_path, score, reason FROM audit_decisions",
    "SELECT image_a_path, image_b_path, score, largest_contour, contour_count, changed_fraction FROM audit_scores",
)


def measure(
    folder: Path,
    *,
    frames: int = 5000,
    size: tuple[int, int] = (1280, 720),
    cameras: int = 3,
    processes: int = 2,
    rounds: int = 1,
    troubled: bool = True,
) -> dict[str, Any]:
    """Per command: seconds of both engines, how many times as long the cluster takes, and as much with a worker killed
    if `troubled`; rows that differ from the serial run."""
    width, height = size
    place = folder / "frames"
    paths = write_frames(place, many(cameras, frames=frames, width=width, height=height), processes=processes)
    serial = str(folder / "serial.db")
    _job(serial, place, folder=folder, on=["--processes", 1])
    maker = databases.Server(databases.SERVER) if databases.SERVER else databases.Files(folder / "indexes")
    (folder / "cluster").mkdir()
    try:
        with started(folder / "cluster", workers=processes) as machines:
            found = _Measured(maker, machines, place, folder, processes=processes, serial=_rows(serial))
            result = found.paired(rounds=rounds)
            if troubled:
                result["one killed, one added"] = found.troubled()
    finally:
        maker.close()
    return {"frames": len(paths), "database": maker.kind} | result | {"differences": found.differences}


class _Measured:
    """Indexes made by both engines, and how their rows differ from those of the serial run."""

    def __init__(
        self,
        maker: databases.Files | databases.Server,
        machines: Cluster,
        place: Path,
        folder: Path,
        *,
        processes: int,
        serial: Rows,
    ) -> None:
        self._maker = maker
        self._machines = machines
        self._place = place
        self._folder = folder
        self._serial = serial
        self._on = {"processes": ["--processes", processes], "cluster": ["--scheduler", machines.address]}
        self._index: dict[str, str] = {}
        self.differences: dict[str, int] = {}

    def paired(self, *, rounds: int) -> dict[str, Any]:
        """Seconds of both, in turn."""
        ways = {
            f"{command} {engine}": lambda command=command, engine=engine: self._run(command, engine)
            for command in ("ingest", "compare")
            for engine in self._on
        }
        timings = side_by_side(ways, rounds=rounds)
        found = {}
        for command in ("ingest", "compare"):
            both = {engine: timings[f"{command} {engine}"] for engine in self._on}
            found[command] = ratios(both, slow="cluster", fast="processes")
        for engine, index in self._index.items():
            self.differences[engine] = len(_rows(index) ^ self._serial)
        return found

    def troubled(self) -> dict[str, Any]:
        """Seconds of the cluster when a worker is killed and one added in the middle."""
        ways = {command: lambda command=command: self._run_troubled(command) for command in ("ingest", "compare")}
        timings = side_by_side(ways, rounds=1)
        self.differences["one killed, one added"] = len(_rows(self._index["cluster"]) ^ self._serial)
        return {f"{command}_s": rounded(timings[command].best_s) for command in ways}

    def _run_troubled(self, command: str) -> None:
        timer = threading.Timer(1.5, self._replace)
        timer.start()
        try:
            self._run(command, "cluster")
        finally:
            timer.join()

    def _replace(self) -> None:
        os.killpg(self._machines.workers.pop(0).pid, signal.SIGKILL)  # with its nanny
        self._machines.add_worker()

    def _run(self, command: str, engine: str) -> None:
        if command == "ingest":
            self._index[engine] = self._maker.place(self._folder)
        words = ["ingest", self._place] if command == "ingest" else ["compare"]
        manage("--db", self._index[engine], *words, *self._on[engine], folder=self._folder)


def _job(index: str, place: Path, *, folder: Path, on: list[object]) -> None:
    manage("--db", index, "ingest", place, *on, folder=folder)
    manage("--db", index, "compare", *on, folder=folder)


def _rows(index: str) -> Rows:
    """What was decided and recorded."""
    database = open_database(index)
    try:
        return {row for query in _QUERIES for row in databases.rows(database, query)}
    finally:
        database.close()
