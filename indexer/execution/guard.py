"""The guard of a cluster worker: one child process per thread, in which items run that may kill, hang or eat memory.

It promises that such an item costs itself alone: the worker and the other items go on. When the worker is gone, its
child ends, at the latest at the time limit of its item. The module does not know Dask.

Decision 0040: files are decoded in a child process, one per thread of the worker.
"""

import multiprocessing
import pickle
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from traceback import clear_frames
from typing import Any

from indexer.errors import EngineError
from indexer.execution.executor import ResourceLimits, WorkerFailure
from indexer.execution.forkserver import describe_exit, follow_parent, limit_memory, start_forkserver

_GRACE_S = 30.0  # beyond the time of an item: until the system has surely ended its process
_STOP_S = 5.0  # until a killed process is gone
_CPU_FACTOR = 2  # processor seconds of an item, per second that it may take: a library may use several threads
_TIME_SIGNALS = -signal.SIGALRM, -signal.SIGXCPU
_start_lock = threading.Lock()

OUT_OF_MEMORY = WorkerFailure("needed more memory than it may have")


class UnusableWorkerError(Exception):
    """This worker cannot execute calls; the message says why, and begins after the word "worker"."""


@dataclass(frozen=True)
class CallOutcome:
    """The outcome of a function applied to some items.

    Attributes
    ----------
    results : list of bytes or WorkerFailure
        The pickled results, in order, up to an item for which the function raised.
    problem : Exception or None
        What it raised there.
    """

    results: list[bytes | WorkerFailure]
    problem: Exception | None = None


def load_call(payload: bytes) -> tuple[Callable[..., Any], Sequence[Any]]:
    """The function and the items of a pickled call; raises `UnusableWorkerError` if they cannot be loaded."""
    try:
        function, items = pickle.loads(payload)
    except Exception as problem:
        reason = f"cannot load the work ({type(problem).__name__}: {problem})"
        raise UnusableWorkerError(f"{reason}; install the same indexer on every worker") from problem
    return function, items


def picklable(problem: Exception) -> Exception:
    """The exception, or an `EngineError` with its message if it cannot be pickled and unpickled."""
    try:
        pickle.loads(pickle.dumps(problem))
    except Exception:
        return EngineError(f"{type(problem).__name__}: {problem}")
    return problem


@dataclass(frozen=True)
class _Child:
    process: BaseProcess
    connection: "Connection[Any, Any]"


class Guard:
    """The child process of one thread, started with its first call, and anew after an item ended it.

    It runs functions of one module, within `limits` for each item: what it imports later would count as their memory.
    """

    def __init__(self, module: str, limits: ResourceLimits) -> None:
        self.module = module
        self.limits = limits
        self._child: _Child | None = None

    def run(self, payload: bytes, item_count: int) -> CallOutcome:
        """The outcome of a pickled call of a function with `item_count` items.

        Raises
        ------
        UnusableWorkerError
            If the call cannot be loaded, or no child can be started.
        """
        results: list[bytes | WorkerFailure] = []
        while len(results) < item_count:
            child = self._running_child()
            try:
                child.connection.send((payload, len(results)))
            except OSError:  # it ended while it had nothing to do
                self.stop()
            while len(results) < item_count and self._child is child:
                answer = self._answer(child)
                if isinstance(answer, UnusableWorkerError):
                    raise answer
                if isinstance(answer, MemoryError):
                    self.stop()  # what ran beside the item may have lacked memory too
                    answer = OUT_OF_MEMORY
                if isinstance(answer, Exception):
                    return CallOutcome(results, answer)
                results.append(answer)
        return CallOutcome(results)

    def stop(self) -> None:
        """Ends the child."""
        if self._child is not None:
            self._child.process.kill()
            self._child.process.join(_STOP_S)
            self._child.connection.close()
            self._child = None

    def _running_child(self) -> _Child:
        if self._child is None or not self._child.process.is_alive():
            self.stop()
            try:
                with _start_lock:
                    self._child = _start_child(self.module, self.limits)
                self._child.connection.recv()
            except (OSError, EOFError) as problem:
                raise UnusableWorkerError(f"cannot start a process ({type(problem).__name__}: {problem})") from problem
        return self._child

    def _answer(self, child: _Child) -> bytes | Exception | WorkerFailure:
        """The result of the next item, pickled, or the exception that it raised; a failure if it ended the child."""
        time_s = self.limits.time_s
        reason = "" if time_s is None else f"took longer than {time_s:g} s"
        try:
            if child.connection.poll(None if time_s is None else time_s + _GRACE_S):
                answer: bytes | Exception = child.connection.recv()
                return answer
        except (OSError, EOFError):
            child.process.join(_GRACE_S)
            if child.process.exitcode not in _TIME_SIGNALS:
                reason = f"ended the process that worked on it ({describe_exit(child.process.exitcode)})"
        self.stop()
        return WorkerFailure(reason)


def _start_child(module: str, limits: ResourceLimits) -> _Child:
    multiprocessing.current_process().daemon = False  # a nanny's worker is one, and a daemon may start no process
    start_forkserver([module])
    connection, child_connection = multiprocessing.Pipe()
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_serve, args=(child_connection, limits), daemon=True)
    process.start()
    child_connection.close()
    return _Child(process, connection)


def _serve(connection: "Connection[Any, Any]", limits: ResourceLimits) -> None:
    """What the child does: it runs calls until its worker closes the connection, or is gone."""
    follow_parent()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    connection.send("ready")
    while True:
        try:
            payload, start = connection.recv()
        except EOFError:
            return
        for answer in _run(payload, start, limits):
            connection.send(answer)


def _run(payload: bytes, start: int, limits: ResourceLimits) -> Iterator[bytes | Exception]:
    """The pickled result of each item from `start` on, up to one for which the function raises; then the exception."""
    try:
        function, items = load_call(payload)
        limit_memory(limits.memory_bytes)
        for item in items[start:]:
            with _time_limit(limits.time_s):
                data = pickle.dumps(function(item))
            yield data
    except Exception as problem:
        clear_frames(problem.__traceback__)  # frees the memory of the item
        yield picklable(problem)


@contextmanager
def _time_limit(time_s: float | None) -> Iterator[None]:
    """Ends this process if the block takes longer."""
    if time_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = int(used.ru_utime + used.ru_stime + _CPU_FACTOR * time_s) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, time_s or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
