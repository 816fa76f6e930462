"""The decision rule: which images of a camera are kept, and which kept image stands for each of the others.

It promises the lexicographically first maximal independent set in rank order, with the nearest similar keeper as
witness, found again incrementally with the same result as from scratch. It does not know how two images are compared:
whoever walks answers `Search` objects.

Decision: *what was decided before is knowledge about pairs.* Two images that both kept at the last decision differ,
unless both were pinned; a duplicate differs from every keeper that stood above it and nearer than its own. So an
unchanged image only meets keepers that are new since. What this costs: the previous decisions must all be of one
profile and one moment, which holds because a camera's decisions change in one transaction, and whatever changes the
premises of a decision (another name, a return, a verdict) takes the decision back; that of a keeper falls with those
of all duplicates that name it. Enforced by tests/domain/test_selection.py against a brute force.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.domain.images import Image
from indexer.domain.keeper_index import TIMELESS, Keepers, Places, distances

Verdict = Literal["keep", "duplicate"]


class Reason(StrEnum):
    """Why an image is kept (`new`, `pinned`) or a duplicate (`similar`, `identical`, `verdict`)."""

    NEW = "new"
    PINNED = "pinned"
    SIMILAR = "similar"
    IDENTICAL = "identical"
    VERDICT = "verdict"


@dataclass(frozen=True)
class Decision:
    """What was decided of one image: kept, or a duplicate of `keeper_id` with the score of that pair (None: a
    verdict)."""

    image_id: int
    reason: Reason
    keeper_id: int | None = None
    score: float | None = None

    @property
    def keeps(self) -> bool:
        """Whether the image is kept."""
        return self.keeper_id is None


def pair_of(image_a_id: int, image_b_id: int) -> tuple[int, int]:
    """The key of a pair, whichever way round: the smaller id first."""
    return min(image_a_id, image_b_id), max(image_a_id, image_b_id)


@dataclass(frozen=True)
class Search:
    """An image whose keeper is asked for: which keeper that it must meet, in order of nearness, is the first similar
    one?

    `place` is its place in rank order, `before` the decision that stands if none is; `nearest` the place of that
    decision's keeper.
    """

    image: Image
    place: int
    before: Decision | None
    nearest: int | None


class Walk:
    """One camera's present images, walked down the ranks block by block while its keepers become known.

    `before` holds the current decisions of these images, all of the profile in force and of one moment. The images of a
    block may be searched at the same time: `candidates` are the keepers known when that is asked, `late` those of the
    block itself. With blocks of one image `late` is always empty. Keepers are told by their places in `ranked`.
    """

    def __init__(self, images: Iterable[Image], *, before: Mapping[int, Decision]) -> None:
        self.ranked = sorted(images, key=lambda image: image.rank)
        self.place_of = {image.id: place for place, image in enumerate(self.ranked)}
        # An image that lost its pin may have fallen below others: as if it had never been decided.
        self._before = {
            image.id: before[image.id]
            for image in self.ranked
            if image.id in before and (image.pinned or before[image.id].reason is not Reason.PINNED)
        }
        times = [TIMELESS if image.captured_us is None else image.captured_us for image in self.ranked]
        self._times_us = np.array(times, dtype=np.int64)
        self._pool, self._new, self._new_or_raised, self._late = (Keepers(self._times_us) for _ in range(4))
        self._kept = [False] * len(self.ranked)
        self.decisions: list[Decision] = []

    def __len__(self) -> int:
        return len(self.ranked)

    @property
    def undecided(self) -> list[int]:
        """The places of the images that must be searched whatever their keepers do, in the order in which they will
        be."""
        return [place for place, image in enumerate(self.ranked) if image.id not in self._before]

    def keeps(self, place: int) -> bool:
        """Whether an image has been found to be kept, in this walk."""
        return self._kept[place]

    def blocks(self, *, size: int) -> Iterator[list[Search]]:
        """The searches of the next images in rank order; `settle` every one, in order, before the next block."""
        block: list[Search] = []
        waiting: set[int] = set()
        for place, image in enumerate(self.ranked):
            before = self._before.get(image.id)
            if len(block) == size or (before is not None and before.keeper_id in waiting):
                yield block
                self._late, block, waiting = Keepers(self._times_us), [], set()
            block.append(self._search(place, before))
            waiting.add(image.id)
        if block:
            yield block

    def candidates(self, search: Search) -> Iterator[Places]:
        """The keepers known now that this image must meet, nearest first."""
        if search.image.pinned:
            return iter(())
        if search.before is None:
            pool = self._pool
        elif search.before.keeps:
            pool = self._new
        else:
            pool = self._new_or_raised
        return self._nearer(pool.outward(search.place), search, search.nearest)

    def late(self, search: Search, *, found: int | None) -> Iterator[Places]:
        """The keepers of this block that the image must meet before the one found for it, nearest first."""
        if search.image.pinned or not len(self._late):
            return iter(())
        bound = search.nearest if found is None else found
        news = (
            np.array([place for place in places if self._is_news(int(place), search.before)], dtype=np.int64)
            for places in self._late.outward(search.place)
        )
        return self._nearer(news, search, bound)

    def nearer(self, search: Search, places: Places, *, than: int) -> NDArray[np.bool_]:
        """Which keepers are nearer to an image than another keeper."""
        ends = distances(self._times_us, search.place, np.array([than]))[0], than
        away = distances(self._times_us, search.place, places)
        nearer: NDArray[np.bool_] = (away < ends[0]) | ((away == ends[0]) & (places < ends[1]))
        return nearer

    def settle(self, search: Search, found: Decision | None) -> None:
        """Takes what was found for an image; None means that no keeper it had to meet is similar."""
        image = search.image
        if image.pinned:
            decision = Decision(image.id, Reason.PINNED)
        elif found is not None:
            decision = found
        elif search.before is not None and not search.before.keeps:
            decision = search.before
        else:
            decision = Decision(image.id, Reason.NEW)
        self.decisions.append(decision)
        if decision.keeps:
            self._keep(search.place)

    def _nearer(self, chunks: Iterator[Places], search: Search, bound: int | None) -> Iterator[Places]:
        """The keepers before one that bounds the search."""
        for places in chunks:
            if bound is None:
                yield places
                continue
            within = places[self.nearer(search, places, than=bound)]
            yield within
            if len(within) < len(places):
                return

    def _search(self, place: int, before: Decision | None) -> Search:
        image = self.ranked[place]
        if before is None or before.keeper_id is None:
            return Search(image, place, before, None)
        keeper = self.place_of.get(before.keeper_id)
        # A keeper that is itself decided again may be farther or lower by now than others that were never met.
        if keeper is None or not self._kept[keeper] or not self._kept_before(keeper):
            return Search(image, place, None, None)
        return Search(image, place, before, keeper)

    def _keep(self, place: int) -> None:
        self._kept[place] = True
        self._pool.add(place)
        self._late.add(place)
        if not self._kept_before(place):
            self._new.add(place)
        if not self._kept_before(place) or self._is_raised(place):
            self._new_or_raised.add(place)

    def _is_news(self, place: int, before: Decision | None) -> bool:
        """Whether an image with this decision has not met the keeper yet, or not from below."""
        if before is None or not self._kept_before(place):
            return True
        return not before.keeps and self._is_raised(place)

    def _kept_before(self, place: int) -> bool:
        decision = self._before.get(self.ranked[place].id)
        return decision is not None and decision.keeps

    def _is_raised(self, place: int) -> bool:
        """Whether a pin lifted the image above others since it was decided."""
        image = self.ranked[place]
        return image.pinned and image.id in self._before and self._before[image.id].reason is not Reason.PINNED
