"""record for an hour, killed many times, and on a disk that is full."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from indexer.store.database import Database
from tests.support.databases import on_sqlite, rows
from tests.support.live_cameras import needs_rtsp_server, pipeline, rtsp_server, web_camera
from tests.support.mounts import small_disk
from tests.support.record_runs import require_no_loss, require_no_loss_of_any
from tests.support.recordings import recording


@needs_rtsp_server
@on_sqlite
@pytest.mark.drill
def test_an_hour_of_failures(database: Database, tmp_path: Path) -> None:
    """INDEXER_DRILL_S seconds (an hour if not given): a server that is killed, stopped and started again at random."""
    end_s = time.monotonic() + float(os.environ.get("INDEXER_DRILL_S", "3600"))
    streams = {"ball": pipeline(), "still": pipeline("pinwheel"), "snow": pipeline("snow", rate=5)}
    chance = random.Random(1)
    with rtsp_server(streams) as server:
        sources = [f"{name}={server.address(name)}" for name in streams]
        with recording(database, tmp_path / "frames", *sources, every_s=0.5, timeout_s=3.0) as work:
            while time.monotonic() < end_s:
                time.sleep(chance.uniform(1, 20))
                if chance.random() < 0.5:
                    server.signal(signal.SIGSTOP)
                    time.sleep(chance.uniform(0.1, 8))
                    server.signal(signal.SIGCONT)
                else:
                    server.signal(signal.SIGKILL)
                    time.sleep(chance.uniform(0.1, 8))
                    server.start()
                assert work.problem is None
    assert rows(database, "SELECT COUNT(*) FROM recordings WHERE ended_at IS NULL") == [(0,)]


@pytest.mark.drill
def test_forty_kills(tmp_path: Path) -> None:
    """SIGKILL at random moments: files equal rows, and no process and no part is left."""
    require_no_loss(tmp_path, kills=40)


@needs_rtsp_server
@pytest.mark.drill
@pytest.mark.parametrize("seed", range(3))
def test_mixed_kills(tmp_path: Path, seed: int) -> None:
    """SIGKILL of the record, of any process that it started, and of the server: nothing is lost or counted twice."""
    killed = require_no_loss_of_any(tmp_path, kills=25, seed=seed)
    assert min(killed.values()) > 0, killed


@on_sqlite
@pytest.mark.drill
def test_a_disk_that_is_full(database: Database, tmp_path: Path) -> None:
    """New frames are counted, what is there stays as it is, and with more space new frames are stored again."""
    frames, chance = tmp_path / "frames", np.random.default_rng(1)

    def images_and_reasons() -> tuple[int, set[str]]:
        camera.picture = cv2.resize(chance.integers(0, 255, (60, 80, 3), np.uint8), (1280, 960))
        time.sleep(0.1)
        reasons = {reason for (reason,) in rows(database, "SELECT DISTINCT reason FROM spans")}
        return rows(database, "SELECT COUNT(*) FROM images")[0][0], reasons

    with small_disk(frames, "2m"), web_camera() as camera:
        with recording(database, frames, f"gate={camera.address('stream')}") as work:
            work.until(lambda: "full_disk" in images_and_reasons()[1])
            time.sleep(1)
            stored = {path: path.read_bytes() for path in frames.rglob("gate-*.jpg")}
            assert all(data.endswith(b"\xff\xd9") for data in stored.values())
            subprocess.run(["mount", "-o", "remount,size=8m", frames], check=True)
            work.until(lambda: images_and_reasons()[0] > len(stored) + 3)
        assert {path: path.read_bytes() for path in stored} == stored
        assert work.source().recordings == 1
    assert len(stored) > 3
    assert sum("too little free space" in line for line in work.lines) == 1
    assert sum("stored again" in line for line in work.lines) == 1
