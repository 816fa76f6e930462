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

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import takewhile
from math import inf
from typing import Literal

from indexer.domain.images import Image

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


Rank = tuple[object, ...]
Nearness = tuple[float, Rank]
"""How near a keeper is to an image: distance in microseconds (infinite without a time), then the keeper's rank."""


def pair_of(image_a_id: int, image_b_id: int) -> tuple[int, int]:
    """The key of a pair, whichever way round: the smaller id first."""
    return min(image_a_id, image_b_id), max(image_a_id, image_b_id)


def nearness(image: Image, keeper: Image) -> Nearness:
    """Sorts keepers from the most convincing witness of an image outwards."""
    here_us, there_us = image.captured_us, keeper.captured_us
    distance_us = inf if here_us is None or there_us is None else abs(here_us - there_us)
    return distance_us, keeper.rank


class Keepers:
    """Kept images of a camera, to be walked outward in time from any image."""

    def __init__(self) -> None:
        self._by_id: dict[int, Image] = {}
        self._times: list[int] = []  # of `_timed`, place by place, in microseconds
        self._timed: list[Image] = []
        self._timeless: list[Image] = []

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._by_id

    def __getitem__(self, image_id: int) -> Image:
        return self._by_id[image_id]

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, image: Image) -> None:
        """Takes one more image."""
        self._by_id[image.id] = image
        time_us = image.captured_us
        if time_us is None:
            insort(self._timeless, image, key=lambda keeper: keeper.rank)
        else:
            begin, end = bisect_left(self._times, time_us), bisect_right(self._times, time_us)
            place = bisect_left(self._timed, image.rank, begin, end, key=lambda keeper: keeper.rank)
            self._times.insert(place, time_us)
            self._timed.insert(place, image)

    def outward(self, image: Image) -> Iterator[Image]:
        """The keepers in order of `nearness` to an image, found lazily; none may be taken meanwhile."""
        here = image.captured_us
        if here is None:
            by_rank = sorted(self._timed, key=lambda keeper: keeper.rank)
            yield from merge(by_rank, self._timeless, key=lambda keeper: keeper.rank)
            return
        # Every pair of a camera passes here: two places that move apart, and nothing called for most of the steps.
        times, timed = self._times, self._timed
        begin = end = bisect_left(times, here)
        while begin > 0 and end < len(times):
            lead, lag = here - times[begin - 1], times[end] - here
            if lag < lead:
                yield timed[end]
                end += 1
            else:
                first = self._first_of(begin - 1)
                last = bisect_right(times, times[end], end) if lag == lead else end
                if first == begin - 1 and last == end:
                    yield timed[first]
                else:
                    yield from merge(timed[first:begin], timed[end:last], key=lambda keeper: keeper.rank)
                begin, end = first, last
        while begin > 0:
            first = self._first_of(begin - 1)
            yield from timed[first:begin]
            begin = first
        yield from timed[end:]
        yield from self._timeless

    def _first_of(self, place: int) -> int:
        """The first place with the time of this one."""
        while place > 0 and self._times[place - 1] == self._times[place]:
            place -= 1
        return place


@dataclass(frozen=True)
class Search:
    """An image whose keeper is asked for: which keeper that it must meet, in order of nearness, is the first similar
    one?

    `before` is the decision that stands if none is; `bound` the nearness of that decision's keeper.
    """

    image: Image
    before: Decision | None
    bound: Nearness | None


class Walk:
    """One camera's present images, walked down the ranks block by block while its keepers become known.

    `before` holds the current decisions of these images, all of the profile in force and of one moment. The images of a
    block may be searched at the same time: `candidates` are the keepers known when the block began, `late` those of the
    block itself. With blocks of one image `late` is always empty.
    """

    def __init__(self, images: Iterable[Image], *, before: Mapping[int, Decision]) -> None:
        self._ranked = sorted(images, key=lambda image: image.rank)
        # An image that lost its pin may have fallen below others: as if it had never been decided.
        self._before = {
            image.id: before[image.id]
            for image in self._ranked
            if image.id in before and (image.pinned or before[image.id].reason is not Reason.PINNED)
        }
        self.keepers, self._new, self._new_or_raised = Keepers(), Keepers(), Keepers()
        self._late = Keepers()
        self.decisions: list[Decision] = []

    def __len__(self) -> int:
        return len(self._ranked)

    @property
    def undecided(self) -> list[int]:
        """The images that must be searched whatever their keepers do, in the order in which they will be."""
        return [image.id for image in self._ranked if image.id not in self._before]

    def blocks(self, *, size: int) -> Iterator[list[Search]]:
        """The searches of the next images in rank order; `settle` every one, in order, before the next block."""
        block: list[Search] = []
        waiting: set[int] = set()
        for image in self._ranked:
            before = self._before.get(image.id)
            if len(block) == size or (before is not None and before.keeper_id in waiting):
                yield block
                self._late, block, waiting = Keepers(), [], set()
            block.append(self._search(image, before))
            waiting.add(image.id)
        if block:
            yield block

    def candidates(self, search: Search) -> Iterator[Image]:
        """The keepers known when the block began that this image must meet, nearest first."""
        if search.image.pinned:
            return iter(())
        if search.before is None:
            pool = self.keepers
        elif search.before.keeps:
            pool = self._new
        else:
            pool = self._new_or_raised
        return _nearer(pool.outward(search.image), search.image, search.bound)

    def late(self, search: Search, *, found: Image | None) -> Iterator[Image]:
        """The keepers of this block that the image must meet before the one found for it, nearest first."""
        if search.image.pinned:
            return iter(())
        bound = search.bound if found is None else nearness(search.image, found)
        met = (keeper for keeper in self._late.outward(search.image) if self._is_news(keeper, search.before))
        return _nearer(met, search.image, bound)

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
            self._keep(image)

    def _search(self, image: Image, before: Decision | None) -> Search:
        if before is None or before.keeper_id is None:
            return Search(image, before, None)
        keeper_id = before.keeper_id
        # A keeper that is itself decided again may be farther or lower by now than others that were never met.
        if keeper_id not in self.keepers or not self._kept_before(self.keepers[keeper_id]):
            return Search(image, None, None)
        return Search(image, before, nearness(image, self.keepers[keeper_id]))

    def _keep(self, image: Image) -> None:
        self.keepers.add(image)
        self._late.add(image)
        if not self._kept_before(image):
            self._new.add(image)
        if not self._kept_before(image) or self._is_raised(image):
            self._new_or_raised.add(image)

    def _is_news(self, keeper: Image, before: Decision | None) -> bool:
        """Whether an image with this decision has not met the keeper yet, or not from below."""
        if before is None or not self._kept_before(keeper):
            return True
        return not before.keeps and self._is_raised(keeper)

    def _kept_before(self, image: Image) -> bool:
        return image.id in self._before and self._before[image.id].keeps

    def _is_raised(self, image: Image) -> bool:
        """Whether a pin lifted the image above others since it was decided."""
        return image.pinned and image.id in self._before and self._before[image.id].reason is not Reason.PINNED


def _nearer(keepers: Iterator[Image], image: Image, bound: Nearness | None) -> Iterator[Image]:
    return keepers if bound is None else takewhile(lambda keeper: nearness(image, keeper) < bound, keepers)
