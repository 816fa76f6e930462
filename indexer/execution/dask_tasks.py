"""The tasks and actors that one client has on the workers of a Dask scheduler.

It promises that waiting ends: with the outcome, with `KilledWorker`, or with an `EngineError` in one sentence if the
scheduler goes away, if there is no worker for too long, or if a worker cannot do the work. The scheduler gets a
function of the standard library and bytes, so it needs Dask alone.
"""

import pickle
from asyncio import CancelledError as AsyncCancelledError
from asyncio import run_coroutine_threadsafe
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, wait
from time import monotonic
from typing import Any, Generic
from uuid import uuid4

from distributed import KilledWorker

from indexer.errors import EngineError
from indexer.execution.executor import ActorLostError, Item, Result, State, WorkerFailure
from indexer.execution.guard import CallOutcome, UnusableWorkerError
from indexer.execution.remote_call import pack_actor

_POLL_INTERVAL_S = 0.25  # between two checks that the scheduler is there
_WORKERS_EXPIRY_S = 0.25  # until the scheduler is asked again for its workers
_SCHEDULER_LOST = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
_CONNECTION_ERRORS = (OSError, CancelledError, AsyncCancelledError)


class TaskClient:
    """A client of a scheduler. The run ends with an error if there is no worker for `no_worker_timeout_s` seconds."""

    def __init__(self, client: Any, *, no_worker_timeout_s: float) -> None:
        self.client = client
        self._no_worker_timeout_s = no_worker_timeout_s
        self._threads: Mapping[str, int] = {}
        self._threads_at = float("-inf")

    def threads(self) -> Mapping[str, int]:
        """The workers that were present a moment ago, by address, with their numbers of threads; raises EngineError if
        the scheduler is gone."""
        if self.client.status != "running":
            raise EngineError(_SCHEDULER_LOST)
        if monotonic() - self._threads_at > _WORKERS_EXPIRY_S:
            try:
                self._threads = self.client.nthreads()
            except (*_CONNECTION_ERRORS, AttributeError) as problem:  # without a connection the client has no scheduler
                raise EngineError(_SCHEDULER_LOST) from problem
            self._threads_at = monotonic()
        return self._threads

    def require_worker(self) -> None:
        """Waits for a worker if there is none; raises EngineError if the scheduler is gone, or if none comes."""
        if self.threads():
            return
        try:
            self.client.wait_for_workers(1, timeout=self._no_worker_timeout_s)
        except TimeoutError as problem:
            raise EngineError(
                f"the cluster has had no worker for {self._no_worker_timeout_s:g} s; start some (dask worker ADDRESS), "
                "and the same command goes on"
            ) from problem
        except (*_CONNECTION_ERRORS, AttributeError) as problem:
            raise EngineError(_SCHEDULER_LOST) from problem
        self._threads_at = float("-inf")


class RemoteTask:
    """A task of the cluster, sent at once; its result is fetched as soon as there is one.

    `payload` is unpickled on a worker, and the object that it gives is the result.
    """

    def __init__(self, tasks: TaskClient, payload: bytes, **options: Any) -> None:
        self._tasks = tasks
        key = f"indexer-{uuid4().hex}"
        self._future = tasks.client.submit(pickle.loads, payload, key=key, pure=False, **options)
        self._fetched = run_coroutine_threadsafe(self._fetch(), tasks.client.loop.asyncio_loop)

    async def _fetch(self) -> Any:
        return await self._future

    @property
    def is_present(self) -> bool:
        """Whether the result is in the memory of a worker."""
        return bool(self._future.status == "finished")

    def wait(self) -> None:
        """Returns when there is an outcome."""
        while not wait([self._fetched], timeout=_POLL_INTERVAL_S).done:
            self._tasks.require_worker()

    def result(self) -> Any:
        """The result, as soon as it is there.

        Raises
        ------
        KilledWorker
            If workers died with it, more than the scheduler allows.
        EngineError
            If the scheduler is gone, there is no worker for too long, or a worker cannot do the work.
        """
        self.wait()
        try:
            return self._fetched.result()
        except KilledWorker:
            raise
        except _CONNECTION_ERRORS as problem:
            raise EngineError(_SCHEDULER_LOST) from problem
        except UnusableWorkerError as problem:
            raise EngineError(f"a worker of the cluster {problem}") from problem
        except (ImportError, AttributeError) as problem:  # the worker has no indexer, or another one
            reason = f"a worker of the cluster cannot load the work ({type(problem).__name__}: {problem})"
            raise EngineError(f"{reason}; install the same indexer on every worker") from problem
        except Exception as problem:
            reason = f"{type(problem).__name__}: {problem}"
            raise EngineError(f"the cluster cannot carry out a task ({reason})") from problem

    def release(self) -> None:
        """Cancels the task if it is not done, and frees its result."""
        self._fetched.cancel()
        self._future.release()


class DaskActor(Generic[State]):
    """An actor of a worker: a `RemoteActor`."""

    def __init__(self, tasks: TaskClient, slot: str, factory: Callable[..., State], *arguments: Any) -> None:
        self._tasks = tasks
        placement = {"workers": [slot], "allow_other_workers": True}
        self._task = RemoteTask(tasks, pack_actor(factory, *arguments), actor=True, **placement)

    def call(self, method: Callable[[State, Item], Result], argument: Item) -> "_ActorResult[Result]":
        """Starts to execute a method of the actor's class with one argument.

        Raises
        ------
        ActorLostError
            If its worker is gone.
        """
        try:
            actor = self._task.result()
            with self._tasks.client.as_current():  # by which an actor finds its client
                future = actor.execute(pickle.dumps((method, (argument,))))
        except (KilledWorker, RuntimeError) as problem:
            raise ActorLostError from problem
        except EngineError as problem:
            if isinstance(problem.__cause__, RuntimeError):  # it was lost before this process had its address
                raise ActorLostError from problem
            raise
        return _ActorResult(self._tasks, self._task, future)


class _ActorResult(Generic[Result]):
    """The result of a method of an actor: a `PendingResult`."""

    def __init__(self, tasks: TaskClient, task: RemoteTask, future: Any) -> None:
        self._tasks = tasks
        self._task = task
        self._future = future

    def wait(self) -> Result:
        """The result, as soon as it is there. Raises `ActorLostError`, or what the method raised."""
        try:
            outcome: CallOutcome = self._wait()
        except OSError as problem:  # of the connection to the worker
            raise ActorLostError from problem
        except UnusableWorkerError as problem:
            raise EngineError(f"a worker of the cluster {problem}") from problem
        if outcome.problem is not None:
            raise outcome.problem
        (result,) = outcome.results
        if isinstance(result, WorkerFailure):
            raise EngineError(f"a worker of the cluster {result.reason}; run the same command again")
        unpickled: Result = pickle.loads(result)
        return unpickled

    def _wait(self) -> CallOutcome:
        while not self._future.done():
            try:
                self._future.result(timeout=_POLL_INTERVAL_S)
            except TimeoutError:
                self._tasks.require_worker()
                if not self._task.is_present:  # then Dask may never answer
                    raise ActorLostError from None
        outcome: CallOutcome = self._future.result()
        return outcome
