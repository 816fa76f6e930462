"""A Dask cluster as a person starts one: a scheduler and workers from the command line, on loopback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_WITH_THIS_PROCESS = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
from distributed.cli.dask_{} import main
main(sys.argv[1:])
"""
"""The program, which ends with who started it, however that ends: a session of its own keeps Ctrl-C from it."""
_QUIET = {"DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "1h", "OMP_NUM_THREADS": "1"}


class Cluster:
    """A scheduler at an address, and workers that are added and killed."""

    def __init__(self, folder: Path, *, settings: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = os.environ | _QUIET | {"PYTHONPATH": str(ROOT)} | (settings or {})
        self._processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self._elsewhere = folder / "without indexer"  # a scheduler needs none
        self._elsewhere.mkdir()
        (self._elsewhere / "indexer.py").write_text("raise ImportError('a scheduler needs no indexer')\n")
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", import_path=self._elsewhere
        )
        self.address = self._said("scheduler.log", "Scheduler at:").split()[-1]

    def _start(self, *words: str, import_path: Path | None = None) -> "subprocess.Popen[bytes]":
        place = {"PYTHONPATH": str(import_path)} if import_path else {}
        name = words[0] if words[0] == "scheduler" else f"worker-{len(self._processes)}"
        with (self._folder / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, "-c", _WITH_THIS_PROCESS.format(words[0]), *words[1:]],
                cwd=self._folder,
                env=self._environment | place,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(started)
        return started

    def _said(self, log: str, words: str) -> str:
        """The line of a log that holds these words, once it is there."""
        for _ in range(600):
            lines = [line for line in (self._folder / log).read_text().splitlines() if words in line]
            if lines:
                return lines[0]
            time.sleep(0.05)
        raise AssertionError((self._folder / log).read_text())

    def add_worker(self, *words: str, import_path: Path | None = None) -> "subprocess.Popen[bytes]":
        """One more worker (its nanny), of one thread; it imports from this project, or only from that folder."""
        place = self._folder / f"scratch-{len(self._processes)}"
        options = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--local-directory", str(place), *words]
        self.workers.append(
            self._start("worker", self.address, "--host", "127.0.0.1", *options, import_path=import_path)
        )
        return self.workers[-1]

    def wait_for(self, workers: int) -> None:
        """Comes back when so many workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def tasks(self) -> int:
        """How many tasks the scheduler knows of."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return int(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

    def kill_workers(self) -> None:
        """Kills all workers, with their nannies; comes back when the scheduler knows that they are gone."""
        from distributed import Client

        while self.workers:
            self._kill(self.workers.pop())
        with Client(self.address, set_as_default=False) as client:
            for _ in range(600):
                if not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.workers)):
                    return
                time.sleep(0.05)
        raise AssertionError("the scheduler does not notice that its workers are gone")

    def close(self) -> None:
        """Ends all of it, with whatever the workers have started."""
        for process in reversed(self._processes):
            self._kill(process)

    @staticmethod
    def _kill(process: "subprocess.Popen[bytes]") -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@contextmanager
def started(folder: Path, *, workers: int = 2, settings: dict[str, str] | None = None) -> Iterator[Cluster]:
    """A cluster of so many workers, until the end of the block."""
    cluster = Cluster(folder, settings=settings)
    try:
        for _ in range(workers):
            cluster.add_worker()
        if workers:
            cluster.wait_for(workers)
        yield cluster
    finally:
        cluster.close()
