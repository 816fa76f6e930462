"""Where the searches of a walk are carried out: in this process, or by workers that see the same shelf.

It promises an answer to each search, in order, the same wherever it was found. It knows neither what the answers mean
nor what is already known of a pair.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from indexer.domain.keeper_index import IndexArray
from indexer.execution import ParallelMap
from indexer.imaging.matching import Match, ScoringParameters, match, match_each
from indexer.workflows.compare.prepared_images import PreparedImages
from indexer.workflows.context import unwrap

_PAIRS_WORTH_SENDING = 2048

SearchRequest = tuple[int, IndexArray]
"""A search: the place of an image, and those of keepers in the order to be met."""


class Searcher(Protocol):
    """The searches of one camera under one measure; images go by their places in rank order."""

    @property
    def workers(self) -> int:
        """How many workers share them."""
        ...

    def search_local(self, index: int, others: IndexArray) -> Match:
        """One search, in this process."""
        ...

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """Many searches, wherever that is best."""
        ...

    def drop(self, index: int) -> None:
        """Says that an image will not be asked for again."""
        ...


class LocalSearcher:
    """Searches among prepared images that all workers see."""

    def __init__(self, prepared: PreparedImages, *, scoring: ScoringParameters, executor: ParallelMap) -> None:
        self._prepared = prepared
        self._scoring = scoring
        self._executor = executor

    @property
    def workers(self) -> int:
        """How many workers share them."""
        return self._executor.workers

    def search_local(self, index: int, others: IndexArray) -> Match:
        """One search, in this process."""
        return match(self._prepared.task(index, others, self._scoring))

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """Many searches, by the workers where that is worth the way; each is sent one share of the tasks."""
        tasks = [self._prepared.task(index, chunk, self._scoring) for index, chunk in requests]
        if not is_worth_sending(requests, self._scoring, min_pairs=_PAIRS_WORTH_SENDING):
            return map(match, tasks)
        batches = [tuple(tasks[number :: self.workers]) for number in range(self.workers)]
        match_iterators = [iter(unwrap(batch_matches)) for batch_matches in self._executor(match_each, batches)]
        return [next(match_iterators[number % len(match_iterators)]) for number in range(len(tasks))]

    def drop(self, index: int) -> None:
        """Says that an image will not be asked for again."""
        self._prepared.drop(index)


def is_worth_sending(requests: Sequence[SearchRequest], scoring: ScoringParameters, *, min_pairs: int) -> bool:
    """Whether workers would answer sooner than this process: so many pairs are worth the way, and any whole picture."""
    return scoring.native or sum(len(chunk) for _, chunk in requests) >= min_pairs
