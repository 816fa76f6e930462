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

from indexer.execution.errands import Unfit
from indexer.execution.events import Answered, Ended, Event, Gone, Present

_WATCHED_S = 0.25  # between two looks at whether the scheduler is there
_LOOKED = 8  # of these looks also at who else is
_LOST = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
_DEATHS = (KilledWorker, NoValidWorkerError)  # told as a worker's end, too, and heard there


class Way:
    """The connection to a scheduler: tasks go out, and what becomes of them and of the workers comes in, in the thread
    of Dask's loop."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._loop = client.loop.asyncio_loop
        self._lines: list[WayOfOne] = []
        self._futures: dict[str, Future[Any]] = {}
        self._numbers = count()
        self._name = uuid4().hex[:12]
        self._missed: set[str] = set()
        self.threads: Mapping[str, int] = dict(client.nthreads())
        client.subscribe_topic("all", self._on_event)
        self._watching = run_coroutine_threadsafe(self._watch(), self._loop)

    def line(self) -> "WayOfOne":
        """A way for one map, which hears at once who is there."""
        line = WayOfOne(self)
        self._lines.append(line)
        line.say(Present(self.threads))
        if self._watching.done():
            line.say(Ended(_LOST))
        return line

    def leave(self, line: "WayOfOne") -> None:
        """Says no more to a line."""
        self._lines.remove(line)

    def send(self, line: "WayOfOne", worker: str, payload: bytes) -> str:
        """Gives a worker a task, which is to unpickle it: its key."""
        key = f"indexer-{self._name}-{next(self._numbers)}"
        where = {"workers": [worker], "allow_other_workers": False}
        self._futures[key] = future = self._client.submit(pickle.loads, payload, key=key, pure=False, **where)
        run_coroutine_threadsafe(self._follow(line, key, future), self._loop)
        return key

    def forget(self, key: str) -> None:
        """Takes a task back."""
        future = self._futures.pop(key, None)
        if future is not None:
            run_coroutine_threadsafe(self._cancel(future), self._loop)

    def close(self) -> None:
        """Takes all tasks back and ends the connection, also a broken one."""
        self._watching.cancel()
        for key in list(self._futures):
            self.forget(key)
        with suppress(Exception):
            self._client.unsubscribe_topic("all")
        with suppress(Exception):
            self._client.close(timeout=2)

    async def _cancel(self, future: "Future[Any]") -> None:
        with suppress(Exception):
            await future.cancel(reason="taken back")

    async def _follow(self, line: "WayOfOne", key: str, future: "Future[Any]") -> None:
        """Says what became of a task, unless it was taken back or its worker's end says it."""
        try:
            outcome = await future
        except _DEATHS:
            return
        except (CancelledError, Stopped):
            if key in self._futures:  # not by us
                line.say(Ended(_LOST))
            return
        except OSError:
            line.say(Ended(_LOST))
            return
        except (ImportError, AttributeError) as trouble:  # there is no such thing as an errand there
            outcome = Unfit(f"cannot load the work ({type(trouble).__name__}: {trouble})")
        except Exception as trouble:
            line.say(Ended(f"the cluster cannot carry out a task ({type(trouble).__name__}: {trouble})"))
            return
        self._futures.pop(key, None)
        line.say(Answered(key, outcome))

    def _on_event(self, event: tuple[float, Any]) -> None:
        told = event[1] if isinstance(event[1], dict) else {}
        if told.get("action") == "remove-worker":
            shared = any(not self._is_ours(key) for key in told.get("processing-tasks", ()))
            self._remove(told["worker"], leaving=bool(told.get("expected")), shared=shared)
        elif told.get("action") == "add-worker":
            self._looking = create_task(self._look_soon())

    def _is_ours(self, key: Any) -> bool:
        return isinstance(key, str) and key.startswith(f"indexer-{self._name}-")

    def _remove(self, worker: str, *, leaving: bool = False, shared: bool = False) -> None:
        self.threads = {other: threads for other, threads in self.threads.items() if other != worker}
        self._tell(Gone(worker, leaving, shared))

    async def _watch(self) -> None:
        """Looks again and again who is there, should an event have been missed, and whether the scheduler is."""
        looking = None
        for number in count(1):
            await sleep(_WATCHED_S)
            if self._client.status != "running":
                break
            if number % _LOOKED == 0 and (looking is None or looking.done()):
                looking = create_task(self._look())
        self._tell(Ended(_LOST))

    async def _look_soon(self) -> None:
        """Looks when one that came has had time to say that it runs, which it says after it came."""
        await sleep(_WATCHED_S)
        await self._look()

    async def _look(self) -> None:
        """Tells who is there and runs.

        A worker that Dask has paused, for want of memory mostly, is there, and its tasks would wait with it.
        """
        try:
            running = await self._client.scheduler.ncores_running()
            there = await self._client.scheduler.ncores()
        except (OSError, AttributeError):  # the connection's end is told by `_watch`
            return
        missing = set(self.threads) - set(there)
        for worker in missing & self._missed:
            self._remove(worker)
        for worker in (set(self.threads) & set(there)) - set(running):
            self._remove(worker, leaving=True)
        self._missed = missing
        seen = {worker: threads for worker, threads in running.items() if worker in there}
        self.threads = {**self.threads, **seen}
        self._tell(Present(seen))

    def _tell(self, event: Event) -> None:
        for line in list(self._lines):
            line.say(event)


class WayOfOne:
    """The way for one map."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._events: SimpleQueue[Event] = SimpleQueue()
        self.say = self._events.put

    def send(self, worker: str, payload: bytes) -> str:
        """Gives a worker a task: its key."""
        return self._way.send(self, worker, payload)

    def forget(self, key: str) -> None:
        """Takes a task back."""
        self._way.forget(key)

    def hear(self, patience_s: float) -> Event | None:
        """What happened; None if nothing did in that time."""
        with suppress(Empty):
            return self._events.get(timeout=patience_s)
        return None

    def close(self) -> None:
        """Hears nothing more."""
        self._way.leave(self)
