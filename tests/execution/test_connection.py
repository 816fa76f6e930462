"""Who is there, as the connection to a scheduler tells it: with a scheduler that is made up here."""

import asyncio
from collections.abc import Sequence
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from indexer.execution.events import Event, WorkerLost, WorkersPresent

pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
from indexer.execution.connection import SchedulerConnection


class Scheduler:
    """Says which workers are there, and which of these run."""

    def __init__(self, there: str, running: str) -> None:
        self.there = there
        self.running = running

    async def ncores(self) -> dict[str, int]:
        """All workers."""
        return dict.fromkeys(self.there, 1)

    async def ncores_running(self) -> dict[str, int]:
        """Those that take tasks."""
        return dict.fromkeys(self.running, 1)


def heard(*looks: tuple[str, str], ended_with: Sequence[Any] | None = None) -> list[Event]:
    """What a map hears of looks at who is (there, running) - at first `a` and `b` do - and of the end of `b` with these
    tasks; `{}` in a key is for the name of the connection."""

    async def look() -> list[Event]:
        loop = SimpleNamespace(asyncio_loop=asyncio.get_running_loop())
        client: Any = SimpleNamespace(loop=loop, status="running", nthreads=lambda: {"a": 1, "b": 1})
        client.subscribe_topic = client.unsubscribe_topic = client.close = lambda *_, **__: None
        way = SchedulerConnection(client)
        line = way.open_channel()
        for one in looks:
            client.scheduler = Scheduler(*one)
            await way._check_workers()
        if ended_with is not None:
            tasks = {key.format(way._name) if isinstance(key, str) else key for key in ended_with}
            way._on_event((0.0, {"action": "remove-worker", "worker": "b", "processing-tasks": tasks}))
        way.close()
        return drained(line._events)

    return asyncio.run(look())


def drained(events: "SimpleQueue[Event]") -> list[Event]:
    """All that waits there."""
    return [events.get() for _ in range(events.qsize())]


def test_a_worker_that_is_paused_is_gone_without_blame() -> None:
    """A worker that Dask has paused gets no task to its end; it is there again when it runs again."""
    both, one = WorkersPresent({"a": 1, "b": 1}), WorkersPresent({"a": 1})
    assert heard(("ab", "a"), ("ab", "a"), ("ab", "ab")) == [both, WorkerLost("b", graceful=True), one, one, both]


def test_a_worker_whose_end_was_not_heard() -> None:
    """A worker that two looks did not find is gone, and may have been killed."""
    both, one = WorkersPresent({"a": 1, "b": 1}), WorkersPresent({"a": 1})
    assert heard(("a", "a"), ("a", "a"), ("a", "a")) == [both, one, WorkerLost("b"), one, one]


@pytest.mark.parametrize(
    ("tasks", "shared"), [(["indexer-{}-1", "indexer-{}-2"], False), (["indexer-{}-1", ("x", 0)], True), ([], False)]
)
def test_a_worker_that_ends_with_tasks_of_others(tasks: list[Any], shared: bool) -> None:
    """What a worker had is told with its end where some of it was not ours."""
    assert heard(ended_with=tasks) == [WorkersPresent({"a": 1, "b": 1}), WorkerLost("b", had_foreign_tasks=shared)]
