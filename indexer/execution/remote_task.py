"""A task for a cluster worker and its execution there: a function applied to some items within resource limits.

It promises that a task gives one outcome for all its items and never raises. An item that exceeds its time ends the
worker's process, since nothing can end a running thread. The module does not know Dask.

Decision: the time of an item is limited by a timer of the operating system (SIGALRM, which ends the process by
default), not by a thread. A decoder that hangs may hold the interpreter lock, and then no thread of this process can
act. The memory that an item may add is limited by RLIMIT_AS, which is lowered while items run and restored afterwards.
So a hostile picture fails alone, with a reason. The nanny's own limit would also lose the worker and its other tasks:
it ends the process, and it checks ten times a second. Cost: everything else in the worker has the same ceiling at that
moment. An item that reached the ceiling in small allocations may have starved Dask's own loop, whose connection is then
broken in a process that lives on. So that process ends shortly after its answer, and the nanny starts a new one.
Enforced by tests/execution/test_remote_task.py.
"""

import os
import pickle
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from traceback import clear_frames
from typing import Any

from indexer import __version__
from indexer.errors import EngineError
from indexer.execution.executor import Item, ResourceLimits, Result

_CEILING_MARGIN_BYTES = 16 * 2**20  # below the ceiling: so near, small allocations of other threads may have failed too
_ANSWER_DELAY_S = 0.5  # until an answer has been sent


@dataclass(frozen=True)
class Finished:
    """The results of all items, pickled."""

    results: bytes


@dataclass(frozen=True)
class Failed:
    """The exception that the function raised for one of the items."""

    problem: Exception


@dataclass(frozen=True)
class IncompatibleWorker:
    """The reason why this worker cannot execute tasks."""

    reason: str


TaskOutcome = Finished | Failed | IncompatibleWorker


def pack_task(function: Callable[[Item], Result], items: Sequence[Item], *, resource_limits: ResourceLimits) -> bytes:
    """A pickled task: unpickling it executes it.

    So no process in between needs the function or any part of indexer, in particular not the scheduler.
    """
    return pickle.dumps(_PackedTask(pickle.dumps((function, tuple(items))), resource_limits))


class _PackedTask:
    def __init__(self, payload: bytes, resource_limits: ResourceLimits) -> None:
        self._arguments = (payload, resource_limits.memory_bytes, resource_limits.time_s, __version__)

    def __reduce__(self) -> tuple[Callable[..., TaskOutcome], tuple[Any, ...]]:
        return execute_remote, self._arguments


def execute_remote(payload: bytes, memory_bytes: int | None, time_s: float | None, version: str) -> TaskOutcome:
    """Applies the pickled function to the pickled items, in the process of a worker; returns the outcome.

    Never raises: an exception of the function is the outcome `Failed`. A worker with another version of indexer, or one
    that cannot unpickle the payload, gives `IncompatibleWorker`.
    """
    if version != __version__:
        return IncompatibleWorker(f"has indexer {__version__}, and this is {version}")
    try:
        function, items = pickle.loads(payload)
    except Exception as problem:
        return IncompatibleWorker(f"cannot load the work ({type(problem).__name__}: {problem})")
    try:
        results = []
        with _ceiling.above(memory_bytes):
            for item in items:
                with _alarms.within(time_s):
                    results.append(function(item))
            return Finished(pickle.dumps(results))
    except Exception as problem:
        return Failed(_picklable(problem))


class _Alarms:
    """The deadlines of the items that run in this process; the timer is set to the nearest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}

    @contextmanager
    def within(self, time_s: float | None) -> Iterator[None]:
        """Ends this process if the block takes longer."""
        if time_s is None:
            yield
            return
        with self._lock:
            self._deadlines[threading.get_ident()] = monotonic() + time_s
            self._set_timer()
        try:
            yield
        finally:
            with self._lock:
                del self._deadlines[threading.get_ident()]
                self._set_timer()

    def _set_timer(self) -> None:
        left_s = max(0.001, min(self._deadlines.values()) - monotonic()) if self._deadlines else 0.0
        signal.setitimer(signal.ITIMER_REAL, left_s)


class _MemoryCeiling:
    """The limit of this process's address space while items run, possibly in several threads.

    It is the size at the start of the first item plus the allowances of all threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowances: list[int] = []
        self._original_limit = resource.RLIM_INFINITY
        self._base_bytes = 0

    @contextmanager
    def above(self, memory_bytes: int | None) -> Iterator[None]:
        """Lets the block add `memory_bytes` to the address space of this process; None does not limit it."""
        if memory_bytes is None:
            yield
            return
        with self._lock:
            if not self._allowances:
                self._original_limit = resource.getrlimit(resource.RLIMIT_AS)[0]
                self._base_bytes = _address_space_bytes()
            self._allowances.append(memory_bytes)
            self._set_limit()
        failed = False
        try:
            yield
        except MemoryError as problem:
            clear_frames(problem.__traceback__)  # frees the memory of the item
            failed = True
            raise
        finally:
            with self._lock:
                limit = resource.getrlimit(resource.RLIMIT_AS)[0]
                self._allowances.remove(memory_bytes)
                self._set_limit()
            if failed and _peak_address_space_bytes() >= limit - _CEILING_MARGIN_BYTES:
                _kill_self_soon()

    def _set_limit(self) -> None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limits = [
            self._base_bytes + sum(self._allowances) if self._allowances else resource.RLIM_INFINITY,
            self._original_limit,
            hard,
        ]
        finite = [limit for limit in limits if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(finite, default=resource.RLIM_INFINITY), hard))


_alarms = _Alarms()
_ceiling = _MemoryCeiling()


def _kill_self_soon() -> None:
    """Kills this process after `_ANSWER_DELAY_S`, when the answer has been sent; at once if no timer can be started."""
    timer = threading.Timer(_ANSWER_DELAY_S, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # no thread can be started
        os.kill(os.getpid(), signal.SIGKILL)


def _peak_address_space_bytes() -> int:
    """Largest size of the address space of this process so far, in bytes; 0 if unknown."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:")), 0)


def _address_space_bytes() -> int:
    """Size of the address space of this process, in bytes; 0 if unknown."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize()


def _picklable(problem: Exception) -> Exception:
    """The exception, or an `EngineError` with its message if it cannot be pickled and unpickled."""
    try:
        pickle.loads(pickle.dumps(problem))
    except Exception:
        return EngineError(f"{type(problem).__name__}: {problem}")
    return problem
