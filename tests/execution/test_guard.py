"""The guard of a cluster worker: what kills, hangs or eats memory costs itself, and the worker lives on."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import EngineError
from indexer.execution import ResourceLimits, WorkerFailure
from indexer.execution.guard import CallOutcome, Guard, UnusableWorkerError
from tests.support.apart import left_behind, started, until
from tests.support.worker_functions import (
    block_alarm_at_three,
    die_at_first,
    die_at_three,
    exit_at_three,
    fill_memory_at_three,
    hang_at_three,
    ignore_alarm_at_three,
    keep_memory,
    refuse_three,
    spin_at_three,
    square,
    take_memory,
    whoami,
)

LIMITS = ResourceLimits(memory_bytes=2**28, time_s=0.5)
KILLED = WorkerFailure("ended the process that worked on it (signal SIGKILL)")
LEFT = WorkerFailure("ended the process that worked on it (exit code 3)")
LATE = WorkerFailure("took longer than 0.5 s")
BUSY = WorkerFailure(f"took more than {0.5 * max(2, os.cpu_count() or 1):g} s of processor time")
TOO_LARGE = WorkerFailure("needed more memory than it may have")


@pytest.fixture
def guard() -> Iterator[Guard]:
    """A guard that is stopped at the end."""
    guard = Guard("tests.support.worker_functions")
    yield guard
    guard.stop()


def results(
    guard: Guard, function: Callable[[Any], Any], items: list[Any], limits: ResourceLimits = LIMITS
) -> list[Any]:
    """The results of a call that raises nothing."""
    outcome = guard.run(pickle.dumps((function, items)), len(items), limits)
    assert outcome.problem is None
    return [pickle.loads(result) if isinstance(result, bytes) else result for result in outcome.results]


def test_one_child_for_all_calls(guard: Guard) -> None:
    """Items run in one process, which is not this one, and the next call finds it as it was."""
    first = results(guard, whoami, [0, 1, 2])
    assert len(set(first)) == 1
    assert results(guard, whoami, [3]) == first[:1] != [os.getpid()]


@pytest.mark.parametrize(
    ("function", "failure"),
    [
        (die_at_three, KILLED),
        (exit_at_three, LEFT),
        (hang_at_three, LATE),
        (spin_at_three, LATE),
        (block_alarm_at_three, LATE),
        (ignore_alarm_at_three, BUSY),
    ],
)
def test_a_harmful_item_costs_itself(guard: Guard, function: Callable[[int], int], failure: WorkerFailure) -> None:
    """Items that end their process, never end or take too much fail with the reason; those beside them do not."""
    assert results(guard, function, [1, 2, 3, 4, 3, 5]) == [1, 2, failure, 4, failure, 5]


def test_an_item_that_fills_the_memory_in_small_pieces() -> None:
    """It fails with the reason, although there is hardly any memory left to say so."""
    guard, limits = Guard(fill_memory_at_three.__module__), ResourceLimits(memory_bytes=2**27, time_s=60)
    assert results(guard, fill_memory_at_three, [1, 2, 3, 4, 3, 5], limits) == [1, 2, TOO_LARGE, 4, TOO_LARGE, 5]
    guard.stop()


def test_each_item_has_its_own_time(guard: Guard) -> None:
    """Items of one call may take longer together than one alone may."""
    assert results(guard, time.sleep, [0.4] * 4, ResourceLimits(time_s=1.2)) == [None] * 4


def test_a_child_that_ends_without_an_item(guard: Guard) -> None:
    """A child that is killed while it has nothing to do costs no item."""
    (child,) = results(guard, whoami, [0])
    os.kill(child, signal.SIGKILL)
    time.sleep(0.2)
    assert results(guard, square, [1, 2]) == [1, 4]


def test_a_child_after_a_lack_of_memory(guard: Guard) -> None:
    """After an item that took too much the others get a new process, with all the memory that they may have."""
    (before,) = results(guard, whoami, [0])
    assert results(guard, take_memory, [4096, 100, 100]) == [TOO_LARGE, 100 * 2**20, 100 * 2**20]
    assert results(guard, whoami, [0]) != [before]


def test_limits_of_each_call(guard: Guard) -> None:
    """Calls with different limits use one process, and each has its own limits."""
    (child,) = results(guard, whoami, [0], ResourceLimits(time_s=20.0))
    generous = ResourceLimits(2**30, 20.0)
    assert results(guard, whoami, [0], generous) == [child]
    assert results(guard, take_memory, [400], generous) == [400 * 2**20]
    assert results(guard, whoami, [0], ResourceLimits(2**27, 20.0)) == [child]
    assert results(guard, take_memory, [400], ResourceLimits(2**27, 20.0)) == [TOO_LARGE]


def test_memory_that_earlier_items_keep(guard: Guard) -> None:
    """What earlier items keep does not count as the memory of an item, and is freed if it is more than one may take."""
    limits = ResourceLimits(memory_bytes=2**28, time_s=30.0)
    (child,) = results(guard, whoami, [0], limits)
    assert results(guard, keep_memory, [200, 200, 200, 300], limits) == [1, 2, 3, TOO_LARGE]
    assert results(guard, keep_memory, [1], limits) == [1]
    assert results(guard, keep_memory, [150], limits) == [2]
    assert results(guard, keep_memory, [150], limits) == [3]
    assert results(guard, keep_memory, [150], limits) == [1]
    assert results(guard, whoami, [0], limits) != [child]


def test_a_large_call_after_an_item_that_keeps_memory(guard: Guard) -> None:
    """Receiving a call does not count as the memory of the item before it."""
    limits = ResourceLimits(memory_bytes=2**28, time_s=30.0)
    assert results(guard, keep_memory, [240], limits) == [1]
    assert results(guard, len, [bytes(40 * 2**20)], limits) == [40 * 2**20]


def test_a_child_that_something_else_kills(guard: Guard, tmp_path: Path) -> None:
    """An item is repeated once if a signal ended its process: the system may have killed it to get memory."""
    assert results(guard, die_at_first, [str(tmp_path / "tried"), str(tmp_path / "tried")]) == [True, True]


def test_a_hard_limit_of_the_system() -> None:
    """A hard limit below that of an item holds instead, and is no error."""
    code = (
        "import pickle, resource\nfrom indexer.execution import ResourceLimits\n"
        "from indexer.execution.guard import Guard\nresource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
        "outcome = Guard('os').run(pickle.dumps((abs, [-7])), 1, ResourceLimits(2**28, 1000))\n"
        "print(outcome.problem, *map(pickle.loads, outcome.results))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "None 7\n"


class StubbornError(Exception):
    """A problem that cannot be unpickled."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def stubborn(number: int) -> int:
    """The work, which fails in its own way."""
    raise StubbornError(number, number)


