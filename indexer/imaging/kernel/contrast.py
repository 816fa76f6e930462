"""Local contrast in machine code: one pass over the image, with window sums of integers.

It promises the bits that `indexer.imaging.preprocessing.local_contrast` has with OpenCV and numpy. The sums of a window
are integers, which are exact in any order. All that follows is float64, in the same order of operations, and none of
them are fused.

Decision 0017: numba instead of C or more OpenCV calls.
"""

import math

import numpy as np
from numba import njit


@njit(error_model="numpy")
def _add_row(bordered, y, sign, sums, squares):
    """Adds a row of pixels, times `sign`, to the sums of the columns, and its squares to those of their squares."""
    for x in range(sums.size):
        level = np.int32(bordered[y, x])
        sums[x] += np.int32(sign * level)
        squares[x] += np.int32(sign * level * level)


@njit(error_model="numpy")
def _sum_windows(of_columns, side, steps, of_windows):
    """Writes the sums of all windows of a row, from the sums of the columns.

    The differences from one window to the next are made first, because that loop becomes vector instructions.
    """
    last = of_windows.size - 1
    for x in range(last):
        steps[x] = of_columns[x + side] - of_columns[x]
    total = np.int32(0)
    for x in range(side):
        total = np.int32(total + of_columns[x])
    of_windows[0] = total
    for x in range(last):
        total = np.int32(total + steps[x])
        of_windows[x + 1] = total


@njit(error_model="numpy")
def _write_row(levels, windows, squares, scale, gain, least_variance, out):
    """Writes a row of the result, from its levels and the sums of its windows."""
    for x in range(out.size):
        mean = np.float64(windows[x]) * scale
        variance = max(np.float64(squares[x]) * scale - mean * mean, 0.0) + least_variance
        level = np.rint((np.float64(levels[x]) - mean) * gain / math.sqrt(variance) + 128.0)
        out[x] = np.uint8(np.int32(min(max(level, 0.0), 255.0)))


@njit(error_model="numpy")
def contrast(bordered, side, gain, least_variance, scratch, out):
    """Writes the local contrast of an image.

    Parameters
    ----------
    bordered : (H + side - 1, W + side - 1), uint8
        The image with a border of half a window on each side.
    side : int, odd, at most 181
        Of the window, in pixels. The sum of the squares of a larger white window would not fit into 32 bits.
    gain, least_variance : float
        Levels that one deviation becomes, and what is added to each variance.
    scratch : (5, W + side - 1), int32
    out : (H, W), uint8
    """
    height, width = out.shape
    reach, scale = side // 2, 1.0 / np.float64(side * side)
    sums, squares, steps = scratch[0], scratch[1], scratch[2]
    window_sums, window_squares = scratch[3, :width], scratch[4, :width]
    sums[:] = 0
    squares[:] = 0
    for y in range(side):
        _add_row(bordered, y, 1, sums, squares)
    for y in range(height):
        _sum_windows(sums, side, steps, window_sums)
        _sum_windows(squares, side, steps, window_squares)
        levels = bordered[y + reach, reach : reach + width]
        _write_row(levels, window_sums, window_squares, scale, gain, least_variance, out[y])
        if y < height - 1:
            _add_row(bordered, y, -1, sums, squares)
            _add_row(bordered, y + side, 1, sums, squares)
