"""Runs the searches of a selection: in this process, or by workers that map the same image buffer.

It promises one match per search, in order, and the same match wherever it was computed. It knows neither what a match
means nor what is already known of a pair.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.execution import ParallelMap
from indexer.imaging.matching import Match, match, match_each
from indexer.workflows.compare.prepared_images import PreparedImages
from indexer.workflows.context import unwrap

PAIRS_WORTH_SENDING = 2048

SearchRequest = tuple[int, IndexArray]
"""A search: the index of an image, and the indices of keepers in the order to compare them; indices in rank order."""


class Searcher(Protocol):
    """Runs the searches of one camera under one set of scoring parameters; images go by their index in rank order."""

    @property
    def workers(self) -> int:
        """How many workers share the searches."""
        ...

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search, computed in this process."""
        ...

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of many searches, in order, computed where that is fastest."""
        ...

    def prove(self, index: int, others: IndexArray) -> NDArray[np.bool_]:
        """Which of `others` are proved, without their pixels, to be above the record limit: (M,), bool."""
        ...

    def drop(self, index: int) -> None:
        """Frees an image: no later search needs it."""
        ...

    def close(self) -> None:
        """Frees what workers hold for this camera: no search follows."""
        ...


class LocalSearcher:
    """Searches among prepared images that all workers of this machine can map."""

    def __init__(self, prepared: PreparedImages, *, scoring: ScoringParameters, executor: ParallelMap) -> None:
        self._prepared = prepared
        self._scoring = scoring
        self._executor = executor

    @property
    def workers(self) -> int:
        """How many workers share the searches."""
        return self._executor.workers

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search, computed in this process."""
        return match(self._prepared.task(index, others, self._scoring))

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of many searches, in order.

        The workers compute them if there are enough pairs; each then gets one batch of the tasks.
        """
        tasks = [self._prepared.task(index, chunk, self._scoring) for index, chunk in requests]
        if not is_worth_sending(requests, self._scoring, min_pairs=PAIRS_WORTH_SENDING):
            return map(match, tasks)
        batches = [tuple(tasks[number :: self.workers]) for number in range(self.workers)]
        match_iterators = [iter(unwrap(batch_matches)) for batch_matches in self._executor(match_each, batches)]
        return [next(match_iterators[number % len(match_iterators)]) for number in range(len(tasks))]

    def prove(self, index: int, others: IndexArray) -> NDArray[np.bool_]:
        """None of them."""
        return np.zeros(len(others), dtype=np.bool_)

    def drop(self, index: int) -> None:
        """Frees an image: no later search needs it."""
        self._prepared.drop(index)

    def close(self) -> None:
        """Does nothing: workers of this machine hold no images."""


def is_worth_sending(requests: Sequence[SearchRequest], scoring: ScoringParameters, *, min_pairs: int) -> bool:
    """Whether workers are faster than this process: from `min_pairs` pairs on, and always at native size."""
    return scoring.native or sum(len(chunk) for _, chunk in requests) >= min_pairs
