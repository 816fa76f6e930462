"""Runs of set bits, linked from row to row into components, and the area of each component.

A component's area is the number of its full 2x2 blocks plus half the number of its blocks with three pixels. That
equals `cv2.contourArea` of a component without holes, and is less than it for one with holes. All areas are doubled, so
that half blocks are integers. The module does not know what the bits mean.

Source: union-find on runs as in He, Chao, Suzuki, "A run-based two-scan labeling algorithm" (2008). A run that meets
its own component again closes a hole.
"""

from numba import int64, njit, uint64

from indexer.imaging.kernel.bits import word_count
from indexer.imaging.kernel.llvm import WORD, lowest_bit

# Columns of `labels`: the label that it was joined to, its doubled area, and its box, without the bottom.
PARENT, AREA, TOP, LEFT, RIGHT = range(5)


@njit(forceinline=True)
def find_runs(rows, y, width, runs, parity):
    """Writes the first and last column of each run of set bits in row y to `runs[parity]`; returns their number."""
    count = 0
    inside = False
    carry = uint64(0)
    for word in range(word_count(width)):
        bits = rows[y, word + 1]
        edges = bits ^ ((bits << uint64(1)) | carry)
        carry = bits >> uint64(63)
        while edges != 0:
            column = WORD * word + lowest_bit(edges)
            edges &= edges - uint64(1)
            if inside:
                runs[parity, count, 1] = column - 1
                count += 1
            else:
                runs[parity, count, 0] = column
            inside = not inside
    if inside:
        runs[parity, count, 1] = width - 1
        count += 1
    return count


@njit(forceinline=True)
def _root(labels, label):
    while labels[label, PARENT] != label:
        labels[label, PARENT] = labels[labels[label, PARENT], PARENT]
        label = labels[label, PARENT]
    return label


@njit(forceinline=True)
def _counted_area(area, least):
    return area if area >= least else 0


@njit(forceinline=True)
def _join(labels, label, other, least):
    """Joins two components; returns by how much the counted area grew."""
    joined_area = labels[label, AREA] + labels[other, AREA]
    before = _counted_area(labels[label, AREA], least) + _counted_area(labels[other, AREA], least)
    labels[label, AREA] = joined_area
    labels[label, TOP] = min(labels[label, TOP], labels[other, TOP])
    labels[label, LEFT] = min(labels[label, LEFT], labels[other, LEFT])
    labels[label, RIGHT] = max(labels[label, RIGHT], labels[other, RIGHT])
    labels[other, PARENT] = label
    return _counted_area(joined_area, least) - before


@njit(forceinline=True)
def _shared_area(runs, parity, run, other):
    """Doubled area of the 2x2 blocks that span a run and a run in the row above it."""
    start, end = runs[parity, run, 0], runs[parity, run, 1]
    above_start, above_end = runs[1 - parity, other, 0], runs[1 - parity, other, 1]
    left, right = max(start, above_start), min(end, above_end)
    if right < left:
        return 0
    return 2 * (right - left) + (start < left or above_start < left) + (end > right or above_end > right)


@njit(forceinline=True)
def link(runs, parity, count, above_count, y, labels, used, least):
    """Links the runs of row y to those of the row above, and gives each run the label of its component.

    Parameters
    ----------
    runs : (2, N, 3), int64
        First column, last column and label of each run: `count` runs of row y in `runs[parity]`, and `above_count` runs
        of the row above in the other half.
    labels : (M, 5), int64
        The components so far, `used` of them. Changed in place.
    least : int
        Smallest doubled area that counts.

    Returns
    -------
    the number of labels used now, the growth of the counted area, and the number of holes that row y closed
    """
    grown = 0
    holes = 0
    first = 0
    for run in range(count):
        start, end = runs[parity, run, 0], runs[parity, run, 1]
        while first < above_count and runs[1 - parity, first, 1] < start - 1:
            first += 1
        label = int64(-1)
        added = 0
        other = first
        while other < above_count and runs[1 - parity, other, 0] <= end + 1:
            root = _root(labels, runs[1 - parity, other, 2])
            if label < 0:
                label = root
            elif root == label:
                holes += 1
            else:
                grown += _join(labels, label, root, least)
            added += _shared_area(runs, parity, run, other)
            other += 1
        if label < 0:
            label = used
            used += 1
            labels[label, PARENT], labels[label, AREA], labels[label, TOP] = label, 0, y
            labels[label, LEFT], labels[label, RIGHT] = start, end
        grown += _counted_area(labels[label, AREA] + added, least) - _counted_area(labels[label, AREA], least)
        labels[label, AREA] += added
        labels[label, LEFT] = min(labels[label, LEFT], start)
        labels[label, RIGHT] = max(labels[label, RIGHT], end)
        runs[parity, run, 2] = label
    return used, grown, holes
