"""The connection to a scheduler: tasks go out to workers, and what becomes of tasks and workers comes in.

It promises that a map hears each thing once, in order, and last of all of the connection's end. What comes in does so
in the thread of Dask's loop, and is only put where the map listens.
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

from indexer.execution.errands import IncompatibleWorker
from indexer.execution.events import ChannelClosed, Event, TaskAnswered, WorkerLost, WorkersPresent

_POLL_INTERVAL_S = 0.25  # between two looks at whether the scheduler is there
_POLLS_PER_WORKER_CHECK = 8  # of these looks also at who else is
_SCHEDULER_LOST = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
_WORKER_DEATH_ERRORS = (KilledWorker, NoValidWorkerError)  # told as a worker's end, too, and heard there


class SchedulerConnection:
    """The connection to a scheduler: tasks go out, and what becomes of them and of the workers comes in, in the thread
    of Dask's loop."""

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
        """A way for one map, which hears at once who is there."""
        channel = SchedulerChannel(self)
        self._channels.append(channel)
        channel.put_event(WorkersPresent(self.threads))
        if self._watch_future.done():
            channel.put_event(ChannelClosed(_SCHEDULER_LOST))
        return channel

    def remove_channel(self, channel: "SchedulerChannel") -> None:
        """Says no more to a line."""
        self._channels.remove(channel)

    def send(self, channel: "SchedulerChannel", worker: str, payload: bytes) -> str:
        """Gives a worker a task, which is to unpickle it: its key."""
        key = f"indexer-{self._name}-{next(self._numbers)}"
        placement = {"workers": [worker], "allow_other_workers": False}
        self._futures[key] = future = self._client.submit(pickle.loads, payload, key=key, pure=False, **placement)
        run_coroutine_threadsafe(self._report_outcome(channel, key, future), self._loop)
        return key

    def cancel(self, key: str) -> None:
        """Takes a task back."""
        future = self._futures.pop(key, None)
        if future is not None:
            run_coroutine_threadsafe(self._cancel_future(future), self._loop)

    def close(self) -> None:
        """Takes all tasks back and ends the connection, also a broken one."""
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
        """Says what became of a task, unless it was taken back or its worker's end says it."""
        try:
            outcome = await future
        except _WORKER_DEATH_ERRORS:
            return
        except (CancelledError, Stopped):
            if key in self._futures:  # not by us
                channel.put_event(ChannelClosed(_SCHEDULER_LOST))
            return
        except OSError:
            channel.put_event(ChannelClosed(_SCHEDULER_LOST))
            return
        except (ImportError, AttributeError) as trouble:  # there is no such thing as an errand there
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
        """Looks again and again who is there, should an event have been missed, and whether the scheduler is."""
        check = None
        for number in count(1):
            await sleep(_POLL_INTERVAL_S)
            if self._client.status != "running":
                break
            if number % _POLLS_PER_WORKER_CHECK == 0 and (check is None or check.done()):
                check = create_task(self._check_workers())
        self._broadcast(ChannelClosed(_SCHEDULER_LOST))

    async def _check_workers_soon(self) -> None:
        """Looks when one that came has had time to say that it runs, which it says after it came."""
        await sleep(_POLL_INTERVAL_S)
        await self._check_workers()

    async def _check_workers(self) -> None:
        """Tells who is there and runs.

        A worker that Dask has paused, for want of memory mostly, is there, and its tasks would wait with it.
        """
        try:
            running = await self._client.scheduler.ncores_running()
            present = await self._client.scheduler.ncores()
        except (OSError, AttributeError):  # the connection's end is told by `_watch`
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
    """The way for one map."""

    def __init__(self, connection: SchedulerConnection) -> None:
        self._connection = connection
        self._events: SimpleQueue[Event] = SimpleQueue()
        self.put_event = self._events.put

    def send(self, worker: str, payload: bytes) -> str:
        """Gives a worker a task: its key."""
        return self._connection.send(self, worker, payload)

    def cancel(self, key: str) -> None:
        """Takes a task back."""
        self._connection.cancel(key)

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened; None if nothing did in that time."""
        with suppress(Empty):
            return self._events.get(timeout=timeout_s)
        return None

    def close(self) -> None:
        """Hears nothing more."""
        self._connection.remove_channel(self)
