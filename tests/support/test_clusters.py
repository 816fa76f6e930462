"""The clusters that tests start do not outlive them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.execution.test_process_pool import is_running

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys, time
from pathlib import Path
from tests.support.clusters import Cluster
cluster = Cluster(Path(sys.argv[1]))
cluster.add_worker()
cluster.wait_for(1)
print(cluster.scheduler.pid, cluster.workers[0].pid, flush=True)
time.sleep(600)
"""


def test_a_cluster_ends_with_who_started_it(tmp_path: Path) -> None:
    """Where the tests are killed their schedulers and workers end, too."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", CODE, str(tmp_path)]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as tests:
        started = (tests.stdout.readline() if tests.stdout else "").split()
        tests.send_signal(signal.SIGKILL)
    assert len(started) == 2
    deadline = time.monotonic() + 60
    while (left := [pid for pid in started if is_running(int(pid))]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
