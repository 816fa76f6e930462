"""The process that forks workers, where several threads start it."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from unittest import mock

import pytest

from indexer.execution.forkserver import start_forkserver


def test_threads_that_start_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread after the other starts it, and the environment is as it was."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = dict(os.environ)
    at_work = threading.Semaphore(1)

    def start() -> None:
        assert at_work.acquire(blocking=False)
        time.sleep(0.02)
        at_work.release()

    with (
        mock.patch.object(forkserver, "ensure_running", start),
        mock.patch.object(forkserver, "set_forkserver_preload"),
        ThreadPoolExecutor(8) as threads,
    ):
        for started in [threads.submit(start_forkserver, ["json"]) for _ in range(24)]:
            started.result()
    assert dict(os.environ) == before
