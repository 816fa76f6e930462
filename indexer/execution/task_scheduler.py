"""The scheduler of one `map` over workers that come and go: it assigns tasks, and retries the tasks of lost workers.

It promises results in the order of the items, and that items are drawn as workers have capacity. The loss of a worker
costs only time. An item is given up after `_MAX_SOLE_DEATHS` deaths of workers that had this item and nothing else.
Where a worker that died had tasks of other clients too, one of those may be the reason: such a death counts only
towards `_MAX_TOTAL_DEATHS`, after which the item is given up in any case, so that every run ends. The module does not
know how a worker is reached: a `TaskChannel` does.

Decision: we assign the tasks to workers, a few each, and not Dask's scheduler. Its own count of deaths
(`allowed-failures`) is set by the operator of the cluster, restarts with each task, and blames every task that waited
at the worker. Here all items of a worker that died are suspects. Each is retried alone, at a worker that gets nothing
else meanwhile, while the other workers continue. Enforced by tests/execution/test_task_scheduler.py.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic

from indexer.errors import EngineError
from indexer.execution.events import ChannelClosed, TaskAnswered, TaskChannel, WorkerLost, WorkersPresent
from indexer.execution.executor import Item, ResourceLimits, Result, WorkerFailure
from indexer.execution.remote_task import Failed, Finished, pack_task

_MAX_SOLE_DEATHS = 3  # of workers that had this item and nothing else
_MAX_TOTAL_DEATHS = 10  # of workers that had this item and no other of ours, with or without tasks of other clients
_MAX_PENDING_FACTOR = 4  # times the tasks in flight: unfinished tasks, and finished ones that wait for an earlier one
_MAX_WAIT_S = 5.0


@dataclass(frozen=True)
class SchedulingLimits:
    """Limits of an item, of the tasks per thread and the bytes in flight, and of the time without any worker.

    `bytes_in_flight` is for all tasks together; a single task is sent whatever its size.
    """

    resource_limits: ResourceLimits
    in_flight: int
    bytes_in_flight: int = 2**29
    no_worker_timeout_s: float = 60.0


@dataclass(eq=False)
class _ScheduledTask(Generic[Item, Result]):
    """Items that are sent together, or one by one after a split (`parts`); finally their results or the exception."""

    items: list[Item]
    preferred_worker: str | None = None
    results: list[Result | WorkerFailure] | None = None
    problem: Exception | None = None
    parts: "list[_ScheduledTask[Item, Result]]" = field(default_factory=list)
    sole_deaths: int = 0
    total_deaths: int = 0
    sent_at: float = 0.0
    size_bytes: int = 0

    @property
    def is_done(self) -> bool:
        if self.parts:
            return all(part.is_done for part in self.parts)
        return self.results is not None or self.problem is not None

    def split(self) -> "list[_ScheduledTask[Item, Result]]":
        """The same items as tasks of one item each; this task itself if it has only one."""
        if len(self.items) == 1:
            return [self]
        self.parts = [_ScheduledTask([item], self.preferred_worker) for item in self.items]
        return self.parts

    def iter_results(self) -> Iterator[Result | WorkerFailure]:
        """The results in order, up to an item whose function raised; then raises its exception."""
        for part in self.parts:
            yield from part.iter_results()
        if self.problem is not None:
            raise self.problem
        yield from self.results or ()


@dataclass(eq=False)
class _WorkerSlot(Generic[Item, Result]):
    """A worker's threads and the tasks that we sent to it, by key; `exclusive` while it has a suspect."""

    threads: int
    tasks: "dict[str, _ScheduledTask[Item, Result]]" = field(default_factory=dict)
    exclusive: bool = False

    @property
    def load(self) -> float:
        return len(self.tasks) / max(1, self.threads)


