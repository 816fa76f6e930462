"""The connection to a Dask cluster: an existing one by its scheduler's address, or a local one on this machine.

It promises that no task of ours stays on the cluster when the block ends. Dask's own messages about a problem are
hidden; the person gets one error of ours. The module is imported only when it is needed: Dask takes a third of a second
to import and is an optional dependency.
"""

import logging
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from indexer.errors import EngineError
from indexer.execution.executor import IN_FLIGHT, UNLIMITED, ResourceLimits
from indexer.execution.forkserver import sigint_blocked
from indexer.execution.path_mapping import PathMapping
from indexer.interrupts import uninterrupted

try:
    import dask
    from distributed import Client, LocalCluster

    from indexer.execution.dask_executor import DaskExecutor
    from indexer.execution.dask_tasks import DaskClient
except ImportError as problem:
    raise EngineError("Dask is not installed; type pip install distributed") from problem

_CONNECT_TIMEOUT_S = 5  # for the first answer of a scheduler
_NO_WORKER_TIMEOUT_S = 60.0
_SCHEDULER_TIMEOUT_S = 30.0  # for an answer of a scheduler that answered before


@contextmanager
def cluster(
    address: str | None,
    *,
    workers: int,
    resource_limits: ResourceLimits = UNLIMITED,
    file_limits: ResourceLimits = UNLIMITED,
    max_batch: int = 1,
    in_flight: int = IN_FLIGHT,
    path_mapping: PathMapping = PathMapping(),  # noqa: B008 - frozen
    no_worker_timeout_s: float = _NO_WORKER_TIMEOUT_S,
    scheduler_timeout_s: float = _SCHEDULER_TIMEOUT_S,
) -> Iterator[DaskExecutor]:
    """An executor on the workers of a scheduler.

    Without an `address` it starts `workers` worker processes on this machine, which end with the block.
    `resource_limits`, `max_batch` and `in_flight` are as for `processes`, with `in_flight` per thread of a worker.
    `file_limits` are those of `DaskExecutor.map_files`, and of what actors read. The
    run ends with an error if there is no worker for `no_worker_timeout_s` seconds, or no answer of the scheduler for
    `scheduler_timeout_s`.

    Raises
    ------
    EngineError
        If no scheduler answers.
    """
    with _dask_silenced(), _scheduler(address, workers) as scheduler:
        client = _connect(scheduler, address)
        try:
            own_client = DaskClient(
                client, no_worker_timeout_s=no_worker_timeout_s, scheduler_timeout_s=scheduler_timeout_s
            )
            yield DaskExecutor(
                own_client,
                resource_limits,
                file_limits=file_limits,
                max_batch=max_batch,
                in_flight=in_flight,
                path_mapping=path_mapping,
            )
        finally:
            with uninterrupted(), suppress(Exception):
                client.close(timeout=2)


class _Client(Client):
    """A client whose `__del__` does nothing if the client never connected; Dask's own would print a traceback."""

    def __del__(self) -> None:
        if self.status == "running":
            super().__del__()


def _connect(scheduler: Any, address: str | None) -> Any:
    pending: Future[Any] = Future()

    def connect() -> None:
        try:
            client = _Client(scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False, name="indexer")
        except BaseException as problem:
            if pending.set_running_or_notify_cancel():
                pending.set_exception(problem)
            return
        if pending.set_running_or_notify_cancel():
            pending.set_result(client)
        else:  # it came too late
            client.close(timeout=2)

    # In a thread: if the listener is not a scheduler, Dask waits forever for an answer, or fails inside on one.
    Thread(target=connect, daemon=True).start()
    try:
        return pending.result(timeout=2 * _CONNECT_TIMEOUT_S)
    except Exception as problem:
        detail = str(problem).splitlines()[0] if str(problem) else "it says nothing"
        if address is None:
            raise EngineError(f"the workers of this machine do not start ({detail}); run it again") from problem
        raise EngineError(
            f"the scheduler at {address} does not answer ({detail}); start one with dask scheduler"
        ) from problem
    finally:
        pending.cancel()


@contextmanager
def _scheduler(address: str | None, workers: int) -> Iterator[Any]:
    """What a client connects to: `address`, or else a new local cluster that ends with the block."""
    if address is not None:
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="indexer-dask-") as scratch:
        with uninterrupted(), sigint_blocked():
            local_cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # each item has its own limit, see `guard`
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