def test_exceptions(guard: Guard) -> None:
    """What the function raises comes with the results before it; in words if it cannot be pickled."""
    outcome = guard.run(pickle.dumps((refuse_three, [1, 2, 3, 4])), 4, LIMITS)
    assert [pickle.loads(result) for result in outcome.results if isinstance(result, bytes)] == [1, 2]
    assert repr(outcome.problem) == "ValueError('not 3')"
    assert results(guard, square, [3]) == [9]


def test_an_exception_that_cannot_be_pickled() -> None:
    """It comes as words."""
    guard = Guard(stubborn.__module__)
    outcome = guard.run(pickle.dumps((stubborn, [3])), 1, LIMITS)
    guard.stop()
    assert (outcome.results, type(outcome.problem), str(outcome.problem)) == ([], EngineError, "StubbornError: 6")


def test_a_call_that_cannot_be_loaded(guard: Guard) -> None:
    """Where the function does not exist no item is to blame."""
    with pytest.raises(UnusableWorkerError, match=r"cannot load the work .*No module named 'indexer_of_nobody'"):
        guard.run(b"cindexer_of_nobody\nwork\n.", 1, LIMITS)


def test_no_items(guard: Guard) -> None:
    """Where nothing is to be done no process is started."""
    assert guard.run(b"", 0, LIMITS) == CallOutcome([])


def test_no_child_can_be_started() -> None:
    """Where the system refuses new processes no item is to blame."""
    code = (
        "import resource\nfrom indexer.execution import ResourceLimits\nfrom indexer.execution.guard import Guard\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))\nGuard('os').run(b'', 1, ResourceLimits(time_s=1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (
        "a worker of the cluster cannot start a process (OSError: [Errno 24] Too many open files) (process "
        in done.stderr
    )


@pytest.mark.parametrize("hanging", ["time.sleep", "worker_functions.spin"])
def test_a_worker_that_is_killed_while_an_item_hangs(tmp_path: Path, hanging: str) -> None:
    """The child ends with its worker, at the latest at its time limit, also where it holds the interpreter lock."""
    program = (
        "import pickle, time\nfrom indexer.execution import ResourceLimits\nfrom indexer.execution.guard import Guard\n"
        "from tests.support import worker_functions\nprint('ready', flush=True)\n"
        f"Guard('os').run(pickle.dumps(({hanging}, [600])), 1, ResourceLimits(time_s=3))"
    )
    with started(folder=tmp_path, program=program) as process:
        until(lambda: len(left_behind(tmp_path)) >= 4)  # the worker, two that the library keeps, the child
        time.sleep(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert until(lambda: left_behind(tmp_path) == [], timeout_s=60)
