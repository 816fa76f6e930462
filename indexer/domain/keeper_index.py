"""The kept images of a camera, walked outward in time from any image.

It promises the order in which an image must meet them: by distance in time, an unknown one infinite, then by rank. It
knows images by their place in rank order, and nothing of them but their times.

Decision: numpy here, though the words of this floor are plain Python elsewhere. Every pair of a camera passes through
this order, hundreds of millions in a large one: arrays cost a hundredth of what steps cost.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.int64]
"""Places of images in rank order, 0 the highest."""

NO_TIME = np.iinfo(np.int64).min
"""Stands for the time of an image without one."""
INFINITE_DISTANCE = np.iinfo(np.int64).max
"""The distance to and from an image without a time."""
_FIRST_CHUNK = 8  # most duplicates find their keeper within a handful
_LARGEST_CHUNK = 4096


def distances_us(times_us: IndexArray, origin: int, indices: IndexArray) -> IndexArray:
    """How far images are from the one at place `origin`, in microseconds."""
    other_times_us = times_us[indices]
    if times_us[origin] == NO_TIME:
        return np.full(len(indices), INFINITE_DISTANCE)
    return np.where(other_times_us == NO_TIME, INFINITE_DISTANCE, np.abs(other_times_us - times_us[origin]))


class KeeperIndex:
    """Some images of a camera; `times_us` are the capture times of all its images by place, in microseconds."""

    def __init__(self, times_us: IndexArray) -> None:
        self._times_us = times_us
        self._timed = np.empty(16, dtype=np.int64)  # places in order of time, then of rank; room is doubled
        self._timed_us = np.empty(16, dtype=np.int64)
        self._untimed = np.empty(0, dtype=np.int64)
        self._timed_count = 0

    def __len__(self) -> int:
        return self._timed_count + len(self._untimed)

    def add(self, index: int) -> None:
        """Takes one more image."""
        time_us = self._times_us[index]
        if time_us == NO_TIME:
            self._untimed = np.insert(self._untimed, np.searchsorted(self._untimed, index), index)
            return
        if self._timed_count == len(self._timed):
            self._timed, self._timed_us = (
                np.resize(self._timed, 2 * self._timed_count),
                np.resize(self._timed_us, 2 * self._timed_count),
            )
        begin, end = np.searchsorted(self._timed_us[: self._timed_count], [time_us, time_us + 1])
        insert_at = int(begin + np.searchsorted(self._timed[begin:end], index))
        for array, value in ((self._timed, index), (self._timed_us, time_us)):
            array[insert_at + 1 : self._timed_count + 1] = array[insert_at : self._timed_count].copy()
            array[insert_at] = value
        self._timed_count += 1

    def iter_nearest(self, origin: int) -> Iterator[IndexArray]:
        """The keepers from the nearest to the image at a place outwards, more and more at a time; none may be added
        meanwhile."""
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
            # What lies beyond is at least as far as the last on its side: only what is nearer than that is complete.
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
    """The places a few at a time, from `size` on more and more: many may be equally near."""
    begin = 0
    while begin < len(indices):
        yield indices[begin : begin + size]
        begin += size
        size = min(8 * size, _LARGEST_CHUNK)
