"""Where the searches of a walk are carried out: in this process, or by workers that see the same shelf.

It promises an answer to each search, in order, the same wherever it was found. It knows neither what the answers mean
nor what is already known of a pair.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from indexer.domain.keeper_index import IndexArray
from indexer.execution import Map
from indexer.imaging.matching import Match, Measure, match, match_each
from indexer.workflows.compare.prepared_images import PreparedImages, found_by

_PAIRS_WORTH_SENDING = 2048

Asked = tuple[int, IndexArray]
"""A search: the place of an image, and those of keepers in the order to be met."""


class Searches(Protocol):
    """The searches of one camera under one measure; images go by their places in rank order."""

    @property
    def workers(self) -> int:
        """How many workers share them."""
        ...

    def here(self, place: int, others: IndexArray) -> Match:
        """One search, in this process."""
        ...

    def answers(self, asked: Sequence[Asked]) -> Iterable[Match]:
        """Many searches, wherever that is best."""
        ...

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        ...


class AtHand:
    """Searches among prepared images that all workers see."""

    def __init__(self, prepared: PreparedImages, *, measure: Measure, spread: Map) -> None:
        self._prepared = prepared
        self._measure = measure
        self._spread = spread

    @property
    def workers(self) -> int:
        """How many workers share them."""
        return self._spread.workers

    def here(self, place: int, others: IndexArray) -> Match:
        """One search, in this process."""
        return match(self._prepared.task(place, others, self._measure))

    def answers(self, asked: Sequence[Asked]) -> Iterable[Match]:
        """Many searches, by the workers where that is worth the way; each is sent one share of the tasks."""
        tasks = [self._prepared.task(place, chunk, self._measure) for place, chunk in asked]
        if not is_worth_sending(asked, self._measure, pairs=_PAIRS_WORTH_SENDING):
            return map(match, tasks)
        shares = [tuple(tasks[number :: self.workers]) for number in range(self.workers)]
        answers = [iter(found_by(answer)) for answer in self._spread(match_each, shares)]
        return [next(answers[number % len(answers)]) for number in range(len(tasks))]

    def drop(self, place: int) -> None:
        """Says that an image will not be asked for again."""
        self._prepared.drop(place)


def is_worth_sending(asked: Sequence[Asked], measure: Measure, *, pairs: int) -> bool:
    """Whether workers would answer sooner than this process: so many pairs are worth the way, and any whole picture."""
    return measure.native or sum(len(chunk) for _, chunk in asked) >= pairs
