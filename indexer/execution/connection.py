"""The connection to a scheduler: it sends tasks to workers, and receives the outcomes of tasks and changes of workers.

It promises that a map gets each event once, in order, and the end of the connection last. Events arrive in the thread
of Dask's loop, which only puts them into the queue of the map.
"""

import pickle
from asyncio import CancelledError as Stopped
from asyncio import create_task, run_coroutine_threadsafe, sleep
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from distributed import Future, KilledWorker
from distributed.scheduler import NoValidWorkerError

from indexer.execution.events import ChannelClosed, Event, TaskAnswered, WorkerLost, WorkersPresent
from indexer.execution.remote_task import IncompatibleWorker

_POLL_INTERVAL_S = 0.25  # between two checks that the scheduler is there
_POLLS_PER_WORKER_CHECK = 8  # every eighth check also asks for the workers
_SCHEDULER_LOST = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
_WORKER_DEATH_ERRORS = (KilledWorker, NoValidWorkerError)  # the event of the lost worker handles these


class SchedulerConnection:
    """The connection to a scheduler. Outcomes and changes of workers arrive in the thread of Dask's loop.

    `threads` has the present workers, by address, with their numbers of threads.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._loop = client.loop.asyncio_loop
        self._channels: list[SchedulerChannel] = []
        self._futures: dict[str, Future[Any]] = {}
        self._numbers = count()
        self._name = uuid4().hex[:12]
        self._missing_before: set[str] = set()
        self.threads: Mapping[str, int] = dict(client.nthreads())
        client.subscribe_topic("all", self._on_event)
        self._watch_future = run_coroutine_threadsafe(self._watch(), self._loop)

    def open_channel(self) -> "SchedulerChannel":
        """A new channel for one map; its first event is the present workers."""
        channel = SchedulerChannel(self)
        self._channels.append(channel)
        channel.put_event(WorkersPresent(self.threads))
        if self._watch_future.done():
            channel.put_event(ChannelClosed(_SCHEDULER_LOST))
        return channel

    def remove_channel(self, channel: "SchedulerChannel") -> None:
        """Stops sending events to a channel."""
        self._channels.remove(channel)

    def send(self, channel: "SchedulerChannel", worker: str, payload: bytes) -> str:
        """Sends a task to a worker, where unpickling `payload` executes it. Returns the key of the task."""
        key = f"indexer-{self._name}-{next(self._numbers)}"
        placement = {"workers": [worker], "allow_other_workers": False}
        self._futures[key] = future = self._client.submit(pickle.loads, payload, key=key, pure=False, **placement)
        run_coroutine_threadsafe(self._report_outcome(channel, key, future), self._loop)
        return key

    def cancel(self, key: str) -> None:
        """Cancels a task."""
        future = self._futures.pop(key, None)
        if future is not None:
            run_coroutine_threadsafe(self._cancel_future(future), self._loop)

    def close(self) -> None:
        """Cancels all tasks and ends the connection, also a broken one."""
        self._watch_future.cancel()
        for key in list(self._futures):
            self.cancel(key)
        with suppress(Exception):
            self._client.unsubscribe_topic("all")
        with suppress(Exception):
            self._client.close(timeout=2)

    async def _cancel_future(self, future: "Future[Any]") -> None:
        with suppress(Exception):
            await future.cancel(reason="taken back")

    async def _report_outcome(self, channel: "SchedulerChannel", key: str, future: "Future[Any]") -> None:
        """Reports the outcome of a task, unless the task was cancelled or its worker was lost."""
        try:
            outcome = await future
        except _WORKER_DEATH_ERRORS:
            return
        except (CancelledError, Stopped):
            if key in self._futures:  # not cancelled by us
                channel.put_event(ChannelClosed(_SCHEDULER_LOST))
            return
        except OSError:
            channel.put_event(ChannelClosed(_SCHEDULER_LOST))
            return
        except (ImportError, AttributeError) as trouble:  # the worker has no indexer, or another one
            outcome = IncompatibleWorker(f"cannot load the work ({type(trouble).__name__}: {trouble})")
        except Exception as trouble:
            channel.put_event(
                ChannelClosed(f"the cluster cannot carry out a task ({type(trouble).__name__}: {trouble})")
            )
            return
        self._futures.pop(key, None)
        channel.put_event(TaskAnswered(key, outcome))

    def _on_event(self, event: tuple[float, Any]) -> None:
        message = event[1] if isinstance(event[1], dict) else {}
        if message.get("action") == "remove-worker":
            had_foreign_tasks = any(not self._is_ours(key) for key in message.get("processing-tasks", ()))
            self._remove_worker(
                message["worker"], graceful=bool(message.get("expected")), had_foreign_tasks=had_foreign_tasks
            )
        elif message.get("action") == "add-worker":
            self._check_task = create_task(self._check_workers_soon())

    def _is_ours(self, key: Any) -> bool:
        return isinstance(key, str) and key.startswith(f"indexer-{self._name}-")

    def _remove_worker(self, worker: str, *, graceful: bool = False, had_foreign_tasks: bool = False) -> None:
        self.threads = {other: threads for other, threads in self.threads.items() if other != worker}
        self._broadcast(WorkerLost(worker, graceful, had_foreign_tasks))

    async def _watch(self) -> None:
        """Checks repeatedly that the scheduler is there, and which workers are, in case an event was missed."""
        check = None
        for number in count(1):
            await sleep(_POLL_INTERVAL_S)
            if self._client.status != "running":
                break
            if number % _POLLS_PER_WORKER_CHECK == 0 and (check is None or check.done()):
                check = create_task(self._check_workers())
        self._broadcast(ChannelClosed(_SCHEDULER_LOST))

    async def _check_workers_soon(self) -> None:
        """Checks the workers after a delay: a new worker reports that it runs only after it was added."""
        await sleep(_POLL_INTERVAL_S)
        await self._check_workers()

    async def _check_workers(self) -> None:
        """Reports which workers are present and running.

        A worker that Dask has paused, mostly for lack of memory, is present, but its tasks would wait. So it is
        reported as lost, gracefully. A worker that is missing in two checks in a row is reported as lost.
        """
        try:
            running = await self._client.scheduler.ncores_running()
            present = await self._client.scheduler.ncores()
        except (OSError, AttributeError):  # `_watch` reports the end of the connection
            return
        missing = set(self.threads) - set(present)
        for worker in missing & self._missing_before:
            self._remove_worker(worker)
        for worker in (set(self.threads) & set(present)) - set(running):
            self._remove_worker(worker, graceful=True)
        self._missing_before = missing
        running_threads = {worker: threads for worker, threads in running.items() if worker in present}
        self.threads = {**self.threads, **running_threads}
        self._broadcast(WorkersPresent(running_threads))

    def _broadcast(self, event: Event) -> None:
        for channel in list(self._channels):
            channel.put_event(event)


class SchedulerChannel:
    """The channel of one map: a `TaskChannel`."""

    def __init__(self, connection: SchedulerConnection) -> None:
        self._connection = connection
        self._events: SimpleQueue[Event] = SimpleQueue()
        self.put_event = self._events.put

    def send(self, worker: str, payload: bytes) -> str:
        """Sends a task to a worker; returns the key of the task."""
        return self._connection.send(self, worker, payload)

    def cancel(self, key: str) -> None:
        """Cancels a task."""
        self._connection.cancel(key)

    def next_event(self, timeout_s: float) -> Event | None:
        """The next event; None if there is none within `timeout_s` seconds."""
        with suppress(Empty):
            return self._events.get(timeout=timeout_s)
        return None

    def close(self) -> None:
        """Stops receiving events."""
        self._connection.remove_channel(self)
