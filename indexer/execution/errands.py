"""What is sent to a worker of a cluster, and what the worker does with it: some items through a function, within
bounds.

It promises that an answer says what became of all the items together, never raises, and that an item that takes longer
than it may ends the worker's process, as nothing can end a running thread. It does not know Dask.

Decision: the clock of an item is the kernel's (SIGALRM, whose default is the end of the process), not a thread's. A
decoder that hangs may hold the lock of the interpreter, and then no thread of this process can ever act. The memory
an item may add is bounded by RLIMIT_AS, lowered while items run and put back after: a hostile picture then costs
itself, with a reason, and neither its worker nor its neighbours, which the nanny's own limit would (it ends the
process, and looks ten times a second). Cost: whatever else the worker does at that moment has the same ceiling. An
item that came up to it in small pieces may have starved Dask's own loop, whose connection is then broken in a process
that lives; so that process ends a moment after its answer, and the nanny begins a new one. Enforced by
tests/execution/test_errands.py.
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

_CEILING_MARGIN_BYTES = 16 * 2**20  # to the ceiling: what small pieces leave, and what others than an item would need
_ANSWER_DELAY_S = 0.5  # from an answer until it is on its way


@dataclass(frozen=True)
class Finished:
    """The results of all items, pickled."""

    results: bytes


@dataclass(frozen=True)
class Failed:
    """What the function raised over one of the items."""

    problem: Exception


@dataclass(frozen=True)
class IncompatibleWorker:
    """Why this worker can do nothing for us."""

    reason: str


TaskOutcome = Finished | Failed | IncompatibleWorker


def pack_task(function: Callable[[Item], Result], items: Sequence[Item], *, resource_limits: ResourceLimits) -> bytes:
    """The work on some items, packed: to be unpickled is to be done.

    So that nobody on the way, a scheduler least of all, needs to have the function or any part of indexer.
    """
    return pickle.dumps(_PackedTask(pickle.dumps((function, tuple(items))), resource_limits))


class _PackedTask:
    def __init__(self, payload: bytes, resource_limits: ResourceLimits) -> None:
        self._arguments = (payload, resource_limits.memory_bytes, resource_limits.time_s, __version__)

    def __reduce__(self) -> tuple[Callable[..., TaskOutcome], tuple[Any, ...]]:
        return execute_remote, self._arguments


def execute_remote(payload: bytes, memory_bytes: int | None, time_s: float | None, version: str) -> TaskOutcome:
    """What became of the items, in the process of a worker."""
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
    """The ends of the items that are under way in this process, of which the kernel is told the nearest."""

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
    """What the address space of this process may grow to while items are under way, some in each thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowances: list[int] = []
        self._original_limit = resource.RLIM_INFINITY
        self._base_bytes = 0

    @contextmanager
    def above(self, memory_bytes: int | None) -> Iterator[None]:
        """Lets the block add so many bytes to what this process has now."""
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
            clear_frames(problem.__traceback__)  # of all that the item had
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
    """Ends this process when the answer has gone out; at once if it cannot even wait."""
    timer = threading.Timer(_ANSWER_DELAY_S, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # no thread can be started
        os.kill(os.getpid(), signal.SIGKILL)


def _peak_address_space_bytes() -> int:
    """Bytes that the address space of this process has had at most."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:")), 0)


def _address_space_bytes() -> int:
    """Bytes of the address space of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize()


def _picklable(problem: Exception) -> Exception:
    """The problem, or its words where it does not survive the way."""
    try:
        pickle.loads(pickle.dumps(problem))
    except Exception:
        return EngineError(f"{type(problem).__name__}: {problem}")
    return problem
