"""The kept images of a camera, walked outward in time from any image.

It promises the order in which an image must meet them: by distance in time, an unknown one infinite, then by rank. It
knows images by their place in rank order, and nothing of them but their times.

Decision: numpy here, though the words of this floor are plain Python elsewhere. Every pair of a camera passes through
this order, hundreds of millions in a large one: arrays cost a hundredth of what steps cost.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""Places of images in rank order, 0 the highest."""

TIMELESS = np.iinfo(np.int64).min
"""Stands for the time of an image without one."""
FAR = np.iinfo(np.int64).max
"""The distance to and from an image without a time."""
_FIRST_CHUNK = 8  # most duplicates find their keeper within a handful
_LARGEST_CHUNK = 4096


def distances(times_us: Places, here: int, places: Places) -> Places:
    """How far images are from the one at place `here`, in microseconds."""
    there = times_us[places]
    if times_us[here] == TIMELESS:
        return np.full(len(places), FAR)
    return np.where(there == TIMELESS, FAR, np.abs(there - times_us[here]))


class Keepers:
    """Some images of a camera; `times_us` are the capture times of all its images by place, in microseconds."""

    def __init__(self, times_us: Places) -> None:
        self._times_us = times_us
        self._timed = np.empty(16, dtype=np.int64)  # places in order of time, then of rank; room is doubled
        self._timed_us = np.empty(16, dtype=np.int64)
        self._timeless = np.empty(0, dtype=np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count + len(self._timeless)

    def add(self, place: int) -> None:
        """Takes one more image."""
        time_us = self._times_us[place]
        if time_us == TIMELESS:
            self._timeless = np.insert(self._timeless, np.searchsorted(self._timeless, place), place)
            return
        if self._count == len(self._timed):
            self._timed, self._timed_us = (
                np.resize(self._timed, 2 * self._count),
                np.resize(self._timed_us, 2 * self._count),
            )
        begin, end = np.searchsorted(self._timed_us[: self._count], [time_us, time_us + 1])
        at = int(begin + np.searchsorted(self._timed[begin:end], place))
        for array, value in ((self._timed, place), (self._timed_us, time_us)):
            array[at + 1 : self._count + 1] = array[at : self._count].copy()
            array[at] = value
        self._count += 1

    def outward(self, here: int) -> Iterator[Places]:
        """The keepers from the nearest to the image at a place outwards, more and more at a time; none may be added
        meanwhile."""
        here_us = int(self._times_us[here])
        size = _FIRST_CHUNK
        if here_us == TIMELESS:
            yield from _pieces(np.sort(np.concatenate([self._timed[: self._count], self._timeless])), size)
            return
        reach = size
        begin = end = int(np.searchsorted(self._timed_us[: self._count], here_us))
        while begin > 0 or end < self._count:
            first, last = max(0, begin - reach), min(self._count, end + reach)
            places = np.concatenate([self._timed[first:begin], self._timed[end:last]])
            away_us = np.abs(self._times_us[places] - here_us)
            # What lies beyond is at least as far as the last on its side: only what is nearer than that is complete.
            edges = [here_us - self._timed_us[first]] * (first > 0) + [self._timed_us[last - 1] - here_us] * (
                last < self._count
            )
            complete = away_us < min(edges) if edges else np.full(len(places), True)
            taken = np.flatnonzero(complete)
            if len(taken):
                yield from _pieces(places[taken[np.lexsort((places[taken], away_us[taken]))]], size)
                before = int(np.count_nonzero(complete[: begin - first]))
                begin, end = begin - before, end + len(taken) - before
            size = min(8 * size, _LARGEST_CHUNK) if len(taken) else size
            reach = size if len(taken) else 2 * reach
        yield from _pieces(self._timeless, size)


def _pieces(places: Places, size: int) -> Iterator[Places]:
    """The places a few at a time, from `size` on more and more: many may be equally near."""
    begin = 0
    while begin < len(places):
        yield places[begin : begin + size]
        begin += size
        size = min(8 * size, _LARGEST_CHUNK)
