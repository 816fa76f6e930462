"""Who is given what, and what becomes of items whose worker is gone: with workers that are made up here."""

import pickle
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from indexer.errors import EngineError
from indexer.execution import ResourceLimits, WorkerFailure
from indexer.execution.events import ChannelClosed, Event, TaskAnswered, WorkerLost, WorkersPresent
from indexer.execution.executor import growing_batches
from indexer.execution.remote_task import Failed, Finished, IncompatibleWorker, TaskOutcome
from indexer.execution.task_scheduler import SchedulingLimits, TaskScheduler
from tests.support.worker_functions import Counted, square

KILLED = WorkerFailure("ended the process that worked on it (3 times)")


class Workers:
    """A line to made-up workers, each with a queue; items in `deadly` end whoever works on them."""

    def __init__(self, names: str, *, deadly: Iterable[Any] = (), chance: random.Random | None = None) -> None:
        self.queues: dict[str, deque[tuple[str, list[Any]]]] = {name: deque() for name in names}
        self.deadly = set(deadly)
        self.chance = chance or random.Random(0)
        self.said: deque[Event] = deque([WorkersPresent(dict.fromkeys(names, 1))])
        self.outcome: Callable[[list[Any]], TaskOutcome] = lambda items: Finished(
            pickle.dumps(list(map(square, items)))
        )
        self.tried: dict[Any, int] = defaultdict(int)
        self.most = 0
        self.shared: Callable[[Any], bool] = lambda _: False  # a worker that this item ends had tasks of others, too

    def send(self, worker: str, payload: bytes) -> str:
        """Puts a task into a worker's queue."""
        key = f"task {sum(self.tried.values())} {len(self.said)} {self.chance.random()}"
        work = unpacked(payload)
        self.queues[worker].append((key, work))
        self.most = max(self.most, sum(len(items) for queue in self.queues.values() for _, items in queue))
        return key

    def cancel(self, key: str) -> None:
        """Nothing: a worker's queue goes with it."""

    def next_event(self, timeout_s: float) -> Event | None:
        """What was said, else what one of the workers does next."""
        if self.said:
            return self.said.popleft()
        busy = [name for name, queue in sorted(self.queues.items()) if queue]
        if not busy:
            return None
        worker = self.chance.choice(busy)
        key, items = self.queues[worker][0]
        for item in items:
            self.tried[item] += 1
            if item in self.deadly:
                return self.end(worker, shared=self.shared(item))
        self.queues[worker].popleft()
        return TaskAnswered(key, self.outcome(items))

    def end(self, worker: str, *, leaving: bool = False, shared: bool = False) -> Event:
        """Ends a worker; another one comes at once."""
        del self.queues[worker]
        self.queues[worker + "'"] = deque()
        self.said.append(WorkersPresent({worker + "'": 1}))
        return WorkerLost(worker, leaving, shared)


