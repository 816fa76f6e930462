"""record for an hour, and killed many times."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from indexer.store.database import Database
from tests.support.databases import on_sqlite, rows
from tests.support.live_cameras import needs_rtsp_server, pipeline, rtsp_server
from tests.support.record_runs import require_no_loss
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
