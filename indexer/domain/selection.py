"""The decision rule: which images of a camera are kept, and which kept image stands for each of the others.

It promises the lexicographically first maximal independent set in rank order, with the nearest similar keeper as
witness. An incremental selection gives the same result as one from scratch. It does not know how two images are
compared: the caller answers `Search` objects.

Decision 0005: previous decisions are knowledge about pairs, so an unchanged image meets new keepers only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.decisions import Decision as Decision
from indexer.domain.decisions import Reason as Reason
from indexer.domain.decisions import Verdict as Verdict
from indexer.domain.decisions import ordered_pair as ordered_pair
from indexer.domain.images import Image
from indexer.domain.keeper_index import NO_TIME, IndexArray, KeeperIndex, distances_us


@dataclass(frozen=True)
class Search:
    """An image whose keeper is searched: the first similar one of the keepers to compare with, the nearest first.

    `index` is the image's index in rank order. `previous` is its decision until now, or None. A previous *duplicate*
    stands if the search finds no match. `previous_keeper_index` is the index of that decision's keeper.
    """

    image: Image
    index: int
    previous: Decision | None
    previous_keeper_index: int | None


class Selection:
    """The selection of one camera: its present images in rank order, block by block, and the keepers known so far.

    `previous` holds the current decisions of these images, all of the profile in force and of one point in time. The
    searches of a block may run at the same time: `candidates` are the keepers known at the time of the call,
    `block_keepers` those of the block itself. With blocks of one image `block_keepers` is always empty. A keeper is
    identified by its index in `ranked`.
    """

    def __init__(self, images: Iterable[Image], *, previous: Mapping[int, Decision]) -> None:
        self.ranked = sorted(images, key=lambda image: image.rank)
        self.index_of = {image.id: index for index, image in enumerate(self.ranked)}
        # An image that lost its pin may now rank below others, so it counts as never decided.
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
        """The indices of the images without a usable previous decision, in rank order: each must be searched."""
        return [index for index, image in enumerate(self.ranked) if image.id not in self._previous]

    def is_kept(self, index: int) -> bool:
        """Whether this selection has already decided to keep an image."""
        return self._kept[index]

    def blocks(self, *, size: int) -> Iterator[list[Search]]:
        """The searches of all images in rank order, in blocks of at most `size`.

        The caller must resolve every search of a block, in order, before it takes the next block. A block ends before
        an image whose previous keeper is in the block.
        """
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
        """The keepers known now that this image must be compared with, in chunks, nearest first."""
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
        """The keepers of this block that the image must be compared with, in chunks, nearest first.

        Each is nearer than `match_index`, the keeper that the search matched. If that is None, each is nearer than the
        previous keeper, if there is one.
        """
        if search.image.pinned or not len(self._block_keepers):
            return iter(())
        bound = search.previous_keeper_index if match_index is None else match_index
        unmet = (
            np.array([index for index in indices if self._is_new_to(int(index), search.previous)], dtype=np.int64)
            for indices in self._block_keepers.iter_nearest(search.index)
        )
        return self._within_bound(unmet, search, bound)

    def nearer(self, search: Search, indices: IndexArray, *, than: int) -> NDArray[np.bool_]:
        """Which of the keepers `indices` are nearer to an image than the keeper `than`: (M,), bool.

        Of two keepers at equal distance the one of higher rank is nearer.
        """
        bound = distances_us(self._times_us, search.index, np.array([than]))[0], than
        distance_us = distances_us(self._times_us, search.index, indices)
        nearer: NDArray[np.bool_] = (distance_us < bound[0]) | ((distance_us == bound[0]) & (indices < bound[1]))
        return nearer

    def resolve(self, search: Search, match: Decision | None) -> None:
        """Decides an image by the result of its search; `match` is None if no compared keeper is similar."""
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
        """The keepers that are nearer than the keeper `bound`; all if it is None."""
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
        # If the keeper itself was decided again, keepers that were never compared may be nearer or rank higher.
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
        """Whether an image with the decision `previous` was never compared with the keeper, or ranked above it then."""
        if previous is None or not self._was_kept(index):
            return True
        return not previous.keeps and self._was_promoted(index)

    def _was_kept(self, index: int) -> bool:
        decision = self._previous.get(self.ranked[index].id)
        return decision is not None and decision.keeps

    def _was_promoted(self, index: int) -> bool:
        """Whether a pin raised the image's rank since it was decided."""
        image = self.ranked[index]
        return image.pinned and image.id in self._previous and self._previous[image.id].reason is not Reason.PINNED