def unpacked(payload: bytes) -> list[Any]:
    """The items of an errand, which is not carried out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.execution.remote_task.execute_remote", lambda work, *_: list(pickle.loads(work)[1]))
        return pickle.loads(payload)


def told(workers: Workers, items: Iterable[Any], *, max_batch: int = 1, **terms: Any) -> list[Any]:
    """What a map over these workers gives."""
    given = ((share, None) for share in growing_batches(items, batches_per_size=4, max_size=max_batch))
    return list(
        TaskScheduler(
            workers, square, given, limits=SchedulingLimits(ResourceLimits(), terms.pop("in_flight", 4), **terms)
        ).results()
    )


@pytest.mark.parametrize("seed", range(20))
def test_deadly_items_are_given_up_and_no_others(seed: int) -> None:
    """Whatever shares a worker with what, and whoever is first: deadly items are lost, after three deaths alone."""
    chance = random.Random(seed)
    deadly = set(chance.sample(range(60), 5))
    workers = Workers("abc"[: 1 + seed % 3], deadly=deadly, chance=chance)
    expected = [KILLED if number in deadly else number * number for number in range(60)]
    assert told(workers, range(60), max_batch=1 + seed % 8) == expected
    assert all(3 <= workers.tried[number] <= 6 for number in deadly)


def test_workers_that_others_may_have_ended() -> None:
    """Deaths of workers that had tasks of others, too, blame nobody, but no item is tried for ever."""
    workers = Workers("ab", deadly=[7, 8])
    workers.shared = lambda item: item == 7 or workers.tried[8] % 2 == 0
    lost = WorkerFailure("was with a process that ended (10 times)")
    assert told(workers, range(20)) == [{7: lost, 8: KILLED}.get(number, number * number) for number in range(20)]
    assert 10 <= workers.tried[7] <= 12
    assert 5 <= workers.tried[8] <= 8


@pytest.mark.parametrize("leaving", [True, False])
def test_workers_that_come_and_go(leaving: bool) -> None:
    """Workers that are sent home or killed, again and again but with another item each time, cost nothing."""
    workers, chance = Workers("ab"), random.Random(1)
    hear = workers.next_event

    def restless(patience_s: float) -> Event | None:
        if not workers.said and chance.random() < 0.1:
            return workers.end(chance.choice(sorted(workers.queues)), leaving=leaving)
        return hear(patience_s)

    workers.next_event = restless
    assert told(workers, range(200), max_batch=4) == [number * number for number in range(200)]


def test_bounded_in_flight() -> None:
    """Items are with the workers a few for each, however many there are."""
    workers = Workers("abc")
    assert told(workers, range(500), in_flight=2) == [number * number for number in range(500)]
    assert workers.most == 6


def test_bounded_bytes() -> None:
    """Large tasks are fewer at a time; one is sent whatever its size."""
    workers = Workers("abc")
    told(workers, range(50), bytes_in_flight=1)
    assert workers.most == 1


def test_one_that_is_slow_does_not_let_all_others_pass() -> None:
    """While one item is not done only so many others are asked for: their results wait in memory."""
    items, workers = Counted(10_000), Workers("ab")
    given = ((share, None) for share in growing_batches(items, batches_per_size=4, max_size=1))
    hear, first = workers.next_event, []

    def slow(patience_s: float) -> Event | None:
        event = hear(patience_s)
        if isinstance(event, TaskAnswered) and not first:
            first.append(event)
            return None
        if event is None:
            raise InterruptedError
        return event

    workers.next_event = slow
    with pytest.raises(InterruptedError):
        list(TaskScheduler(workers, square, given, limits=SchedulingLimits(ResourceLimits(), 4)).results())
    assert 4 * 4 * 2 <= items.asked <= 4 * 4 * 2 + 8


def test_a_wish_is_followed_where_it_can_be() -> None:
    """An item goes to the worker that it asks for, and to any other if that one is not there."""
    workers = Workers("ab")
    seen = []
    send = workers.send
    workers.send = lambda worker, payload: seen.append((unpacked(payload), worker)) or send(worker, payload)
    given = iter([([1], "b"), ([2], "b"), ([3], "gone"), ([4], "b")])
    assert list(TaskScheduler(workers, square, given, limits=SchedulingLimits(ResourceLimits(), 4)).results()) == [
        1,
        4,
        9,
        16,
    ]
    assert seen == [([1], "b"), ([2], "b"), ([3], "a"), ([4], "b")]


def test_no_items_need_no_workers() -> None:
    """Where nothing is to be done nobody is waited for."""
    assert told(Workers(""), []) == []


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ChannelClosed("it is over"), "it is over"),
        (
            TaskAnswered("", IncompatibleWorker("has indexer 9")),
            "a worker of the cluster has indexer 9; install the same indexer",
        ),
        (None, "the cluster has had no worker for 0.01 s; start some"),
    ],
)
def test_what_ends_a_run(event: Event | None, words: str) -> None:
    """A scheduler that is gone, a worker of another version, and nobody for too long end the run in one sentence."""
    workers = Workers("a" if isinstance(event, TaskAnswered) else "")
    if isinstance(event, TaskAnswered):
        workers.outcome = lambda _: event.outcome
    elif event is not None:
        workers.said.append(event)
    with pytest.raises(EngineError, match=words):
        told(workers, range(3), no_worker_timeout_s=0.01)


def test_what_the_function_raises() -> None:
    """A problem comes where its result would, and want of memory is a loss."""
    workers = Workers("a")
    workers.outcome = lambda items: Failed(MemoryError() if items == [2] else KeyError(items[0]))
    given = iter([([2], None), ([3], None)])
    results = TaskScheduler(workers, square, given, limits=SchedulingLimits(ResourceLimits(), 4)).results()
    assert next(results) == WorkerFailure("needed more memory than it may have")
    with pytest.raises(KeyError, match="3"):
        next(results)
