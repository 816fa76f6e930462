"""The tasks and actors that one client has on the workers of a Dask scheduler.

It promises that waiting ends: with the outcome, with `KilledWorker`, or with an `EngineError` in one sentence. The last
comes if the scheduler goes away or stops answering, if there is no worker for too long, or if a worker cannot do the
work. The scheduler gets a function of the standard library and bytes, so it needs Dask alone.
"""

import asyncio
import pickle
from asyncio import CancelledError as AsyncCancelledError
from asyncio import run_coroutine_threadsafe
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from pickle import PickleBuffer
from time import monotonic, sleep
from typing import Any, Generic
from uuid import uuid4

from distributed import KilledWorker
from distributed.client import ClosedClientError, FutureCancelledError

from indexer.errors import EngineError
from indexer.execution.executor import ActorLostError, Item, Result, State, WorkerFailure
from indexer.execution.guard import CallOutcome, UnusableWorkerError
from indexer.execution.remote_call import pack_actor, require_usable

_POLL_INTERVAL_S = 0.25  # between two checks that the scheduler is there
_WORKERS_EXPIRY_S = 0.25  # until the scheduler is asked again for its workers
_SCHEDULER_LOST = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
_CONNECTION_ERRORS = (OSError, CancelledError, AsyncCancelledError, ClosedClientError)
_CONNECTION_LOST_REASON = "scheduler-connection-lost"  # Dask's word for it


