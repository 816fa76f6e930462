"""The engine of this machine: worker processes, each killed or hung at the cost of one item.

It promises what `indexer.execution` does, also where a worker is killed, hangs or takes too much memory.

Decision: Pebble's pool instead of `concurrent.futures`, where one worker that is killed breaks the whole pool and a
hung one hangs it. Pebble (kept since 2013, pure Python) ends a task at its time limit and gives up only the task
whose worker died. A task costs it some tenths of a millisecond, so small items travel several at once; where one of
them fails, takes too long or kills its worker, all are done again one by one, and it fails alone. Enforced by
tests/execution/test_executor.py.
"""

import gc
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, wait
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Generic

from pebble import ProcessExpired, ProcessPool

from indexer.errors import EngineError
from indexer.execution.executor import IN_FLIGHT, UNBOUNDED, Bounds, Item, Lost, Map, Result, serial, shares
from indexer.interrupts import uninterrupted

_BROKEN = (BrokenExecutor, ConnectionError, EOFError)  # what a pool says whose processes are gone
_MOST_BREAKS = 2  # of the pool before one item is done
_PATIENCE_S = 5.0  # between two looks at whether the pool is still there


@dataclass
class _Task(Generic[Item, Result]):
    """Items that are with the workers together, and how often the whole pool has broken over them."""

    items: list[Item]
    future: "Future[list[Result]]"
    breaks: int = 0


class _Processes:
    def __init__(self, workers: int, bounds: Bounds, *, at_once: int, in_flight: int) -> None:
        self._pool: ProcessPool | None = None
        self._bounds = bounds
        self._at_once = at_once
        self._in_flight = workers * in_flight
        self.workers = workers

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result | Lost]:
        together = shares(items, single=2 * self.workers, largest=self._at_once)
        new = (_Task(share, self._begin(function, share)) for share in together)
        waiting = deque(islice(new, self._in_flight))
        while waiting:
            task = waiting[0]
            try:
                results = self._results(task)
            except _BROKEN as problem:
                self._begin_again(function, waiting, problem)
            except _OneByOne:
                waiting.popleft()
                waiting.extendleft(_Task([item], self._begin(function, [item])) for item in reversed(task.items))
            else:
                waiting.popleft()
                waiting.extend(islice(new, max(0, self._in_flight - len(waiting))))
                yield from results

    def stop(self) -> None:
        """Ends all workers."""
        with uninterrupted():
            if self._pool is not None:
                self._pool.stop()
                self._pool.join()
            self._pool = None

    def _begin(self, function: Callable[[Item], Result], items: list[Item]) -> "Future[list[Result]]":
        with uninterrupted():  # the pool has locks
            if self._pool is None:
                self._pool = _new_pool(self.workers, function)
            try:
                future: Future[list[Result]] = self._pool.schedule(
                    _bounded, args=[function, items, self._bounds.memory_bytes], timeout=self._bounds.time_s
                )
            except (*_BROKEN, RuntimeError) as problem:  # found when its result is asked for
                future = Future()
                future.set_exception(BrokenExecutor(str(problem)))
        return future

    def _begin_again(
        self, function: Callable[[Item], Result], waiting: "deque[_Task[Item, Result]]", problem: Exception
    ) -> None:
        """Gives all that is waited for to a new pool; raises if pools break again and again over the first of them."""
        self.stop()
        waiting[0].breaks += 1
        if waiting[0].breaks > _MOST_BREAKS:
            raise EngineError(f"the worker processes end again and again ({problem}); the same command goes on later")
        for task in waiting:
            task.future = self._begin(function, task.items)

    def _results(self, task: "_Task[Item, Result]") -> Sequence[Result | Lost]:
        """The results of a task; an exception of `_BROKEN` where the pool is no more, `_OneByOne` where several items
        did not come through together."""
        while not wait([task.future], timeout=_PATIENCE_S).done:
            if self._pool is None or not self._pool.active:
                raise BrokenExecutor("nobody is at work")
        try:
            return task.future.result()
        except _BROKEN:
            raise
        except Exception as problem:
            if len(task.items) > 1:
                raise _OneByOne from problem
            return [self._lost(problem)]

    def _lost(self, problem: Exception) -> Lost:
        """What stands in the place of a result; raises what the function itself raised."""
        if isinstance(problem, TookTooLong):
            return Lost(f"took longer than {self._bounds.time_s:g} s")
        if isinstance(problem, ProcessExpired):
            return Lost(f"ended the process that worked on it ({_ending(problem.exitcode)})")
        if isinstance(problem, MemoryError):
            return Lost("needed more memory than it may have")
        raise problem


