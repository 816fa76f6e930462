"""The guard of a cluster worker: one child process per thread, in which items run that may kill, hang or eat memory.

It promises that such an item costs itself alone: the worker and the other items go on. When the worker is gone, its
child ends, at the latest at the time limit of its item. The module does not know Dask.

Decision 0040: files are decoded in a child process, one per thread of the worker.
"""

import multiprocessing
import os
import pickle
import resource
import signal
import socket
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
from indexer.execution.forkserver import (
    address_space_bytes,
    describe_exit,
    follow_parent,
    resident_bytes,
    start_forkserver,
)

_GRACE_S = 30.0  # beyond the time of an item: until the system has surely ended its process
_STOP_S = 5.0  # until a killed process is gone
_CPU_FACTOR = max(2, os.cpu_count() or 1)
"""Processor seconds of an item, per second that it may take: a decoder may use a thread for each processor."""
_MAX_ATTEMPTS = 2  # of an item whose child ended by a signal: the system or a person may have ended it
_start_lock = threading.Lock()

OUT_OF_MEMORY = WorkerFailure("needed more memory than it may have")


class UnusableWorkerError(Exception):
    """A worker cannot execute calls. `reason` goes on after the words "a worker of the cluster"."""

    def __init__(self, reason: str, process: str | None = None) -> None:
        self.reason = reason
        self.process = process or process_name()
        super().__init__(reason, self.process)

    def __str__(self) -> str:
        return f"a worker of the cluster {self.reason} ({self.process})"


def process_name() -> str:
    """The name of this process and its machine, for messages."""
    return f"process {os.getpid()} on {socket.gethostname()}"


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
    except MemoryError as problem:
        raise UnusableWorkerError("has no memory left to load the work") from problem
    except Exception as problem:
        reason = f"cannot load the work ({type(problem).__name__}: {problem})"
        raise UnusableWorkerError(f"{reason}; install the same indexer on every worker") from problem
    return function, items


def picklable(problem: Exception) -> Exception:
    """A copy of the exception without its frames, which would hold the memory of the item; an `EngineError` with its
    message if it cannot be pickled and unpickled."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(problem))
    except Exception:
        return EngineError(f"{type(problem).__name__}: {problem}")
    return copy.with_traceback(None)


@dataclass
class _Child:
    """`first_bytes`: its resident memory after its first call, which may have loaded libraries."""

    process: BaseProcess
    connection: "Connection[Any, Any]"
    first_bytes: int | None = None


class _ChildEndedError(Exception):
    """The child ended while it worked on an item; the exit code is None if it was killed because of its time."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Guard:
    """The child process of one thread, started with its first call, and anew after an item ended it.

    It imports `module` before its first call.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._child: _Child | None = None

    def run(self, payload: bytes, item_count: int, limits: ResourceLimits) -> CallOutcome:
        """The outcome of a pickled call of a function with `item_count` items, each within `limits`.

        Raises
        ------
        UnusableWorkerError
            If the call cannot be loaded, no child can be started, or it cannot be limited.
        """
        results: list[bytes | WorkerFailure] = []
        for number in range(item_count):
            answer = self._next_answer(payload, number, limits)
            if isinstance(answer, UnusableWorkerError):
                raise answer
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

    def _running_child(self, limits: ResourceLimits) -> _Child:
        """The child; a new one if it ended, or if what earlier items left in its memory is more than an item may
        take."""
        if self._child is not None and self._child.process.is_alive():
            used_bytes = resident_bytes(self._child.process.pid)
            if self._child.first_bytes is None:
                self._child.first_bytes = used_bytes
            growth_bytes = used_bytes - self._child.first_bytes
            if limits.memory_bytes is None or growth_bytes <= limits.memory_bytes:
                return self._child
        self.stop()
        try:
            with _start_lock:
                self._child = _start_child(self._module)
        except (OSError, EOFError, RuntimeError) as problem:
            raise UnusableWorkerError(f"cannot start a process ({type(problem).__name__}: {problem})") from problem
        return self._child

    def _next_answer(self, payload: bytes, number: int, limits: ResourceLimits) -> bytes | Exception | WorkerFailure:
        """The result of an item, pickled, or the exception that it raised; a failure if it ended the child.

        The item is repeated in a new child if something else may have ended the first one.
        """
        failure = WorkerFailure("")
        for _ in range(_MAX_ATTEMPTS):
            try:
                answer = self._receive(self._working_child(payload, number, limits), limits)
            except _ChildEndedError as problem:
                failure = WorkerFailure(_failure_reason(problem.exit_code, limits))
                if not _may_be_foreign(problem.exit_code):
                    break
            else:
                if isinstance(answer, MemoryError):
                    self.stop()  # what ran beside the item may have lacked memory too
                    return OUT_OF_MEMORY
                return answer
        return failure

    def _working_child(self, payload: bytes, number: int, limits: ResourceLimits) -> _Child:
        """The child, which works on the items of the call from `number` on."""
        if number and self._child is not None:  # it has the call since an earlier item
            return self._child
        child = self._running_child(limits)
        try:
            with _killing_after(_GRACE_S, child.process):
                child.connection.send((payload, number, limits))
        except OSError as problem:
            raise self._ended(child) from problem
        return child

    def _receive(self, child: _Child, limits: ResourceLimits) -> bytes | Exception:
        """The child's answer to the next item; raises `_ChildEndedError` if there is none in time."""
        try:
            if child.connection.poll(None if limits.time_s is None else limits.time_s + _GRACE_S):
                with _killing_after(_GRACE_S, child.process):
                    answer: bytes | Exception = child.connection.recv()
                return answer
        except (OSError, EOFError) as problem:
            raise self._ended(child) from problem
        self.stop()
        raise _ChildEndedError(None)

    def _ended(self, child: _Child) -> _ChildEndedError:
        child.process.join(_GRACE_S)
        exit_code = child.process.exitcode
        self.stop()
        return _ChildEndedError(exit_code)


