"""Runs the searches of one camera on workers that share no memory with this process.

It promises the matches of `indexer.workflows.compare.searcher`. Each worker keeps an image buffer of its own and is
sent an image once. A worker that lost its buffer reports which images are missing, and is sent these again. The data in
flight is bounded. Of what was sent, this process keeps only which worker has which image.

Decision: searches are divided among workers by their new images, not by the keepers that they compare. So every worker
comes to hold every keeper (58 kB of its disk each at 320 wide), where a division by keepers would split them. But a
duplicate, as most images are, goes to one worker instead of to all, and each search ends as soon as its one worker has
found a keeper. Enforced by tests/workflows/compare/test_remote_searcher.py.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels, Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.domain.masks import Mask
from indexer.errors import EngineError
from indexer.execution import RemoteExecutor
from indexer.imaging.matching import Match
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, Fetch, PixelsUnavailableError
from indexer.workflows.compare.remote_buffer import (
    EncodedThumbnail,
    ImageFile,
    RemoteSearchResult,
    RemoteSearchTask,
    search_remote,
)
from indexer.workflows.compare.searcher import Searcher, SearchRequest, is_worth_sending
from indexer.workflows.context import unwrap

_MAX_IMAGES_PER_TASK = 256  # some 10 MB
_PAIRS_WORTH_SENDING = 8192  # some 30 ms of work; with a quarter of that, compare took a fifth longer on loopback
_MAX_ATTEMPTS = 20  # for one share of the searches; each met a worker that had lost images

ImageSource = Callable[[Sequence[Image]], Sequence[EncodedThumbnail | ImageFile]]
"""Returns images in the form in which they are sent to workers."""


@dataclass
class _WorkerState:
    """What this process knows of the worker behind one affinity number.

    `has_image`: by index, whether it has an image; `buffer_name`: the buffer that these are in; `drops_sent`: how many
    of the dropped images it was told; `attempts`: how often the present share met a worker that had lost images.
    """

    has_image: NDArray[np.bool_]
    buffer_name: str = ""
    drops_sent: int = 0
    attempts: int = field(default=0)


@dataclass(frozen=True)
class _SentTask:
    """What the result of a task is read with: the worker's number, the indices of the images sent, and whether the task
    holds searches."""

    worker: int
    image_indices: tuple[int, ...]
    has_searches: bool


class RemoteSearcher:
    """Searches on the workers of a cluster; few pairs are searched in this process."""

    def __init__(
        self,
        ranked: Sequence[Image],
        local_searcher: Searcher,
        *,
        scoring: ScoringParameters,
        executor: RemoteExecutor,
        image_source: ImageSource,
        capacity_bytes: int,
    ) -> None:
        self._camera = uuid4().hex
        self._ranked = ranked
        self._local_searcher = local_searcher
        self._scoring = scoring
        self._executor = executor
        self._image_source = image_source
        self._capacity_bytes = capacity_bytes
        self._worker_states: list[_WorkerState] = []
        self._dropped: list[int] = []

    @property
    def workers(self) -> int:
        """How many workers share the searches."""
        return self._executor.workers

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search, computed in this process."""
        return self._local_searcher.search_local(index, others)

    def drop(self, index: int) -> None:
        """Frees an image here and, with its next task, on each worker: no later search needs it."""
        self._local_searcher.drop(index)
        self._dropped.append(index)

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of many searches, in order; the workers compute them if there are enough pairs.

        Raises
        ------
        EngineError
            If a worker fails, or workers lose their images again and again.
        CorruptThumbnailsError
            If workers cannot read thumbnails.
        PixelsUnavailableError
            If a worker cannot read an image file (profile `original`).
        """
        if not requests or not is_worth_sending(requests, self._scoring, min_pairs=_PAIRS_WORTH_SENDING):
            return self._local_searcher.search_many(requests)
        share_count = min(self.workers, len(requests))
        while len(self._worker_states) < share_count:
            self._worker_states.append(_WorkerState(np.zeros(len(self._ranked), dtype=bool)))
        shares = {worker: tuple(requests[worker::share_count]) for worker in range(share_count)}
        matches: dict[int, tuple[Match, ...]] = {}
        for worker in shares:
            self._worker_states[worker].attempts = 0
        while len(matches) < share_count:
            sent_tasks: deque[_SentTask] = deque()
            tasks = self._tasks(
                [(worker, share) for worker, share in shares.items() if worker not in matches], sent_tasks
            )
            for response in self._executor.map_with_affinity(search_remote, tasks):
                sent_task, result = sent_tasks.popleft(), unwrap(response)
                self._apply_result(self._worker_states[sent_task.worker], sent_task.image_indices, result)
                if sent_task.has_searches and not result.missing:
                    matches[sent_task.worker] = result.matches
        return [matches[index % share_count][index // share_count] for index in range(len(requests))]

    def _tasks(
        self, shares: Iterable[tuple[int, tuple[SearchRequest, ...]]], sent_tasks: "deque[_SentTask]"
    ) -> Iterator[tuple[int, RemoteSearchTask]]:
        """The next task of each worker, by its number, built when it is about to be sent. What is needed to read the
        result is appended to `sent_tasks`."""
        for worker, share in shares:
            task = self._task(self._worker_states[worker], share)
            sent_tasks.append(_SentTask(worker, tuple(index for index, _ in task.images), bool(task.searches)))
            yield worker, task

    def _task(self, state: _WorkerState, share: tuple[SearchRequest, ...]) -> RemoteSearchTask:
        """The next task of a worker: missing images and, if it then has all that its share needs, the searches."""
        needed = np.unique(np.concatenate([np.append(keepers, index) for index, keepers in share]))
        missing = needed[~state.has_image[needed]]
        to_send = missing[:_MAX_IMAGES_PER_TASK].tolist()
        dropped, state.drops_sent = tuple(self._dropped[state.drops_sent :]), len(self._dropped)
        images = (
            zip(to_send, self._image_source([self._ranked[index] for index in to_send]), strict=True) if to_send else ()
        )
        return RemoteSearchTask(
            self._camera,
            len(self._ranked),
            self._capacity_bytes,
            tuple(images),
            tuple(index for index in dropped if state.has_image[index]),
            share if len(to_send) == len(missing) else (),
            self._scoring,
        )

    def _apply_result(self, state: _WorkerState, sent_indices: Sequence[int], result: RemoteSearchResult) -> None:
        """Notes which images a worker has by its result; raises if some are unavailable or it restarts too often."""
        if result.problems:
            self._raise_unavailable(result.problems)
        is_new_buffer = result.buffer_name != state.buffer_name
        has_restarted = is_new_buffer and bool(state.buffer_name)
        if is_new_buffer:
            state.has_image[:] = False
            state.buffer_name = result.buffer_name
        state.has_image[list(sent_indices)] = True
        state.has_image[list(result.missing)] = False
        state.attempts += has_restarted or bool(result.missing)
        if state.attempts > _MAX_ATTEMPTS:
            raise EngineError("the workers of the cluster end again and again; the same command goes on later")

    def _raise_unavailable(self, problems: Sequence[tuple[int, str]]) -> None:
        if not self._scoring.native:
            raise CorruptThumbnailsError([self._ranked[index].id for index, _ in problems])
        index, reason = problems[0]
        raise PixelsUnavailableError(f"{self._ranked[index].path!a}: {reason}")


def cached_thumbnails(fetch: Fetch) -> ImageSource:
    """Thumbnails as they are cached in the index.

    Loading raises `CorruptThumbnailsError` if some are gone.
    """

    def load(images: Sequence[Image]) -> Sequence[EncodedThumbnail | ImageFile]:
        data: Mapping[int, bytes] = fetch([image.id for image in images])
        uncached_ids = [image.id for image in images if image.id not in data]
        if uncached_ids:  # dropped by another compare that found them corrupt
            raise CorruptThumbnailsError(uncached_ids)
        return [EncodedThumbnail(image.shape or (0, 0), data[image.id]) for image in images]

    return load


def remote_image_files(
    mask: Mask, *, levels: Levels | None, limits: Limits, map_path: Callable[[str], str]
) -> ImageSource:
    """Image files at native size, which workers read themselves; `map_path` gives the path on a worker."""

    def load(images: Sequence[Image]) -> Sequence[EncodedThumbnail | ImageFile]:
        return [ImageFile(map_path(image.path), image.content_hash, mask, limits, levels) for image in images]

    return load