class _OneByOne(Exception):
    """Items that went together must go one by one."""


@contextmanager
def processes(
    workers: int,
    *,
    bounds: Bounds = UNBOUNDED,
    at_once: int = 1,
    in_flight: int = IN_FLIGHT,
    preload: Sequence[str] = (),
) -> Iterator[Map]:
    """Worker processes on this machine, started with the first item; Ctrl-C is the parent's alone.

    A fresh server process forks the workers: the parent's threads and locks are not theirs. Up to `at_once` items
    travel together, where results need not come one by one; `in_flight` such tasks a worker are under way. Modules to
    `preload` are loaded by the server from now on, before there is any item.
    """
    if preload:
        _start_server(preload)
    spread = _Processes(workers, bounds, at_once=at_once, in_flight=in_flight)
    try:
        yield spread
    finally:
        spread.stop()


@contextmanager
def engine(workers: int, *, in_flight: int = IN_FLIGHT, preload: Sequence[str] = ()) -> Iterator[Map]:
    """Worker processes, or this one alone where one is enough."""
    with serial() if workers <= 1 else processes(workers, in_flight=in_flight, preload=preload) as spread:
        yield spread


class _Pool(ProcessPool):
    """A pool whose end is told to no worker by accident.

    Pebble (5.2.3) takes the names of the locks away before it stops the workers; one that is only just starting, as
    after another that took too long, then misses them with a traceback. Here the workers end first. To be dropped when
    Pebble does so itself; tests/execution/test_process_pool.py tells.
    """

    def _stop_pool(self) -> None:
        if self._pool_manager_loop is not None:
            self._pool_manager_loop.join()  # it starts workers
        self._pool_manager.worker_manager.force_stop_workers()
        super()._stop_pool()


def _new_pool(workers: int, function: Callable[..., object]) -> ProcessPool:
    """A pool whose server has loaded what the function needs, once for all workers."""
    _start_server([function.__module__])
    context = multiprocessing.get_context("forkserver")
    return _Pool(workers, context=context, initializer=_follow_the_parent)


def _start_server(modules: Sequence[str]) -> None:
    """Starts the process that forks workers, if there is none, deaf to Ctrl-C from its first moment: a terminal sends
    that to the whole group."""
    forkserver.set_forkserver_preload(list(modules))
    resource_tracker.ensure_running()  # first, as it takes the mask off again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _same_path():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _same_path() -> Iterator[None]:
    """Lets a new process look for modules where this one does, and not in the folder that a person happens to be in.

    Up to Python 3.11 at least, the server takes no other path than the environment's.
    """
    wanted = {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _follow_the_parent() -> None:
    """Leaves Ctrl-C to the parent, and makes a worker end with it, also in the middle of work that never ends."""
    gc.freeze()  # what the libraries hold is never garbage, and looking through it took a third of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _bounded(function: Callable[[Item], Result], items: list[Item], memory_bytes: int | None) -> list[Result]:
    """The function's results, in a worker whose address space may grow by so many bytes and no more.

    The bound is set with the first item: by then the libraries are loaded, which on a machine of many cores reserve
    gigabytes that they never use.
    """
    if memory_bytes is not None and resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
        limit = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return [function(item) for item in items]


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {signal.Signals(-exit_code).name}"
