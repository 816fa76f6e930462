"""The executor of a Dask cluster: an ordered, bounded window of tasks, which Dask's own scheduler places and retries.

It promises what `indexer.execution` promises. The loss of a worker costs only time, unless each worker that has an item
ends.

Decision 0039: Dask places the tasks, repeats them, and gives them up.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from distributed import KilledWorker

from indexer.execution.dask_tasks import DaskActor, DaskClient, DaskTask
from indexer.execution.executor import Item, ResourceLimits, Result, State, WorkerFailure, growing_batches
from indexer.execution.guard import CallOutcome
from indexer.execution.path_mapping import PathMapping
from indexer.execution.remote_call import pack_call, require_usable

_ATTEMPTS_ALONE = 2  # a worker may also die of something else
_MIN_WORKERS = 2  # a single worker counts as two, so that it gets enough tasks to have no pause


class DaskExecutor:
    """An executor on the workers of a scheduler: a `RemoteExecutor`.

    At most `in_flight` batches per thread of a worker, of at most `max_batch` items, are under way.
    """

    def __init__(
        self,
        client: DaskClient,
        limits: ResourceLimits,
        *,
        file_limits: ResourceLimits,
        max_batch: int,
        in_flight: int,
        path_mapping: PathMapping,
    ) -> None:
        self._client = client
        self._limits = limits
        self.file_limits = file_limits
        self._max_batch = max_batch
        self._in_flight = in_flight
        self.map_path = path_mapping.map_path

    @property
    def workers(self) -> int:
        """Number of threads of all workers that are present now, at least `_MIN_WORKERS`."""
        return max(_MIN_WORKERS, sum(self._client.threads().values()))

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """The function's result for each item, in order; a `WorkerFailure` for an item that exceeded its limits or
        lost its workers."""
        return self._map(function, items, self._limits)

    def map_files(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result | WorkerFailure]:
        """As a call, with the limits of items that read image files."""
        return self._map(function, items, self.file_limits)

    def _map(
        self, function: Callable[[Item], Result], items: Iterable[Item], limits: ResourceLimits
    ) -> Iterator[Result | WorkerFailure]:
        batches = growing_batches(items, batches_per_size=2 * self.workers, max_size=self._max_batch)
        window: deque[tuple[list[Item], DaskTask]] = deque()
        try:
            while True:
                capacity = max(0, self._in_flight * self.workers - len(window))
                window.extend((batch, self._submit(function, batch, limits)) for batch in islice(batches, capacity))
                if not window:
                    return
                batch, task = window[0]
                try:
                    outcome: CallOutcome = task.result()
                except KilledWorker:
                    for _, other_task in window:
                        other_task.wait()
                    window.popleft()
                    task.release()
                    yield from self._run_alone(function, batch, limits)
                else:
                    window.popleft()
                    task.release()
                    yield from _results(outcome)
        finally:
            for _, task in window:
                task.release()

    def actor_workers(self) -> Sequence[str]:
        """The addresses of the workers that are present now; waits if there is none."""
        workers: list[str] = []
        while not workers:
            self._client.require_worker()
            workers = list(self._client.threads())
        return workers

    def start_actor(self, worker: str, factory: Callable[..., State], /, *arguments: Any) -> DaskActor[State]:
        """Starts to make an actor at a worker; it is lost if that one is gone."""
        return DaskActor(self._client, worker, factory, *arguments)

    def _submit(self, function: Callable[[Item], Result], items: Sequence[Item], limits: ResourceLimits) -> DaskTask:
        return DaskTask(self._client, pack_call(function, items, limits=limits))

    def _run_alone(
        self, function: Callable[[Item], Result], items: Sequence[Item], limits: ResourceLimits
    ) -> Iterator[Result | WorkerFailure]:
        """The results of items, run one after the other while no other task of this run is at a worker."""
        for item in items:
            outcome = None
            for _ in range(_ATTEMPTS_ALONE):
                task = self._submit(function, [item], limits)
                try:
                    outcome = task.result()
                    break
                except KilledWorker:
                    continue
                finally:
                    task.release()
            yield from _results(outcome or CallOutcome([WorkerFailure("ended every process that worked on it")]))


def _results(outcome: CallOutcome) -> Iterator[Any]:
    """The results of a call, up to an item for which the function raised; then raises its exception."""
    for result in outcome.results:
        yield result if isinstance(result, WorkerFailure) else pickle.loads(result)
    require_usable(outcome.problem)
