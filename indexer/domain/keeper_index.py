"""The keepers of a camera, listed from the nearest in time to any image outwards.

It promises the order in which an image must be compared with them: by distance in time, an unknown distance infinite,
then by rank. It knows an image by its index in rank order, and only its time.

Decision 0003: numpy here and in `selection`, though the rest of this package is plain Python.
"""

from collections.abc import Iterator

import numpy as np

from indexer.domain.camera_images import NO_TIME as NO_TIME
from indexer.domain.camera_images import IndexArray as IndexArray

INFINITE_DISTANCE = np.iinfo(np.int64).max
"""The distance to and from an image without a time."""
_FEW = 16  # images that are inserted one by one
_FIRST_CHUNK = 8  # for most duplicates the keeper is among the first few
_LARGEST_CHUNK = 4096


def distances_us(times_us: IndexArray, origin: int, indices: IndexArray) -> IndexArray:
    """The distance in time of each of `indices` from the image `origin`: (M,), int64, in microseconds.

    It is `INFINITE_DISTANCE` where one of the two images has no time.
    """
    other_times_us = times_us[indices]
    if times_us[origin] == NO_TIME:
        return np.full(len(indices), INFINITE_DISTANCE)
    return np.where(other_times_us == NO_TIME, INFINITE_DISTANCE, np.abs(other_times_us - times_us[origin]))


def pairwise_distances_us(times_us: IndexArray, others: IndexArray) -> IndexArray:
    """The distance in time of each image from the one at the index in `others`: (N,), int64, in microseconds.

    It is `INFINITE_DISTANCE` where one of the two has no time. `others` has an index for each image, (N,); where that
    is negative, the distance means nothing.
    """
    other_times_us = times_us[others]
    is_unknown = (times_us == NO_TIME) | (other_times_us == NO_TIME)
    return np.where(is_unknown, INFINITE_DISTANCE, np.abs(other_times_us - times_us))


class KeeperIndex:
    """A growing set of images of one camera, each known by its index in rank order.

    `times_us` holds the capture time of every image of the camera, by index: (N,), int64, in microseconds.
    """

    def __init__(self, times_us: IndexArray) -> None:
        self._times_us = times_us
        self._timed = np.empty(16, dtype=np.int64)  # sorted by time, then rank; grows by doubling
        self._timed_us = np.empty(16, dtype=np.int64)
        self._untimed = np.empty(0, dtype=np.int64)
        self._timed_count = 0

    def __len__(self) -> int:
        return self._timed_count + len(self._untimed)

    def add(self, index: int) -> None:
        """Adds one image, given by its index."""
        time_us = self._times_us[index]
        if time_us == NO_TIME:
            self._untimed = np.insert(self._untimed, np.searchsorted(self._untimed, index), index)
            return
        if self._timed_count == len(self._timed):
            capacity = max(16, 2 * self._timed_count)
            self._timed, self._timed_us = np.resize(self._timed, capacity), np.resize(self._timed_us, capacity)
        begin, end = np.searchsorted(self._timed_us[: self._timed_count], [time_us, time_us + 1])
        insert_at = int(begin + np.searchsorted(self._timed[begin:end], index))
        for array, value in ((self._timed, index), (self._timed_us, time_us)):
            array[insert_at + 1 : self._timed_count + 1] = array[insert_at : self._timed_count].copy()
            array[insert_at] = value
        self._timed_count += 1

    def add_many(self, indices: IndexArray) -> None:
        """Adds images that are not in the set, given by their indices, (M,); faster than one by one."""
        if len(indices) < _FEW:
            for index in indices.tolist():
                self.add(index)
            return
        is_timed = self._times_us[indices] != NO_TIME
        self._untimed = np.sort(np.concatenate([self._untimed, indices[~is_timed]]))
        timed = np.concatenate([self._timed[: self._timed_count], indices[is_timed]])
        self._timed = timed[np.lexsort((timed, self._times_us[timed]))]
        self._timed_us, self._timed_count = self._times_us[self._timed], len(self._timed)

    def iter_nearest(self, origin: int) -> Iterator[IndexArray]:
        """The added images from the nearest to `origin` outwards, in chunks that grow: each (M,), int64.

        Images of equal distance come in rank order. The caller must not add an image before the iteration ends.
        """
        origin_us = int(self._times_us[origin])
        size = _FIRST_CHUNK
        if origin_us == NO_TIME:
            yield from _growing_chunks(np.sort(np.concatenate([self._timed[: self._timed_count], self._untimed])), size)
            return
        reach = size
        begin = end = int(np.searchsorted(self._timed_us[: self._timed_count], origin_us))
        while begin > 0 or end < self._timed_count:
            first, last = max(0, begin - reach), min(self._timed_count, end + reach)
            indices = np.concatenate([self._timed[first:begin], self._timed[end:last]])
            distance_us = np.abs(self._times_us[indices] - origin_us)
            # An image outside the window is at least as far as its edge: only what is nearer is known completely.
            edges = [origin_us - self._timed_us[first]] * (first > 0) + [self._timed_us[last - 1] - origin_us] * (
                last < self._timed_count
            )
            complete = distance_us < min(edges) if edges else np.full(len(indices), True)
            complete_positions = np.flatnonzero(complete)
            if len(complete_positions):
                yield from _growing_chunks(
                    indices[
                        complete_positions[np.lexsort((indices[complete_positions], distance_us[complete_positions]))]
                    ],
                    size,
                )
                complete_before = int(np.count_nonzero(complete[: begin - first]))
                begin, end = begin - complete_before, end + len(complete_positions) - complete_before
            size = min(8 * size, _LARGEST_CHUNK) if len(complete_positions) else size
            reach = size if len(complete_positions) else 2 * reach
        yield from _growing_chunks(self._untimed, size)


def _growing_chunks(indices: IndexArray, size: int) -> Iterator[IndexArray]:
    """The indices in chunks that grow from `size`: many images may be equally near."""
    begin = 0
    while begin < len(indices):
        yield indices[begin : begin + size]
        begin += size
        size = min(8 * size, _LARGEST_CHUNK)
