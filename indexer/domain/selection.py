"""The decision rule: which images of a camera are kept, and which kept image stands for each of the others.

It promises the lexicographically first maximal independent set in rank order, with the nearest similar keeper as
witness. An incremental selection gives the same result as one from scratch. It does not know how two images are
compared: the caller answers `Search` objects.

An image is *open* if it must be looked at: it has no usable decision, or it is concerned by a new keeper or by an old
one that is kept no more. The decisions of all other images stand, and cost no search.

Decision 0005: previous decisions are knowledge about pairs, so an unchanged image meets new keepers only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.camera_images import NO_IMAGE, CameraImages, DecisionColumns
from indexer.domain.decisions import Decision as Decision
from indexer.domain.decisions import Reason as Reason
from indexer.domain.decisions import Verdict as Verdict
from indexer.domain.decisions import ordered_pair as ordered_pair
from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray, KeeperIndex, distances_us, pairwise_distances_us

_FIRST_SCAN_SIZE, _SCAN_SIZE = 32, 2**16  # images that are scanned at once for open ones, at first and at most
MAX_OPENING_KEEPERS = 1000
"""New keepers that open the images they concern. Each costs a scan of the camera, so the next one opens all images."""


Differs = Callable[[int, IndexArray], NDArray[np.bool_]]
"""Says of which of some images, (M,), it is proved that they are not similar to a new keeper: (M,), bool."""


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

    `previous` holds the current decisions of these images, all of one point in time; with `profile_id`, those of other
    profiles count for nothing. `new_decisions` are those on the images that were looked at, in rank order.

    The searches of a block may run at the same time: `candidates` are the keepers known at the time of the call,
    `block_keepers` those of the block itself. With blocks of one image `block_keepers` is always empty. A keeper is
    identified by its index in `ranked`. After `max_opening_keepers` new keepers all images are looked at: the result is
    the same.

    `proved_pairs` counts the pairs of an unchanged keeper and a new one that `resolve` was told to differ: nobody
    looks at these keepers.
    """

    def __init__(
        self,
        images: Iterable[Image],
        *,
        previous: Mapping[int, Decision] | DecisionColumns,
        profile_id: int | None = None,
        max_opening_keepers: int = MAX_OPENING_KEEPERS,
    ) -> None:
        self.ranked = CameraImages.of(images).ranked()
        self.index_of = {image_id: index for index, image_id in enumerate(self.ranked.ids.tolist())}
        self._previous = previous if isinstance(previous, DecisionColumns) else DecisionColumns.of(previous)
        self._read_previous(profile_id)
        self._times_us = self.ranked.times_us
        self._keepers, self._new_keepers, self._new_or_promoted_keepers, self._block_keepers = (
            KeeperIndex(self._times_us) for _ in range(4)
        )
        self._is_kept = np.zeros(len(self.ranked), dtype=bool)
        self._position = 0  # all images before it are decided
        self._bounds_us = pairwise_distances_us(self._times_us, self._previous_keepers)
        self._opening_keepers_left = max_opening_keepers
        self._standing_keepers: list[int] = []
        self._proved_counts = np.zeros(len(self.ranked), dtype=np.int64)  # pairs of each image with new keepers
        self.proved_pairs = 0
        self.new_decisions: list[Decision] = []

    def __len__(self) -> int:
        return len(self.ranked)

    @property
    def undecided(self) -> list[int]:
        """The indices of the images without a usable previous decision, in rank order: each must be searched."""
        return np.flatnonzero(self._positions == NO_IMAGE).tolist()

    @property
    def kept_count(self) -> int:
        """How many images this selection has decided to keep so far."""
        return int(np.count_nonzero(self._is_kept))

    @property
    def kept_ids(self) -> list[int]:
        """The ids of the images that this selection has decided to keep so far, in rank order."""
        ids: list[int] = self.ranked.ids[self._is_kept].tolist()
        return ids

    @property
    def opening_keepers(self) -> list[int]:
        """The indices of the keepers so far that are new, or that are pinned now: they open images below them."""
        return np.flatnonzero(self._is_kept & (~self._was_kept | self._was_promoted)).tolist()

    @property
    def standing_keeper_ids(self) -> set[int]:
        """The ids of the keepers so far that were kept before, too: the duplicates that name them need no search."""
        return set(self.ranked.ids[self._is_kept & self._was_kept].tolist())

    @property
    def decisions(self) -> list[Decision]:
        """The decisions on all images decided so far, in rank order."""
        if len(self.new_decisions) == self._position:
            return [*self.new_decisions]
        taken = {decision.image_id: decision for decision in self.new_decisions}
        ids = self.ranked.ids.tolist()
        return [
            taken.get(image_id) or self._previous.decision(position)
            for image_id, position in zip(ids[: self._position], self._positions.tolist(), strict=False)
        ]

    def iter_open(self) -> Iterator[int]:
        """The indices of the open images that are not decided yet, as far as they are known now, in rank order."""
        if self._all_open:
            yield from range(self._position, len(self.ranked))
            return
        begin, size = self._position, _FIRST_SCAN_SIZE
        while begin < len(self.ranked):
            yield from (begin + np.flatnonzero(self._is_open[begin : begin + size])).tolist()
            begin, size = begin + size, min(8 * size, _SCAN_SIZE)

    def take_standing_keepers(self) -> list[int]:
        """The indices of the keepers whose decisions were found to stand since the last call."""
        taken, self._standing_keepers = self._standing_keepers, []
        return taken

    def is_kept(self, index: int) -> bool:
        """Whether this selection has already decided to keep an image."""
        return bool(self._is_kept[index])

    def blocks(self, *, size: int) -> Iterator[list[Search]]:
        """The searches of all open images in rank order, in blocks of at most `size`.

        The caller must resolve every search of a block, in order, before it takes the next block. A block begins with
        an open image, and has the images that follow it. It ends before an image whose previous keeper is in the block.
        """
        while (begin := next(self.iter_open(), len(self.ranked))) < len(self.ranked):
            self._keep_standing(begin)
            self._block_keepers, block, block_ids = KeeperIndex(self._times_us), [], set[int]()
            for index in range(begin, min(begin + size, len(self.ranked))):
                previous = self._find_previous(index)
                if previous is not None and previous.keeper_id in block_ids:
                    break
                block.append(self._make_search(index, previous))
                block_ids.add(self.ranked[index].id)
            yield block
        self._keep_standing(len(self.ranked))

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

    def resolve(self, search: Search, match: Decision | None, *, differs: Differs | None = None) -> None:
        """Decides an image by the result of its search; `match` is None if no compared keeper is similar.

        `differs` is asked of the old keepers below, if the image is a new keeper: those that differ from it need not be
        compared with it.
        """
        image = search.image
        if image.pinned:
            decision = Decision(image.id, Reason.PINNED)
        elif match is not None:
            decision = match
        elif search.previous is not None and not search.previous.keeps:
            decision = search.previous
        else:
            decision = Decision(image.id, Reason.NEW)
        self.new_decisions.append(decision)
        self._position = search.index + 1
        if decision.keeps:
            self._add_keeper(search.index, differs)
        elif self._was_kept[search.index]:
            self._is_open |= self._previous_keepers == search.index

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

    def _read_previous(self, profile_id: int | None) -> None:
        """Reads what the previous decisions say of each image, and which of them cannot stand."""
        positions = self._previous.find(self.ranked.ids, profile_id=profile_id)
        was_pinned = np.append(self._previous.is_pinned(), False)[positions]  # the last one is for no decision
        # An image that lost its pin may now rank below others, so it counts as never decided.
        self._positions = np.where(was_pinned & ~self.ranked.pinned, NO_IMAGE, positions)
        keeper_ids = np.append(self._previous.keeper_ids, NO_IMAGE)[self._positions]
        is_duplicate = keeper_ids != NO_IMAGE
        self._was_kept = (self._positions != NO_IMAGE) & ~is_duplicate
        self._previous_keepers = np.full(len(self.ranked), NO_IMAGE, dtype=np.int64)
        self._previous_keepers[is_duplicate] = [
            self.index_of.get(keeper_id, NO_IMAGE) for keeper_id in keeper_ids[is_duplicate].tolist()
        ]
        keepers = self._previous_keepers
        # NO_IMAGE is a valid index, of the last image: what it finds is not used.
        keeper_stands = (keepers >= 0) & (keepers < np.arange(len(keepers))) & self._was_kept[keepers]
        self._was_promoted = self.ranked.pinned & (self._positions != NO_IMAGE) & ~was_pinned
        self._is_open = ~(self._was_kept | keeper_stands) | self._was_promoted
        self._all_open = bool(self._is_open.all())  # of those that are not decided yet

    def _find_previous(self, index: int) -> Decision | None:
        position = int(self._positions[index])
        return None if position == NO_IMAGE else self._previous.decision(position)

    def _keep_standing(self, end: int) -> None:
        """The decisions of the images up to `end`, which are not open, stand."""
        begin, self._position = self._position, end
        if begin == end:
            return
        standing = begin + np.flatnonzero(self._was_kept[begin:end])
        self._keepers.add_many(standing)
        self._is_kept[begin:end] = self._was_kept[begin:end]
        self._standing_keepers += standing.tolist()
        self.proved_pairs += int(self._proved_counts[standing].sum())

    def _open_concerned(self, keeper: int, *, keepers_too: bool, differs: Differs | None) -> None:
        """Opens the images below a keeper that must be compared with it: duplicates to which it is nearer than their
        keeper and, with `keepers_too`, the keepers that are not proved to differ from it."""
        if self._all_open:
            return
        below = slice(keeper + 1, None)
        self._opening_keepers_left -= 1
        if self._opening_keepers_left < 0:
            self._is_open[below] = self._all_open = True
            return
        previous_keepers, bounds_us = self._previous_keepers[below], self._bounds_us[below]
        distance_us = distances_us(self._times_us, keeper, np.arange(keeper + 1, len(self.ranked)))
        is_nearer = (distance_us < bounds_us) | ((distance_us == bounds_us) & (keeper < previous_keepers))
        self._is_open[below] |= (previous_keepers != NO_IMAGE) & is_nearer
        if not keepers_too:
            return
        # A pinned image is kept whatever it is similar to.
        kept = keeper + 1 + np.flatnonzero((self._was_kept & ~self._is_open & ~self.ranked.pinned)[below])
        if differs is not None and len(kept):
            is_proved = differs(keeper, kept)
            self._proved_counts[kept[is_proved]] += 1
            kept = kept[~is_proved]
        self._is_open[kept] = True

    def _make_search(self, index: int, previous: Decision | None) -> Search:
        image = self.ranked[index]
        if previous is None or previous.keeper_id is None:
            return Search(image, index, previous, None)
        keeper = self.index_of.get(previous.keeper_id)
        # If the keeper itself was decided again, keepers that were never compared may be nearer or rank higher.
        if keeper is None or not self._is_kept[keeper] or not self._was_kept[keeper]:
            return Search(image, index, None, None)
        return Search(image, index, previous, keeper)

    def _add_keeper(self, index: int, differs: Differs | None) -> None:
        self._is_kept[index] = True
        self._keepers.add(index)
        self._block_keepers.add(index)
        is_new = not self._was_kept[index]
        if is_new:
            self._new_keepers.add(index)
        if is_new or self._was_promoted[index]:
            self._new_or_promoted_keepers.add(index)
            self._open_concerned(index, keepers_too=is_new, differs=differs)

    def _is_new_to(self, index: int, previous: Decision | None) -> bool:
        """Whether an image with the decision `previous` was never compared with the keeper, or ranked above it then."""
        if previous is None or not self._was_kept[index]:
            return True
        return not previous.keeps and bool(self._was_promoted[index])
