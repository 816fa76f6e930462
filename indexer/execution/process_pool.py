"""The executor of this machine: worker processes. A worker that dies or hangs costs one item.

It promises what `indexer.execution` promises, also if a worker is killed, hangs or takes too much memory.

Decision 0041: the pool of processes is Pebble's.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, wait
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Generic

from pebble import ProcessExpired, ProcessPool

from indexer.errors import EngineError
from indexer.execution.executor import (
    IN_FLIGHT,
    UNLIMITED,
    Item,
    ParallelMap,
    ResourceLimits,
    Result,
    WorkerFailure,
    growing_batches,
    serial,
)
from indexer.execution.forkserver import describe_exit, follow_parent, limit_memory, start_forkserver
from indexer.interrupts import uninterrupted

_POOL_BROKEN_ERRORS = (BrokenExecutor, ConnectionError, EOFError)  # raised by a pool whose processes are gone
_MAX_POOL_RESTARTS = 2  # while the same batch is the first that waits
_POLL_INTERVAL_S = 5.0  # between two checks that the pool is still there
_ASKED_EACH_S = 0.2  # whether the work is over


@dataclass
class _SubmittedBatch(Generic[Item, Result]):
    """A batch of items at the workers. `pool_breaks`: how often the pool broke while this was its oldest batch."""

    items: list[Item]
    future: "Future[list[Result]]"
    pool_breaks: int = 0


class _Processes:
    def __init__(
        self,
        workers: int,
        resource_limits: ResourceLimits,
        *,
        max_batch: int,
        in_flight: int,
        is_over: Callable[[], bool] | None,
    ) -> None:
        self._is_over = is_over
        self._pool: ProcessPool | None = None
        self._resource_limits = resource_limits
        self._max_batch = max_batch
        self._in_flight = workers * in_flight
        self.workers = workers

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        batches = growing_batches(items, batches_per_size=2 * self.workers, max_size=self._max_batch)
        submitted = (_SubmittedBatch(batch, self._submit(function, batch)) for batch in batches)
        waiting = deque(islice(submitted, self._in_flight))
        while waiting:
            task = waiting[0]
            try:
                results = self._results(task)
            except _POOL_BROKEN_ERRORS as problem:
                self._restart_pool(function, waiting, problem)
            except _RetryIndividuallyError:
                waiting.popleft()
                waiting.extendleft(
                    _SubmittedBatch([item], self._submit(function, [item])) for item in reversed(task.items)
                )
            else:
                waiting.popleft()
                waiting.extend(islice(submitted, max(0, self._in_flight - len(waiting))))
                yield from results

    def stop(self) -> None:
        """Ends all workers."""
        with uninterrupted():
            if self._pool is not None:
                self._pool.stop()
                self._pool.join()
            self._pool = None

    def _submit(self, function: Callable[[Item], Result], items: list[Item]) -> "Future[list[Result]]":
        with uninterrupted():  # the pool has locks
            if self._pool is None:
                self._pool = new_pool(self.workers, function)
            try:
                future: Future[list[Result]] = self._pool.schedule(
                    _run_limited,
                    args=[function, items, self._resource_limits.memory_bytes],
                    timeout=self._resource_limits.time_s,
                )
            except (*_POOL_BROKEN_ERRORS, RuntimeError) as problem:  # raised again when the result is read
                future = Future()
                future.set_exception(BrokenExecutor(str(problem)))
        return future

    def _restart_pool(
        self, function: Callable[[Item], Result], waiting: "deque[_SubmittedBatch[Item, Result]]", problem: Exception
    ) -> None:
        """Submits all waiting batches to a new pool; raises EngineError if the pool broke too often for the first."""
        self.stop()
        waiting[0].pool_breaks += 1
        if waiting[0].pool_breaks > _MAX_POOL_RESTARTS:
            raise EngineError(
                f"the worker processes end again and again ({problem}); type the same command again later: "
                "it goes on where it stopped"
            )
        for task in waiting:
            task.future = self._submit(function, task.items)

    def _results(self, task: "_SubmittedBatch[Item, Result]") -> Sequence[Result | WorkerFailure]:
        """The results of a batch.

        Raises
        ------
        BrokenExecutor, ConnectionError, EOFError
            If the pool is gone.
        _RetryIndividuallyError
            If the batch has several items and failed.
        WorkGivenUpError
            If the work is over.
        Exception
            What the function raised for the only item.
        """
        while not wait([task.future], timeout=_POLL_INTERVAL_S if self._is_over is None else _ASKED_EACH_S).done:
            if self._is_over is not None and self._is_over():
                raise WorkGivenUpError
            if self._pool is None or not self._pool.active:
                raise BrokenExecutor("nobody is at work")
        try:
            return task.future.result()
        except _POOL_BROKEN_ERRORS:
            raise
        except Exception as problem:
            if len(task.items) > 1:
                raise _RetryIndividuallyError from problem
            return [self._worker_failure(problem)]

    def _worker_failure(self, problem: Exception) -> WorkerFailure:
        """The `WorkerFailure` for a failed item; raises what the function itself raised."""
        if isinstance(problem, TookTooLong):
            return WorkerFailure(f"took longer than {self._resource_limits.time_s:g} s")
        if isinstance(problem, ProcessExpired):
            return WorkerFailure(f"ended the process that worked on it ({describe_exit(problem.exitcode)})")
        if isinstance(problem, MemoryError):
            return WorkerFailure("needed more memory than it may have")
        raise problem


class WorkGivenUpError(Exception):
    """The results are not wanted any more."""


class _RetryIndividuallyError(Exception):
    """The items of a batch must be retried one by one."""


@contextmanager
def processes(
    workers: int,
    *,
    resource_limits: ResourceLimits = UNLIMITED,
    max_batch: int = 1,
    in_flight: int = IN_FLIGHT,
    preload: Sequence[str] = (),
    is_over: Callable[[], bool] | None = None,
) -> Iterator[ParallelMap]:
    """Worker processes on this machine, started with the first item; only the parent reacts to Ctrl-C.

    A fresh server process forks the workers, so they do not inherit the parent's threads and locks. Up to `max_batch`
    items are sent together; their results then arrive together. `in_flight` such tasks per worker are under way. The
    server starts to import the modules in `preload` at once, before there is any item. `is_over`: asked several times a
    second while results are waited for; once it is true, the executor raises `WorkGivenUpError`.
    """
    if preload:
        start_forkserver(preload)
    executor = _Processes(workers, resource_limits, max_batch=max_batch, in_flight=in_flight, is_over=is_over)
    try:
        yield executor
    finally:
        executor.stop()


@contextmanager
def local_executor(workers: int, *, in_flight: int = IN_FLIGHT, preload: Sequence[str] = ()) -> Iterator[ParallelMap]:
    """Worker processes, or this process alone if `workers` is 1 or less."""
    with serial() if workers <= 1 else processes(workers, in_flight=in_flight, preload=preload) as executor:
        yield executor


class _Pool(ProcessPool):
    """A pool that stops without a traceback from a worker that is just starting.

    Pebble (5.2.3) unlinks its named locks before it stops the workers. A worker that is just starting, for example
    after another took too long, then does not find them and prints a traceback. Here the workers end first. Remove this
    class when Pebble does so itself; tests/execution/test_process_pool.py checks the behaviour.
    """

    def _stop_pool(self) -> None:
        if self._pool_manager_loop is not None:
            self._pool_manager_loop.join()  # this thread starts workers
        self._pool_manager.worker_manager.force_stop_workers()
        super()._stop_pool()


def new_pool(workers: int, function: Callable[..., object]) -> ProcessPool:
    """A pool whose server has imported the function's module, once for all workers."""
    start_forkserver([function.__module__])
    context = multiprocessing.get_context("forkserver")
    return _Pool(workers, context=context, initializer=follow_parent)


def _run_limited(function: Callable[[Item], Result], items: list[Item], memory_bytes: int | None) -> list[Result]:
    """The function's results, in a worker whose address space may grow by `memory_bytes`."""
    limit_memory(memory_bytes)
    return [function(item) for item in items]
