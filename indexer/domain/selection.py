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
from indexer.domain.keeper_index import NO_TIME, IndexArray, KeeperIndex, distances_us

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


def ordered_pair(image_a_id: int, image_b_id: int) -> tuple[int, int]:
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
    index: int
    previous: Decision | None
    previous_keeper_index: int | None


class Selection:
    """One camera's present images, walked down the ranks block by block while its keepers become known.

    `before` holds the current decisions of these images, all of the profile in force and of one moment. The images of a
    block may be searched at the same time: `candidates` are the keepers known when that is asked, `late` those of the
    block itself. With blocks of one image `late` is always empty. Keepers are told by their places in `ranked`.
    """

    def __init__(self, images: Iterable[Image], *, previous: Mapping[int, Decision]) -> None:
        self.ranked = sorted(images, key=lambda image: image.rank)
        self.index_of = {image.id: index for index, image in enumerate(self.ranked)}
        # An image that lost its pin may have fallen below others: as if it had never been decided.
        self._previous = {
            image.id: previous[image.id]
            for image in self.ranked
            if image.id in previous and (image.pinned or previous[image.id].reason is not Reason.PINNED)
        }
        times = [NO_TIME if image.captured_us is None else image.captured_us for image in self.ranked]
        self._times_us = np.array(times, dtype=np.int64)
        self._keepers, self._new_keepers, self._new_or_promoted_keepers, self._block_keepers = (
            KeeperIndex(self._times_us) for _ in range(4)
        )
        self._kept = [False] * len(self.ranked)
        self.decisions: list[Decision] = []

    def __len__(self) -> int:
        return len(self.ranked)

    @property
    def undecided(self) -> list[int]:
        """The places of the images that must be searched whatever their keepers do, in the order in which they will
        be."""
        return [index for index, image in enumerate(self.ranked) if image.id not in self._previous]

    def is_kept(self, index: int) -> bool:
        """Whether an image has been found to be kept, in this walk."""
        return self._kept[index]

    def blocks(self, *, size: int) -> Iterator[list[Search]]:
        """The searches of the next images in rank order; `settle` every one, in order, before the next block."""
        block: list[Search] = []
        block_ids: set[int] = set()
        for index, image in enumerate(self.ranked):
            previous = self._previous.get(image.id)
            if len(block) == size or (previous is not None and previous.keeper_id in block_ids):
                yield block
                self._block_keepers, block, block_ids = KeeperIndex(self._times_us), [], set()
            block.append(self._make_search(index, previous))
            block_ids.add(image.id)
        if block:
            yield block

    def candidates(self, search: Search) -> Iterator[IndexArray]:
        """The keepers known now that this image must meet, nearest first."""
        if search.image.pinned:
            return iter(())
        if search.previous is None:
            keepers = self._keepers
        elif search.previous.keeps:
            keepers = self._new_keepers
        else:
            keepers = self._new_or_promoted_keepers
        return self._within_bound(keepers.iter_nearest(search.index), search, search.previous_keeper_index)

    def block_keepers(self, search: Search, *, match_index: int | None) -> Iterator[IndexArray]:
        """The keepers of this block that the image must meet before the one found for it, nearest first."""
        if search.image.pinned or not len(self._block_keepers):
            return iter(())
        bound = search.previous_keeper_index if match_index is None else match_index
        unmet = (
            np.array([index for index in indices if self._is_new_to(int(index), search.previous)], dtype=np.int64)
            for indices in self._block_keepers.iter_nearest(search.index)
        )
        return self._within_bound(unmet, search, bound)

    def nearer(self, search: Search, indices: IndexArray, *, than: int) -> NDArray[np.bool_]:
        """Which keepers are nearer to an image than another keeper."""
        bound = distances_us(self._times_us, search.index, np.array([than]))[0], than
        distance_us = distances_us(self._times_us, search.index, indices)
        nearer: NDArray[np.bool_] = (distance_us < bound[0]) | ((distance_us == bound[0]) & (indices < bound[1]))
        return nearer

    def resolve(self, search: Search, match: Decision | None) -> None:
        """Takes what was found for an image; None means that no keeper it had to meet is similar."""
        image = search.image
        if image.pinned:
            decision = Decision(image.id, Reason.PINNED)
        elif match is not None:
            decision = match
        elif search.previous is not None and not search.previous.keeps:
            decision = search.previous
        else:
            decision = Decision(image.id, Reason.NEW)
        self.decisions.append(decision)
        if decision.keeps:
            self._add_keeper(search.index)

    def _within_bound(self, chunks: Iterator[IndexArray], search: Search, bound: int | None) -> Iterator[IndexArray]:
        """The keepers before one that bounds the search."""
        for indices in chunks:
            if bound is None:
                yield indices
                continue
            within = indices[self.nearer(search, indices, than=bound)]
            yield within
            if len(within) < len(indices):
                return

    def _make_search(self, index: int, previous: Decision | None) -> Search:
        image = self.ranked[index]
        if previous is None or previous.keeper_id is None:
            return Search(image, index, previous, None)
        keeper = self.index_of.get(previous.keeper_id)
        # A keeper that is itself decided again may be farther or lower by now than others that were never met.
        if keeper is None or not self._kept[keeper] or not self._was_kept(keeper):
            return Search(image, index, None, None)
        return Search(image, index, previous, keeper)

    def _add_keeper(self, index: int) -> None:
        self._kept[index] = True
        self._keepers.add(index)
        self._block_keepers.add(index)
        if not self._was_kept(index):
            self._new_keepers.add(index)
        if not self._was_kept(index) or self._was_promoted(index):
            self._new_or_promoted_keepers.add(index)

    def _is_new_to(self, index: int, previous: Decision | None) -> bool:
        """Whether an image with this decision has not met the keeper yet, or not from below."""
        if previous is None or not self._was_kept(index):
            return True
        return not previous.keeps and self._was_promoted(index)

    def _was_kept(self, index: int) -> bool:
        decision = self._previous.get(self.ranked[index].id)
        return decision is not None and decision.keeps

    def _was_promoted(self, index: int) -> bool:
        """Whether a pin lifted the image above others since it was decided."""
        image = self.ranked[index]
        return image.pinned and image.id in self._previous and self._previous[image.id].reason is not Reason.PINNED