class DaskClient:
    """A client of a scheduler.

    The run ends with an error if there is no worker for `no_worker_timeout_s` seconds, or if the scheduler does not
    answer for `scheduler_timeout_s` seconds.
    """

    def __init__(self, dask: Any, *, no_worker_timeout_s: float, scheduler_timeout_s: float) -> None:
        self.dask = dask
        self._no_worker_timeout_s = no_worker_timeout_s
        self._scheduler_timeout_s = scheduler_timeout_s
        self._threads: Mapping[str, int] = {}
        self._threads_at = float("-inf")

    def threads(self) -> Mapping[str, int]:
        """The workers that ran tasks a moment ago, by address, with their numbers of threads; raises EngineError if
        the scheduler is gone. Paused workers are left out."""
        if self.dask.status != "running":
            raise EngineError(_SCHEDULER_LOST)
        if monotonic() - self._threads_at > _WORKERS_EXPIRY_S:
            try:
                self._threads = self.dask.sync(
                    self.dask.scheduler.ncores_running, callback_timeout=self._scheduler_timeout_s
                )
            except Exception as problem:
                raise self._engine_error(problem) from problem
            self._threads_at = monotonic()
        return self._threads

    def require_scheduler(self) -> None:
        """Raises EngineError if the scheduler does not answer now."""
        self._threads_at = float("-inf")
        self.threads()

    def require_worker(self, *, unless: "Future[Any] | None" = None) -> None:
        """Waits for a worker if there is none, or until `unless` is done; raises EngineError if the scheduler is gone,
        or if none comes."""
        end = monotonic() + self._no_worker_timeout_s
        while not self.threads() and not (unless is not None and unless.done()):
            if monotonic() > end:
                raise EngineError(
                    f"the cluster has had no worker for {self._no_worker_timeout_s:g} s, or only paused ones; start "
                    "some (dask worker ADDRESS), and the same command goes on"
                )
            sleep(_WORKERS_EXPIRY_S)

    def submit(self, payload: bytes, **options: Any) -> Any:
        """The Dask future of a new task, which unpickles the payload; raises EngineError if the scheduler is gone."""
        try:
            return self.dask.submit(pickle.loads, payload, key=f"indexer-{uuid4().hex}", pure=False, **options)
        except Exception as problem:
            raise self._engine_error(problem) from problem

    def start(self, coroutine: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Runs a coroutine in the client's thread; raises EngineError if the client has ended."""
        try:
            return run_coroutine_threadsafe(coroutine, self.dask.loop.asyncio_loop)
        except Exception as problem:
            coroutine.close()
            raise self._engine_error(problem) from problem

    def result(self, pending: "Future[Result]") -> Result:
        """The result of a coroutine that has ended.

        Raises
        ------
        KilledWorker
            If workers died with it, more than the scheduler allows.
        EngineError
            If the scheduler is gone, or a worker cannot do the work.
        """
        try:
            return pending.result()
        except KilledWorker:
            raise
        except (Exception, AsyncCancelledError) as problem:
            raise self._engine_error(problem) from problem

    def _engine_error(self, problem: BaseException) -> EngineError:
        """The error in one sentence for what Dask, or the execution on a worker, raised."""
        if isinstance(problem, UnusableWorkerError):
            return EngineError(str(problem))
        if isinstance(problem, FutureCancelledError) and problem.reason != _CONNECTION_LOST_REASON:
            return EngineError(
                f"another client of the scheduler ended our tasks ({problem.reason}); type the same command "
                "again: it goes on where it stopped"
            )
        if self.dask.status != "running" or isinstance(problem, _CONNECTION_ERRORS):
            return EngineError(_SCHEDULER_LOST)
        reason = f"{type(problem).__name__}: {problem}"
        if isinstance(problem, (ImportError, AttributeError)):  # the worker has no indexer, or another one
            advice = "install the same indexer on every worker"
            return EngineError(f"a worker of the cluster cannot load the work ({reason}); {advice}")
        return EngineError(f"the cluster cannot carry out a task ({reason})")


class DaskTask:
    """A task of the cluster, sent at once; its result is fetched as soon as there is one.

    `payload` is unpickled on a worker, and the object that it gives is the result.
    """

    def __init__(self, client: DaskClient, payload: bytes, **options: Any) -> None:
        self._client = client
        self._future = client.submit(payload, **options)
        self._pending_result: Future[Any] = client.start(self._fetch())

    async def _fetch(self) -> Any:
        return await self._future

    async def fetched(self) -> Any:
        """The result, for a coroutine in the client's thread."""
        return await asyncio.wrap_future(self._pending_result)

    @property
    def is_done(self) -> bool:
        """Whether the result, or an error, has been fetched."""
        return self._pending_result.done()

    @property
    def is_present(self) -> bool:
        """Whether the result is in the memory of a worker."""
        return bool(self._future.status == "finished")

    def wait(self) -> None:
        """Returns when there is an outcome."""
        while not wait([self._pending_result], timeout=_POLL_INTERVAL_S).done:
            self._client.require_worker(unless=self._pending_result)

    def result(self) -> Any:
        """The result, as soon as it is there; raises as `DaskClient.result` does, or if there is no worker for too
        long."""
        self.wait()
        return self._client.result(self._pending_result)

    def release(self) -> None:
        """Cancels the task if it is not done, and frees its result."""
        self._pending_result.cancel()
        self._future.release()

    def cancel(self) -> None:
        """Cancels the task and frees its result, also if other objects refer to it."""
        self._pending_result.cancel()
        with suppress(EngineError):  # without a scheduler there is nothing to free
            self._client.start(self._client.dask.cancel([self._future], asynchronous=True, force=True))


class DaskActor(Generic[State]):
    """An actor of one worker: a `RemoteActor`. It is lost if the worker is gone before the actor is made there."""

    def __init__(self, client: DaskClient, worker: str, factory: Callable[..., State], *arguments: Any) -> None:
        self._client = client
        self._worker = worker
        # With True, Dask (2026.8) never schedules an actor that had no worker for a moment.
        placement = {"workers": [worker], "allow_other_workers": False}
        self._task = DaskTask(client, pack_actor(factory, *arguments), actor=True, **placement)

    def call(self, method: Callable[[State, Item], Result], argument: Item) -> "_ActorResult[Result]":
        """Starts to execute a method of the actor's class with one argument, as soon as the actor is made."""
        return _ActorResult(self._client, self._task, self._worker, pickle.dumps((method, (argument,))))

    def close(self) -> None:
        """Frees the actor. Dask's object for it refers to itself after each call, so it would wait for the garbage
        collector."""
        self._task.cancel()


class _Payload:
    """Bytes that arrive at a worker as `bytes`, and are freed here by `clear`.

    Dask's function that calls an actor refers to itself: it holds its arguments until the garbage collector runs.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce_ex__(self, _protocol: Any) -> tuple[type[bytes], tuple[PickleBuffer]]:
        return bytes, (PickleBuffer(self._data),)

    def clear(self) -> None:
        """Frees the bytes."""
        self._data = b""


class _ActorResult(Generic[Result]):
    """The result of a method of an actor: a `PendingResult`."""

    def __init__(self, client: DaskClient, task: DaskTask, worker: str, payload: bytes) -> None:
        self._client = client
        self._task = task
        self._worker = worker
        self._pending_outcome = client.start(self._execute(_Payload(payload)))

    async def _execute(self, payload: _Payload) -> CallOutcome:
        try:
            actor = await self._task.fetched()
            with self._client.dask.as_current():  # by which an actor finds its client
                pending = actor.execute_method(payload)
            outcome: CallOutcome = await pending
            return outcome
        finally:
            payload.clear()

    def result(self) -> Result:
        """The result, as soon as it is there. Raises `ActorLostError`, or what the method raised."""
        while not wait([self._pending_outcome], timeout=_POLL_INTERVAL_S).done:
            self._client.require_worker(unless=self._pending_outcome)
            if self._is_lost():  # then Dask may never answer
                self._pending_outcome.cancel()
                raise ActorLostError
        try:
            outcome = self._client.result(self._pending_outcome)
        except KilledWorker as problem:
            raise ActorLostError from problem
        except EngineError as problem:
            if _means_lost(problem.__cause__):
                self._client.require_scheduler()
                raise ActorLostError from problem
            raise
        require_usable(outcome.problem)
        (result,) = outcome.results
        if isinstance(result, WorkerFailure):
            raise EngineError(f"a worker of the cluster {result.reason}; run the same command again")
        unpickled: Result = pickle.loads(result)
        return unpickled

    def _is_lost(self) -> bool:
        if self._task.is_done:
            return not self._task.is_present
        return self._worker not in self._client.threads()


def _means_lost(problem: BaseException | None) -> bool:
    """Whether this is what Dask raises for an actor whose worker is gone, if the scheduler still answers."""
    return isinstance(problem, _CONNECTION_ERRORS) or (
        isinstance(problem, RuntimeError) and "Actor" in str(problem)  # Dask: "Worker holding Actor was lost"
    )