def _may_be_foreign(exit_code: int | None) -> bool:
    """Whether something else than the item may have ended its process, as the system does if memory is short."""
    return exit_code is not None and exit_code < 0 and -exit_code not in {signal.SIGALRM, signal.SIGXCPU}


def _failure_reason(exit_code: int | None, limits: ResourceLimits) -> str:
    time_s = limits.time_s
    if time_s is not None:
        if exit_code in {None, -signal.SIGALRM}:
            return f"took longer than {time_s:g} s"
        if exit_code == -signal.SIGXCPU:
            return f"took more than {_CPU_FACTOR * time_s:g} s of processor time"
    return f"ended the process that worked on it ({describe_exit(exit_code)})"


@contextmanager
def _killing_after(seconds: float, process: BaseProcess) -> Iterator[None]:
    """Kills a child if the block takes longer; sending and receiving then end."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _start_child(module: str) -> _Child:
    multiprocessing.current_process().daemon = False  # a nanny's worker is one, and a daemon may start no process
    start_forkserver([module])
    connection, child_connection = multiprocessing.Pipe()
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_serve, args=(child_connection,), daemon=True)
    process.start()
    child_connection.close()
    if not connection.poll(_GRACE_S):
        process.kill()
        raise OSError(f"it does not begin within {_GRACE_S:g} s")
    connection.recv()
    return _Child(process, connection)


def _serve(connection: "Connection[Any, Any]") -> None:
    """What the child does: it runs calls until its worker closes the connection, or is gone."""
    follow_parent()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    connection.send("ready")
    while True:
        try:
            payload, start, limits = connection.recv()
        except EOFError:
            return
        for answer in _run_in_child(payload, start, limits):
            connection.send(answer)


def _run_in_child(payload: bytes, start: int, limits: ResourceLimits) -> Iterator[bytes | Exception]:
    """The pickled result of each item from `start` on, up to one for which the function raises; then the exception.

    The exception is an `UnusableWorkerError` if the call cannot be loaded, or if this process cannot be limited.
    """
    try:
        function, items = load_call(payload)
    except UnusableWorkerError as problem:
        yield problem
        return
    for item in items[start:]:
        try:
            _set_limits(limits)
        except (OSError, ValueError) as problem:
            yield UnusableWorkerError(f"cannot limit a process ({type(problem).__name__}: {problem})")
            return
        try:
            answer: bytes | Exception = pickle.dumps(function(item))
        except Exception as problem:
            clear_frames(problem.__traceback__)  # frees the memory of the item
            answer = problem
        finally:
            _lift_limits()
        yield picklable(answer) if isinstance(answer, Exception) else answer
        if isinstance(answer, Exception):
            return


def _set_limits(limits: ResourceLimits) -> None:
    """Limits this process from now on: the growth of its address space, its time, and its processor time."""
    if limits.memory_bytes is not None:
        _set_soft_limit(resource.RLIMIT_AS, address_space_bytes() + limits.memory_bytes)
    if limits.time_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = int(used.ru_utime + used.ru_stime + _CPU_FACTOR * limits.time_s) + 1
        _set_soft_limit(resource.RLIMIT_CPU, cpu_s)
        signal.setitimer(signal.ITIMER_REAL, limits.time_s)


def _lift_limits() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    _set_soft_limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
    _set_soft_limit(resource.RLIMIT_CPU, resource.RLIM_INFINITY)


def _set_soft_limit(kind: int, value: int) -> None:
    """Sets a limit of this process, to at most the hard limit that the system or a person set."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY and (value == resource.RLIM_INFINITY or value > hard):
        value = hard
    resource.setrlimit(kind, (value, hard))
