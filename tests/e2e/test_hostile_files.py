"""Hostile files among good ones: each costs itself alone, and the good ones are what they are without them."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.execution import ResourceLimits, processes
from indexer.imaging import file_description
from indexer.imaging.file_description import DescribeTask, FileDescription
from indexer.imaging.headers import Limits
from indexer.store.database import Database
from indexer.workflows.ingest import ingest as workflow
from indexer.workflows.ingest.discovery import discover
from tests.conftest import Clock
from tests.support.apart import answer, facts, left_behind, rows, shoot, started, until
from tests.support.hostile import KINDS, plant

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
    """The outcomes of the files, and all counts of the run, which says nothing on stderr."""
    ended = answer("--db", index, "ingest", "frames", folder=folder, env=surroundings)
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


def test_hostile_files_among_good_ones(tmp_path: Path) -> None:
    """Of 300 good files all are ready and as without the hostile ones, which all are told; nothing is left running."""
    outcomes, _ = drill(tmp_path, cameras=3, frames=100, hostile=2 * len(KINDS), seconds=4)
    assert set(outcomes) == {"unreadable", "damaged", "too_small"}


@pytest.mark.drill
def test_two_hundred_among_ten_thousand(tmp_path: Path) -> None:
    """The same of 10 000 good files and 200 hostile ones; the largest process stays below 1 GB."""
    begun = time.monotonic()
    outcomes, watch = drill(tmp_path, cameras=10, frames=1000, hostile=200, seconds=10)
    size = f"{watch.largest_mb:.0f} MB in the largest process, {watch.together_mb:.0f} MB together"
    print(dict(outcomes), size, f"{time.monotonic() - begun:.0f} s")  # noqa: T201 - the figures, shown with -rP
    assert watch.largest_mb < 1024


def misbehave(task: DescribeTask) -> FileDescription:
    """What a worker says of a file, unless the file's name tells it to do harm."""
    harm = os.path.basename(task.path).split("-")[0]
    if harm == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if harm == "crash":
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if harm == "leave":
        os._exit(3)
    if harm == "hang":
        time.sleep(600)
    if harm == "spin":
        while True:
            pass
    if harm == "hog":
        file_description.decode_grey = lambda *_, **__: bytearray(8 << 30)  # type: ignore[assignment]
    return file_description.describe_file(task)


HARMS: dict[str, str] = {
    "kill": "decoding it ended the process that worked on it (signal SIGKILL)",
    "crash": "decoding it ended the process that worked on it (signal SIGSEGV)",
    "leave": "decoding it ended the process that worked on it (exit code 3)",
    "hang": "decoding it took longer than 2 s",
    "spin": "decoding it took longer than 2 s",
    "hog": "the decoder ran out of memory",
}


def taken_in(database: Database, folder: Path, *, bounds: ResourceLimits) -> Counter[str]:
    """The outcomes of a folder whose files may harm their workers."""
    found = discover([str(folder)])
    with processes(2, resource_limits=bounds) as spread:
        return workflow.ingest(database, found, executor=spread, limits=Limits(), clock=Clock()).outcomes


def test_a_harmed_worker_costs_one_file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed, crashes, leaves, hangs, spins or takes too much costs that file, with the reason."""
    monkeypatch.setattr(workflow, "describe_file", misbehave)
    frames = shoot(tmp_path / "frames", cameras=2, frames=40)
    for number, harm in enumerate(HARMS):
        os.link(frames / f"cam00-{1_623_844_800_000 + number * 60_000}.png", frames / f"{harm}-1.png")
    outcomes = taken_in(database, frames, bounds=ResourceLimits(memory_bytes=1 << 30, time_s=2))
    assert outcomes == {"added": 80, "unreadable": len(HARMS)}
    told = rows(database.path or Path(), "SELECT path, state_reason FROM images WHERE state = 'unreadable'")
    assert {Path(path).name.split("-")[0]: reason for path, reason in told} == HARMS


def test_harm_without_end(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every file kills its worker, every file is told, and the run ends."""
    monkeypatch.setattr(workflow, "describe_file", misbehave)
    (tmp_path / "frames").mkdir()
    for number in range(6):
        (tmp_path / "frames" / f"{('kill', 'leave')[number % 2]}-{number}.png").write_bytes(b"%d" % number)
    assert taken_in(database, tmp_path / "frames", bounds=ResourceLimits(time_s=20)) == {"unreadable": 6}


def test_a_file_too_large_to_be_read(database: Database, tmp_path: Path) -> None:
    """A file that cannot be read within the time is skipped and named: nobody waits for it a second time."""
    frames = shoot(tmp_path / "frames", cameras=1, frames=4)
    with (frames / "endless.png").open("wb") as file:
        file.truncate(1 << 41)  # a hole, which costs no disk
    found = discover([str(frames)])
    with processes(1, resource_limits=ResourceLimits(time_s=1)) as spread:
        report = workflow.ingest(database, found, executor=spread, limits=Limits(), clock=Clock())
    assert report.outcomes == {"added": 4, "skipped": 1}
    said = "decoding it took longer than 1 s, and its 2199023255552 bytes are too many to read again"
    assert report.refused == [(str(frames / "endless.png"), said)]


def test_workers_end_with_a_killed_command(tmp_path: Path) -> None:
    """Workers that hang over a file do not outlive a command that was killed."""
    program = (
        "import time; from indexer.execution import processes\n"
        "with processes(2) as spread:\n"
        "    print('ready', flush=True); list(spread(time.sleep, [600, 600]))"
    )
    with started(folder=tmp_path, program=program) as process:
        until(lambda: len(left_behind(tmp_path)) >= 5)  # the command, two that the library keeps, two workers
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    try:
        assert until(lambda: left_behind(tmp_path) == [], timeout_s=10)
    finally:
        for process_id in left_behind(tmp_path):
            os.kill(process_id, signal.SIGKILL)
