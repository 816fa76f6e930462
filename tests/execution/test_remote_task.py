"""What a worker of a cluster does with a task, each in a process of its own."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from indexer.execution import UNLIMITED, ResourceLimits, remote_task
from indexer.execution.remote_task import Failed, Finished, IncompatibleWorker, execute_remote, pack_task
from tests.support.worker_functions import refuse_three, square, take_memory

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


SMALL = "[bytearray(1000) for _ in range(10**7)]"


class StubbornError(Exception):
    """A problem that does not survive being pickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one + two)


def stubborn(number: int) -> int:
    """The work, which fails in its own way."""
    raise StubbornError(number, number)


def done(work: Any, items: list[Any], bounds: ResourceLimits = UNLIMITED) -> Any:
    """What comes of an errand that is carried out here."""
    return pickle.loads(pack_task(work, items, resource_limits=bounds))


def test_results() -> None:
    """All results come together."""
    outcome = done(square, [1, 2, 3])
    assert isinstance(outcome, Finished)
    assert pickle.loads(outcome.results) == [1, 4, 9]


def test_problems() -> None:
    """What the function raises comes back as it was, or in words where it cannot travel."""
    outcomes = [done(refuse_three, [1, 3]), done(stubborn, [3])]
    assert all(isinstance(outcome, Failed) for outcome in outcomes)
    assert [repr(outcome.problem) for outcome in outcomes] == ["ValueError('not 3')", "EngineError('StubbornError: 6')"]


def test_workers_that_cannot() -> None:
    """A worker of another version, or without the function, says so and does nothing."""
    assert execute_remote(b"", None, None, "9.9") == IncompatibleWorker("has indexer 0.0.1, and this is 9.9")
    work = pickle.dumps((square, (1,))).replace(b"tests.support.worker_functions", b"tests.support.walker_functions")
    assert execute_remote(work, None, None, "0.0.1") == IncompatibleWorker(
        "cannot load the work (ModuleNotFoundError: No module named 'tests.support.walker_functions')"
    )


@pytest.mark.parametrize("hanging", ["time.sleep(60)", "sum(range(10**11))"])
def test_an_item_that_takes_too_long_ends_its_process(hanging: str) -> None:
    """The kernel ends the process at the item's time, also in a thread and where the interpreter is held."""
    code = (
        "import threading, time\nfrom indexer.execution.remote_task import _alarms\n"
        f"def work():\n    with _alarms.within(0.5):\n        {hanging}\n"
        "threading.Thread(target=work).start()"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, timeout=30, check=False)
    assert ended.returncode == -signal.SIGALRM


def test_each_item_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock begins anew with each item, ends with the last, and the nearest end of all threads is the kernel's."""
    set_to: list[float] = []
    monkeypatch.setattr("signal.setitimer", lambda _which, left_s: set_to.append(round(left_s)))
    with remote_task._alarms.within(50):
        thread = threading.Thread(target=lambda: done(square, [1, 2], ResourceLimits(time_s=20)))
        thread.start()
        thread.join()
    assert set_to == [50, 20, 50, 20, 50, 0]


def test_an_item_that_takes_too_much() -> None:
    """More memory than it may add fails the item, and the limit of the process is what it was."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    outcome = done(take_memory, [4096], ResourceLimits(memory_bytes=512 * 2**20))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.problem, MemoryError)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize(("pieces", "ended"), [("[bytearray(2**31)]", 0), (SMALL, -signal.SIGKILL)])
def test_a_process_that_was_filled_in_small_pieces_ends_after_its_answer(pieces: str, ended: int) -> None:
    """Whoever else works in a process whose memory was used up to the ceiling may be broken, so a new one is begun; one
    large piece that was refused hurt nobody."""
    code = (
        "import time\nfrom indexer.execution import ResourceLimits\nfrom tests.execution.test_remote_task import done\n"
        f"def work(_): return {pieces}\n"
        "outcome = done(work, [1], ResourceLimits(memory_bytes=2**28))\n"
        "print(repr(outcome.problem), flush=True)\ntime.sleep(2)"
    )
    work = [sys.executable, "-c", code]
    over = subprocess.run(work, env=ENVIRONMENT, timeout=60, check=False, capture_output=True, text=True)
    assert (over.stdout, over.returncode) == ("MemoryError()\n", ended)
