"""Hostile files among good ones: each costs itself alone, and the good ones are what they are without them."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from indexer.domain.descriptions import FileDescription, Limits
from indexer.execution import ResourceLimits, processes
from indexer.imaging import file_description
from indexer.store.database import Database
from indexer.workflows import image_files
from indexer.workflows.image_files import DescribeTask
from indexer.workflows.ingest import ingest as workflow
from indexer.workflows.ingest.discovery import discover
from tests.conftest import Clock
from tests.support.apart import left_behind, rows, shoot, started, until
from tests.support.hostile import KINDS
from tests.support.hostile_runs import drill


def test_hostile_files_among_good_ones(tmp_path: Path) -> None:
    """All 150 good files are ready, every hostile file is reported, and no process is left running."""
    outcomes, _ = drill(tmp_path, cameras=3, frames=50, hostile=len(KINDS), seconds=4)
    assert set(outcomes) == {"unreadable", "damaged", "too_small"}


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
    return image_files.describe_file(task)


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
        (frames / harm).mkdir()  # words that share a number in one folder could be cameras
        os.link(frames / f"cam00-{1_623_844_800_000 + number * 60_000}.png", frames / harm / f"{harm}-1.png")
    outcomes = taken_in(database, frames, bounds=ResourceLimits(memory_bytes=1 << 30, time_s=2))
    assert outcomes == {"added": 80, "unreadable": len(HARMS)}
    told = rows(database.path or Path(), "SELECT path, state_reason FROM images WHERE state = 'unreadable'")
    assert {Path(path).name.split("-")[0]: reason for path, reason in told} == HARMS


def test_harm_without_end(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every file kills its worker, every file is reported, and the run ends."""
    monkeypatch.setattr(workflow, "describe_file", misbehave)
    for number in range(6):
        harm = ("kill", "leave")[number % 2]  # of each a folder: two words in one, written in turns, could be cameras
        (tmp_path / "frames" / harm).mkdir(parents=True, exist_ok=True)
        (tmp_path / "frames" / harm / f"{harm}-{number}.png").write_bytes(b"%d" % number)
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
        assert until(lambda: left_behind(tmp_path) == [], timeout_s=60)
    finally:
        for process_id in left_behind(tmp_path):
            os.kill(process_id, signal.SIGKILL)
