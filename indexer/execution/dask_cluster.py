"""The executor for many machines: an existing Dask cluster by its scheduler's address, or a local one on this machine.

It promises what `indexer.execution` promises, and that no task of ours stays on the cluster when the block ends. Dask's
own messages about a problem are hidden; the person gets one error of ours. The module is imported only when it is
needed: Dask takes a third of a second to import and is an optional dependency.
"""

import logging
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from indexer.errors import EngineError
from indexer.execution.executor import (
    IN_FLIGHT,
    UNLIMITED,
    Item,
    ResourceLimits,
    Result,
    WorkerFailure,
    growing_batches,
)
from indexer.execution.path_mapping import PathMapping
from indexer.execution.task_scheduler import SchedulingLimits, TaskScheduler, without_preference
from indexer.interrupts import uninterrupted

try:
    import dask
    from distributed import Client, LocalCluster

    from indexer.execution.connection import SchedulerConnection
except ImportError as problem:
    raise EngineError("Dask is not installed; type pip install distributed") from problem

_CONNECT_TIMEOUT_S = 5  # for the first answer of a scheduler
_MIN_WORKERS = 2  # a single worker counts as two, so that it gets enough tasks to have no pause


@contextmanager
def cluster(
    address: str | None,
    *,
    workers: int,
    resource_limits: ResourceLimits = UNLIMITED,
    max_batch: int = 1,
    in_flight: int = IN_FLIGHT,
    path_mapping: PathMapping = PathMapping(),  # noqa: B008 - frozen
    no_worker_timeout_s: float = SchedulingLimits.no_worker_timeout_s,
) -> Iterator["Cluster"]:
    """An executor on the workers of a scheduler.

    Without an `address` it starts `workers` worker processes on this machine, which end with the block.
    `resource_limits`, `max_batch` and `in_flight` are as for `processes`, with `in_flight` per thread of a worker. The
    run ends with an error if there is no worker for `no_worker_timeout_s` seconds.

    Raises
    ------
    EngineError
        If no scheduler answers.
    """
    with _dask_silenced(), _scheduler(address, workers) as scheduler:
        connection = SchedulerConnection(_connect(scheduler, address))
        try:
            limits = SchedulingLimits(resource_limits, in_flight, no_worker_timeout_s=no_worker_timeout_s)
            yield Cluster(connection, limits, max_batch=max_batch, path_mapping=path_mapping)
        finally:
            with uninterrupted():
                connection.close()


class Cluster:
    """The executor of a cluster."""

    def __init__(
        self, connection: SchedulerConnection, limits: SchedulingLimits, *, max_batch: int, path_mapping: PathMapping
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._max_batch = max_batch
        self._affinity_workers: list[str] = []
        self.map_path = path_mapping.map_path

    @property
    def workers(self) -> int:
        """Number of threads of the workers that are present now, at least `_MIN_WORKERS`."""
        return max(_MIN_WORKERS, sum(self._connection.threads.values()))

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """The function's result for each item, in order; a `WorkerFailure` for an item that exceeded its limits or
        lost its workers."""
        batches = growing_batches(items, batches_per_size=2 * self.workers, max_size=self._max_batch)
        return self._run(function, without_preference(batches))

    def map_with_affinity(
        self, function: Callable[[Item], Result], items: Iterable[tuple[int, Item]], /
    ) -> Iterator[Result | WorkerFailure]:
        """The same; items with equal affinity numbers go to the same worker while it is present."""
        workers = self._affinity_workers = _assigned_workers(self._affinity_workers, dict(self._connection.threads))
        return self._run(
            function, (([item], workers[affinity % len(workers)] if workers else None) for affinity, item in items)
        )

    def _run(
        self, function: Callable[[Item], Result], batches: Iterator[tuple[list[Item], str | None]]
    ) -> Iterator[Result | WorkerFailure]:
        channel = self._connection.open_channel()
        try:
            yield from TaskScheduler(channel, function, batches, limits=self._limits).results()
        finally:
            channel.close()


def _assigned_workers(previous: Sequence[str], threads: Mapping[str, int]) -> list[str]:
    """A worker for each affinity number, one entry per thread: present workers keep their entries, new workers replace
    the ones that are gone."""
    free = [worker for worker, number in threads.items() for _ in range(number)]
    assigned: list[str | None] = []
    for worker in previous:
        assigned.append(worker if worker in free else None)
        if worker in free:
            free.remove(worker)
    filled = [worker or (free.pop(0) if free else None) for worker in assigned]
    return [worker for worker in filled if worker is not None] + free


class _Client(Client):
    """A client whose `__del__` does nothing if the client never connected; Dask's own would print a traceback."""

    def __del__(self) -> None:
        if self.status == "running":
            super().__del__()


def _connect(scheduler: Any, address: str | None) -> Any:
    pending: Future[Any] = Future()

    def connect() -> None:
        try:
            pending.set_result(_Client(scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False, name="indexer"))
        except BaseException as problem:
            pending.set_exception(problem)

    # In a thread: if the listener is not a scheduler, Dask waits forever for an answer, or fails inside on one.
    Thread(target=connect, daemon=True).start()
    try:
        return pending.result(timeout=2 * _CONNECT_TIMEOUT_S)
    except Exception as problem:
        detail = str(problem).splitlines()[0] if str(problem) else "it says nothing"
        raise EngineError(f"no scheduler answers at {address} ({detail}); start one with dask scheduler") from problem


@contextmanager
def _scheduler(address: str | None, workers: int) -> Iterator[Any]:
    """What a client connects to: `address`, or else a new local cluster that ends with the block."""
    if address is not None:
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="indexer-dask-") as scratch:
        with uninterrupted(), _sigint_blocked():
            local_cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # each item has its own limit, see `remote_task`
                dashboard_address=None,
                local_directory=scratch,
                silence_logs=logging.CRITICAL,
            )
        try:
            yield local_cluster
        finally:
            with uninterrupted():
                for nanny in local_cluster.workers.values():  # at once, whatever the workers are doing
                    with suppress(Exception):
                        nanny.close_gracefully()
                        os.kill(nanny.pid, signal.SIGKILL)
                with suppress(Exception):
                    local_cluster.close(timeout=10)


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Blocks SIGINT for processes that are started in the block: a terminal sends Ctrl-C to all, but only this process
    must react."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _dask_silenced() -> Iterator[None]:
    """Hides Dask's logs and warnings from the person: what matters is reported as an error of ours."""
    before = logging.root.manager.disable
    settings = {"distributed.admin.large-graph-warning-threshold": "1 TB", "distributed.comm.retry.count": 0}
    logging.disable(logging.CRITICAL)
    try:
        with dask.config.set(settings), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
