"""The distances of one image's features from those of others, in machine code. A few cells prove most pairs unlike.

It promises the distances of `indexer.imaging.features`: of each compared pair that is not proved to reach the limit,
the exact one. The cell that proved the last pair is compared first.

Decision 0017: numba instead of C or more OpenCV calls.
"""

import numpy as np
from numba import njit, uint64

AT_LIMIT = -1
"""Replaces the distance of a pair that reaches the limit."""
CELL_BYTES = 80
"""Bytes of a cell, as `indexer.domain.feature_layout` says; a constant here, so that the loop over them is unrolled."""


@njit(cache=True)
def _squared(pixels, image, other):
    """The sum of the squared differences of the bytes of a cell from two offsets on.

    Unsigned offsets need no check for negative ones, which keeps the loop from vector instructions: 12 700 pairs a
    second became 123 000, with every cell compared.
    """
    total, image, other = np.int32(0), uint64(image), uint64(other)
    for number in range(CELL_BYTES):
        index = uint64(number)
        difference = np.int32(np.int32(pixels[image + index]) - np.int32(pixels[other + index]))
        total = np.int32(total + np.int32(difference * difference))
    return total


@njit(cache=True)
def distances(pixels, image, candidates, rows, stride, of_row, alike, limit, squared):
    """The number of candidates that were compared: up to the first that is nearer than `alike`, or all.

    Parameters
    ----------
    pixels : (N,), uint8
        All images, one after the other.
    image, candidates : int, (M,) int64
        Offsets in `pixels` of the first row of features of the image and of the candidates.
    rows, stride : int
        Rows of features, and the bytes from one to the next.
    of_row : int
        Whole cells in a row.
    alike, limit : int
        Squared differences: a pair below the first ends the search, and one from the second on is not compared further.
    squared : (M,), int64
        Written for every compared candidate: its largest squared difference of a cell, or AT_LIMIT.
    """
    cell_count, first = rows * of_row, 0
    for number in range(candidates.size):
        other = candidates[number]
        largest = 0
        for step in range(cell_count):
            cell = (first + step) % cell_count
            start = (cell // of_row) * stride + (cell % of_row) * CELL_BYTES
            of_cell = _squared(pixels, image + start, other + start)
            if of_cell > largest:
                largest = of_cell
                if largest >= limit:
                    first = cell
                    break
        squared[number] = largest if largest < limit else AT_LIMIT
        if largest < alike:
            return number + 1
    return candidates.size
