"""The distances of one image's features from those of others, in machine code. A few cells prove most pairs unlike.

It promises the distances of `indexer.imaging.features`: of each compared pair that is not proved to reach the limit,
the exact one. The cell that proved the last pair is compared first.

Decision 0017: numba instead of C or more OpenCV calls.
"""

from numba import njit

from indexer.imaging.kernel.llvm import CELL_BYTES, prefetch_cell, squared_difference

AT_LIMIT = -1
"""Replaces the distance of a pair that reaches the limit."""
_PREFETCH_BYTES = 4096  # ahead of the cell that is compared: from memory twice as many pairs a second


@njit
def distances(pixels, image, candidates, rows, stride, of_row, alike, limit, squared, starts):
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
        Squared differences: a pair below the first ends the search, and one from the second on, which is not below the
        first, is not compared further.
    squared : (M,), int64
        Written for every compared candidate: its largest squared difference of a cell, or AT_LIMIT.
    starts : (rows * of_row,), int64
        Scratch space.
    """
    for cell in range(starts.size):  # once: divisions in the loop below would take longer than all else
        starts[cell] = cell // of_row * stride + cell % of_row * CELL_BYTES
    first = 0
    for number in range(candidates.size):
        other = candidates[number]
        largest, cell = 0, first
        for _ in range(starts.size):
            prefetch_cell(pixels, other + starts[cell] + _PREFETCH_BYTES)
            of_cell = squared_difference(pixels, image + starts[cell], other + starts[cell])
            if of_cell > largest:
                largest = of_cell
                if largest >= limit:
                    first = cell
                    break
            cell = cell + 1 if cell + 1 < starts.size else 0
        squared[number] = largest if largest < limit else AT_LIMIT
        if largest < alike:
            return number + 1
    return candidates.size
