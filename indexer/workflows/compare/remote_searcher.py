"""Runs the searches of one camera on workers that share no memory with this process.

It promises the matches of `indexer.workflows.compare.searcher`. Each worker holds an image buffer, an actor, and is
sent an image once. If a worker is lost, another one gets its share of the searches, and the images that it lacks. The
data in flight is bounded. Of what was sent, this process keeps only which worker has which image. It decodes the images
itself too, for the searches that are not worth sending.

Decision 0042: searches are divided among workers by their new images, not by keepers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels, Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.domain.masks import Mask
from indexer.errors import EngineError
from indexer.execution import ActorLostError, PendingResult, RemoteActor, RemoteExecutor
from indexer.imaging.matching import Match
from indexer.workflows.compare.prepared_images import CorruptThumbnailsError, Fetch, PixelsUnavailableError
from indexer.workflows.compare.remote_buffer import (
    EncodedThumbnail,
    ImageFile,
    RemoteBuffer,
    RemoteSearchResult,
    RemoteSearchTask,
)
from indexer.workflows.compare.searcher import Searcher, SearchRequest, is_worth_sending

MAX_IMAGES_PER_TASK = 256
"""Images that a worker is sent at a time: some 10 MB."""
MAX_IMAGES_UNDER_WAY = 4096
"""Images on the way to all workers together: some 160 MB. With more than 16 workers each is sent fewer at a time."""
MIN_PAIRS_TO_SEND = 8192
"""Fewer pairs are searched in this process. So many take some 30 ms; with a quarter of that, compare took a fifth
longer on loopback."""
_MAX_LOSSES = 20  # how often workers may be lost while the same searches wait

ImageSource = Callable[[Sequence[Image]], Sequence[EncodedThumbnail | ImageFile]]
"""Returns images in the form in which they are sent to workers."""

_Share = tuple[SearchRequest, ...]
_Matches = tuple[Match, ...]


@dataclass
class _SentBuffer:
    """What this process knows of the buffer of one worker.

    `has_image`: by index, whether it has an image; `drops_sent`: how many of the dropped images it was told.
    """

    actor: RemoteActor[RemoteBuffer]
    has_image: NDArray[np.bool_]
    drops_sent: int = 0


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
        self._ranked = ranked
        self._local_searcher = local_searcher
        self._scoring = scoring
        self._executor = executor
        self._image_source = image_source
        self._capacity_bytes = capacity_bytes
        self._buffers: dict[str, _SentBuffer] = {}
        self._dropped: list[int] = []

    @property
    def workers(self) -> int:
        """How many workers share the searches."""
        return self._executor.workers

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search, computed in this process."""
        return self._local_searcher.search_local(index, others)

    def prove(self, index: int, others: IndexArray) -> NDArray[np.bool_]:
        """None of them."""
        return self._local_searcher.prove(index, others)

    def drop(self, index: int) -> None:
        """Frees an image here and, with its next task, on each worker: no later search needs it."""
        self._local_searcher.drop(index)
        self._dropped.append(index)

    def close(self) -> None:
        """Frees the buffers of all workers."""
        for buffer in self._buffers.values():
            buffer.actor.close()
        self._buffers = {}

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of many searches, in order; the workers compute them if there are enough pairs.

        Raises
        ------
        EngineError
            If workers are lost again and again.
        CorruptThumbnailsError
            If workers cannot read thumbnails.
        PixelsUnavailableError
            If a worker cannot read an image file (profile `original`).
        """
        if not requests or not is_worth_sending(requests, self._scoring, min_pairs=MIN_PAIRS_TO_SEND):
            return self._local_searcher.search_many(requests)
        share_count = min(len(self._executor.actor_workers()), len(requests))
        shares = {number: tuple(requests[number::share_count]) for number in range(share_count)}
        matches: dict[int, _Matches] = {}
        losses = 0
        while len(matches) < share_count:
            remaining = {number: share for number, share in shares.items() if number not in matches}
            found, is_any_lost = self._search_once(remaining)
            matches |= found
            losses += is_any_lost  # a machine with many workers that ends is one loss
            if losses > _MAX_LOSSES:
                raise EngineError(
                    "the workers of the cluster end again and again; type the same command again later: "
                    "it goes on where it stopped"
                )
        return [matches[index % share_count][index // share_count] for index in range(len(requests))]

    def _search_once(self, shares: Mapping[int, _Share]) -> tuple[dict[int, _Matches], bool]:
        """Sends one task to each worker that has a share; returns the matches of the shares that are then complete, and
        whether workers were lost."""
        workers = self._executor.actor_workers()
        # A share keeps its worker, which has its images, while the workers are the same. A worker takes one share at a
        # time: if there are fewer workers than shares, the others wait for the next call.
        share_numbers = {workers[number % len(workers)]: number for number in shares}
        for worker in self._buffers.keys() - set(workers):
            self._buffers.pop(worker).actor.close()
        for worker in share_numbers:
            if worker not in self._buffers:
                self._buffers[worker] = self._start_buffer(worker)
        max_images = max(1, min(MAX_IMAGES_PER_TASK, MAX_IMAGES_UNDER_WAY // len(share_numbers)))
        pending: dict[str, PendingResult[RemoteSearchResult]] = {
            worker: self._send(self._buffers[worker], shares[number], max_images=max_images)
            for worker, number in share_numbers.items()
        }
        matches: dict[int, _Matches] = {}
        for worker, pending_result in pending.items():
            result = self._wait(worker, pending_result)
            if result is not None and result.problems:
                self._raise_unavailable(result.problems)
            if result is not None and result.is_searched:
                matches[share_numbers[worker]] = result.matches
        return matches, any(worker not in self._buffers for worker in share_numbers)

    def _start_buffer(self, worker: str) -> _SentBuffer:
        arguments = len(self._ranked), self._capacity_bytes, self._scoring, self._executor.file_limits
        actor = self._executor.start_actor(worker, RemoteBuffer, *arguments)
        return _SentBuffer(actor, np.zeros(len(self._ranked), dtype=bool))

    def _wait(self, worker: str, pending_result: PendingResult[RemoteSearchResult]) -> RemoteSearchResult | None:
        """The result of a worker's task; None, and its buffer is forgotten, if the worker is lost."""
        try:
            return pending_result.result()
        except ActorLostError:
            self._buffers.pop(worker).actor.close()
            return None

    def _send(self, buffer: _SentBuffer, share: _Share, *, max_images: int) -> PendingResult[RemoteSearchResult]:
        """Sends the next task to a worker: missing images and, if it then has all that it needs, the searches."""
        needed = np.unique(np.concatenate([np.append(keepers, index) for index, keepers in share]))
        missing = needed[~buffer.has_image[needed]]
        to_send = missing[:max_images].tolist()
        dropped = [index for index in self._dropped[buffer.drops_sent :] if buffer.has_image[index]]
        images = self._image_source([self._ranked[index] for index in to_send]) if to_send else ()
        task = RemoteSearchTask(
            tuple(dropped),
            tuple(zip(to_send, images, strict=True)),
            share if len(to_send) == len(missing) else (),
        )
        buffer.drops_sent = len(self._dropped)
        buffer.has_image[dropped] = False
        buffer.has_image[to_send] = True
        return buffer.actor.call(RemoteBuffer.search, task)

    def _raise_unavailable(self, problems: Sequence[tuple[int, str]]) -> None:
        if not self._scoring.native:
            raise CorruptThumbnailsError([self._ranked[index].id for index, _ in problems])
        index, reason = problems[0]
        raise PixelsUnavailableError(f"{self._ranked[index].path!r}: {reason}")


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