class TaskScheduler(Generic[Item, Result]):
    """The scheduler of one map: `batches` are lists of items to send together, each with its preferred worker."""

    def __init__(
        self,
        channel: TaskChannel,
        function: Callable[[Item], Result],
        batches: Iterator[tuple[list[Item], str | None]],
        *,
        limits: SchedulingLimits,
    ) -> None:
        self._channel = channel
        self._function = function
        self._batches = batches
        self._limits = limits
        self._slots: dict[str, _WorkerSlot[Item, Result]] = {}
        self._pending: deque[_ScheduledTask[Item, Result]] = deque()
        self._retries: deque[_ScheduledTask[Item, Result]] = deque()
        self._suspects: deque[_ScheduledTask[Item, Result]] = deque()
        self._worker_by_key: dict[str, str] = {}  # key of a task -> worker
        self._bytes_in_flight = 0
        self._no_worker_since: float | None = monotonic()

    def results(self) -> Iterator[Result | WorkerFailure]:
        """The results in the order of the items.

        Raises
        ------
        EngineError
            If the channel closes, if there is no worker for too long, or if a worker has another version of indexer.
        Exception
            What the function raises for an item, in its turn.
        """
        try:
            while True:
                self._dispatch()
                if not self._pending:
                    return
                if self._pending[0].is_done:
                    yield from self._pending.popleft().iter_results()
                else:
                    self._handle_event()
        finally:
            for key in self._worker_by_key:
                self._channel.cancel(key)

    def _dispatch(self) -> None:
        reserved = self._try_suspects()
        while (free_worker := self._free_worker(reserved)) and (task := self._next_task()) is not None:
            prefers = (
                task.preferred_worker is not None
                and task.preferred_worker in self._slots
                and task.preferred_worker not in reserved
            )
            self._send(task, task.preferred_worker if prefers and task.preferred_worker is not None else free_worker)
        if not self._pending and (task := self._draw_task()) is not None:  # no free worker: is there any item?
            self._retries.append(task)

    def _try_suspects(self) -> set[str]:
        """Sends suspects to workers that have nothing else. Returns the workers that must get no other tasks."""
        trying = {worker for worker, slot in self._slots.items() if slot.exclusive}
        max_trying = max(1, len(self._slots) // 2)
        others = sorted((slot.load, worker) for worker, slot in self._slots.items() if worker not in trying)
        reserved = {worker for _, worker in others[: max(0, min(len(self._suspects), max_trying - len(trying)))]}
        for worker in sorted(reserved):
            if not self._slots[worker].tasks and self._suspects:
                self._slots[worker].exclusive = True
                self._send(self._suspects.popleft(), worker)
        return trying | reserved

    def _free_worker(self, reserved: set[str]) -> str | None:
        """The worker with the lowest load, or None if none has capacity."""
        if self._worker_by_key and self._bytes_in_flight >= self._limits.bytes_in_flight:
            return None
        loads = [(slot.load, worker) for worker, slot in self._slots.items() if worker not in reserved]
        load, worker = min(loads, default=(float("inf"), ""))
        return worker if load < self._limits.in_flight else None

    def _next_task(self) -> "_ScheduledTask[Item, Result] | None":
        """The next task to send: a retry, else new items, unless too many tasks wait for an earlier one."""
        if self._retries:
            return self._retries.popleft()
        threads = sum(slot.threads for slot in self._slots.values())
        return (
            None if len(self._pending) >= _MAX_PENDING_FACTOR * self._limits.in_flight * threads else self._draw_task()
        )

    def _draw_task(self) -> "_ScheduledTask[Item, Result] | None":
        """A task of new items; None if there are no more items."""
        batch = next(self._batches, None)
        if batch is None:
            return None
        task = _ScheduledTask[Item, Result](*batch)
        self._pending.append(task)
        return task

    def _send(self, task: "_ScheduledTask[Item, Result]", worker: str) -> None:
        payload = pack_task(self._function, task.items, resource_limits=self._limits.resource_limits)
        task.size_bytes, task.sent_at = len(payload), monotonic()
        key = self._channel.send(worker, payload)
        self._bytes_in_flight += task.size_bytes
        self._worker_by_key[key] = worker
        self._slots[worker].tasks[key] = task

    def _handle_event(self) -> None:
        event = self._channel.next_event(self._wait_timeout_s())
        if isinstance(event, TaskAnswered):
            self._record_answer(event)
        elif isinstance(event, WorkerLost):
            self._remove_worker(event)
        elif isinstance(event, WorkersPresent):
            for worker, threads in event.threads.items():
                self._slots.setdefault(worker, _WorkerSlot(threads))
            self._no_worker_since = None if self._slots else self._no_worker_since
        elif isinstance(event, ChannelClosed):
            raise EngineError(event.reason)

    def _wait_timeout_s(self) -> float:
        """How long to wait for an event, in seconds; raises EngineError if there was no worker for too long."""
        if self._no_worker_since is None:
            return _MAX_WAIT_S
        left_s = self._no_worker_since + self._limits.no_worker_timeout_s - monotonic()
        if left_s <= 0:
            waited_s = self._limits.no_worker_timeout_s
            raise EngineError(
                f"the cluster has had no worker for {waited_s:g} s; start some (dask worker ADDRESS), "
                "and the same command goes on"
            )
        return min(left_s, _MAX_WAIT_S)

    def _record_answer(self, answer: TaskAnswered) -> None:
        task = self._release_task(answer.key)
        outcome = answer.outcome
        if task is None:
            return  # it was cancelled, because its worker was considered lost
        if isinstance(outcome, Finished):
            task.results = pickle.loads(outcome.results)
        elif not isinstance(outcome, Failed):
            raise EngineError(f"a worker of the cluster {outcome.reason}; install the same indexer on every worker")
        elif len(task.items) > 1:
            self._retries.extendleft(reversed(task.split()))
        elif isinstance(outcome.problem, MemoryError):
            task.results = [WorkerFailure("needed more memory than it may have")]
        else:
            task.problem = outcome.problem

    def _release_task(self, key: str) -> "_ScheduledTask[Item, Result] | None":
        """Removes a task from its worker; None if it has been removed before."""
        worker = self._worker_by_key.pop(key, None)
        if worker is None:
            return None
        slot = self._slots[worker]
        task = slot.tasks.pop(key)
        slot.exclusive = False
        self._bytes_in_flight -= task.size_bytes
        return task

    def _remove_worker(self, lost: WorkerLost) -> None:
        """Removes a worker and retries its tasks: item by item and alone if one of them may be the reason."""
        slot = self._slots.get(lost.worker)
        if slot is None:
            return
        tasks = []
        for key in list(slot.tasks):
            self._channel.cancel(key)
            if (task := self._release_task(key)) is not None:
                tasks.append(task)
        del self._slots[lost.worker]
        self._no_worker_since = None if self._slots else monotonic()
        if lost.graceful:
            self._retries.extendleft(reversed(tasks))
        elif len(tasks) == 1 and len(tasks[0].items) == 1:
            self._record_death(tasks[0], had_foreign_tasks=lost.had_foreign_tasks)
        else:
            self._suspects.extend(part for task in tasks for part in task.split())

    def _record_death(self, task: "_ScheduledTask[Item, Result]", *, had_foreign_tasks: bool) -> None:
        """Counts the death of a worker that had only this item of ours. With tasks of other clients there, it counts
        only towards `_MAX_TOTAL_DEATHS`."""
        task.total_deaths += 1
        task.sole_deaths += not had_foreign_tasks
        time_s = self._limits.resource_limits.time_s
        if task.sole_deaths < _MAX_SOLE_DEATHS and task.total_deaths < _MAX_TOTAL_DEATHS:
            self._suspects.append(task)
        elif time_s is not None and monotonic() - task.sent_at >= time_s:
            task.results = [WorkerFailure(f"took longer than {time_s:g} s")]
        elif task.sole_deaths < _MAX_SOLE_DEATHS:
            task.results = [WorkerFailure(f"was with a process that ended ({_MAX_TOTAL_DEATHS} times)")]
        else:
            task.results = [WorkerFailure(f"ended the process that worked on it ({_MAX_SOLE_DEATHS} times)")]


def without_preference(batches: Iterator[list[Any]]) -> Iterator[tuple[list[Any], None]]:
    """The batches without a preferred worker: any worker with capacity gets them."""
    return ((batch, None) for batch in batches)
