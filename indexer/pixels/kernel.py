"""A lower bound of the score, fast enough to look at every keeper: most pairs that must be looked at differ much.

It promises never to call a pair different whose score is within the limit: what it counts is a part of what the exact
score counts. It does not give the score: whatever it leaves undecided goes to `indexer.pixels.scoring`.

How: the score is monotone (adding changed pixels never lowers it), so the score of any band of rows, in the whole
frame's unit, is a lower bound. Row by row the pixels are compared, packed to bits, dilated, cut into runs; runs are
linked into components (union-find), and a component's area is counted as its full 2x2 blocks plus half of its
three-pixel blocks, which is `cv2.contourArea` of a component without holes and less than it otherwise. The search
stops at the first row at which the components that count have passed the limit, and begins the next pair a little
above the row where the last one ended.

Decision: numba instead of C (nothing to build, the wheel is enough) or more OpenCV calls (each touches every pixel).
It is loaded only when a process has met enough pairs to earn the second that loading takes.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import int64, njit, types, uint8, uint64
from numba.core import cgutils
from numba.extending import intrinsic

_LOOK_BACK = 10


@intrinsic
def _lowest_bit(typing_context: Any, value: Any) -> Any:
    """Position of the lowest set bit of a word that is not 0: one machine instruction that numpy does not offer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64), ir.IntType(1)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(function, [arguments[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.uint64), generate


@njit(cache=True, inline="never")
def _compare(row_a, row_b, threshold, flags):
    """Flags the pixels of two rows that differ by more than the threshold."""
    for x in range(row_a.size):
        a = row_a[x]
        b = row_b[x]
        flags[x] = uint8(max(a, b) - min(a, b)) > threshold


@njit(cache=True)
def _pack(octets, words):
    """Packs flags, read as words of eight, to bits; the multiplication gathers eight flags into one byte."""
    for word in range(words.size):
        bits = uint64(0)
        for part in range(8):
            gathered = (octets[8 * word + part] * uint64(0x0102040810204080)) >> uint64(56)
            bits |= gathered << uint64(8 * part)
        words[word] = bits


@njit(cache=True)
def _widen(words, last):
    """Dilates a row of bits by one pixel to both sides."""
    carry = uint64(0)
    for word in range(words.size):
        here = words[word]
        following = words[word + 1] if word + 1 < words.size else uint64(0)
        words[word] = here | (here << uint64(1)) | carry | (here >> uint64(1)) | (following << uint64(63))
        carry = here >> uint64(63)
    words[words.size - 1] &= last


@njit(cache=True)
def _find_runs(words, width, runs):
    """Number of runs of set bits in a row; first and last column of each."""
    count = 0
    inside = False
    carry = uint64(0)
    for word in range(words.size):
        here = words[word]
        edges = here ^ ((here << uint64(1)) | carry)
        carry = here >> uint64(63)
        while edges != 0:
            column = 64 * word + _lowest_bit(edges)
            edges &= edges - uint64(1)
            if inside:
                runs[count, 1] = column - 1
                count += 1
            else:
                runs[count, 0] = column
            inside = not inside
    if inside:
        runs[count, 1] = width - 1
        count += 1
    return count


@njit(cache=True)
def _root(parents, label):
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label


@njit(cache=True)
def _counted(doubled, least):
    return doubled if doubled >= least else 0


@njit(cache=True)
def _link(above, above_count, runs, count, parents, areas, used, least):
    """Links the runs of a row to those above; the new number of labels, and by how much the counted area grew.

    Areas are doubled, so that half blocks are whole numbers.
    """
    grown = 0
    first = 0
    for run in range(count):
        start = runs[run, 0]
        end = runs[run, 1]
        label = int64(-1)
        while first < above_count and above[first, 1] < start - 1:
            first += 1
        other = first
        added = 0
        while other < above_count and above[other, 0] <= end + 1:
            root = _root(parents, above[other, 2])
            if label < 0:
                label = root
            elif root != label:
                both = areas[root] + areas[label]
                grown += _counted(both, least) - _counted(areas[root], least) - _counted(areas[label], least)
                areas[label] = both
                parents[root] = label
            left = max(start, above[other, 0])
            right = min(end, above[other, 1])
            if right >= left:
                added += 2 * (right - left)
                added += 1 if start < left or above[other, 0] < left else 0
                added += 1 if end > right or above[other, 1] > right else 0
            other += 1
        if label < 0:
            label = used
            parents[label] = label
            areas[label] = 0
            used += 1
        grown += _counted(areas[label] + added, least) - _counted(areas[label], least)
        areas[label] += added
        runs[run, 2] = label
    return used, grown


@njit(cache=True)
def _band(
    image, other, begin, end, threshold, dilations, least, limit, flags, octets, ring, rows, runs, parents, areas
):
    """Doubled area that counts in the rows from begin to end, and the row at which it passed the limit (or end)."""
    height, width = image.shape
    depth = 2 * dilations + 1
    words = ring.shape[1]
    last = ~uint64(0) if width % 64 == 0 else (uint64(1) << uint64(width % 64)) - uint64(1)
    used = 0
    total = 0
    above_count = 0
    for y in range(begin - dilations, end + dilations):
        slot = ring[(y + depth * dilations) % depth]
        if 0 <= y < height:
            _compare(image[y], other[y], threshold, flags)
            _pack(octets, slot)
            for _ in range(dilations):
                _widen(slot, last)
        else:
            slot[:] = uint64(0)
        row = y - dilations
        if row < begin:
            continue
        for word in range(words):
            bits = ring[0, word]
            for near in range(1, depth):
                bits |= ring[near, word]
            rows[word] = bits
        here = row % 2
        count = _find_runs(rows, width, runs[here])
        used, grown = _link(runs[1 - here], above_count, runs[here], count, parents, areas, used, least)
        above_count = count
        total += grown
        if total > limit:
            return total, row
    return total, end


@njit(cache=True)
def first_undecided(pixels, image, candidates, start, height, width, threshold, dilations, least_px, limit_px, hot):
    """Place of the first candidate that is not proved to score above the limit, and the row to begin the next pair
    with.

    Parameters
    ----------
    pixels : (N,), uint8
        All images, one after the other.
    image, candidates : int, (M,) int64
        Where the image and the candidates begin in `pixels`.
    start : int
        Place of the first candidate to look at; the result is M if all from there on are proved.
    height, width : int
    threshold : uint8
    dilations : int
    least_px, limit_px : float
        Least area of a contour that counts, and the limit, in pixels of these images.
    hot : int, 0 to height - 1
        Row to begin with: any row gives a true answer, the right one a quick answer.

    Notes
    -----
    Half a pixel is given away on both numbers, so that the rounding of the unit can never prove too much.
    """
    words = (width + 63) // 64
    flags = np.zeros(64 * words, dtype=np.uint8)
    ring = np.empty((2 * dilations + 1, words), dtype=np.uint64)
    rows = np.empty(words, dtype=np.uint64)
    runs = np.empty((2, width // 2 + 1, 3), dtype=np.int64)
    parents = np.empty(height * (width // 2 + 1), dtype=np.int64)
    areas = np.empty(height * (width // 2 + 1), dtype=np.int64)
    least = int64(np.ceil(2.0 * least_px)) + 1
    limit = 2.0 * limit_px + 1.0
    scratch = (flags, flags.view(np.uint64), ring, rows, runs, parents, areas)
    size = height * width
    one = pixels[image : image + size].reshape(height, width)
    for place in range(start, candidates.size):
        other = pixels[candidates[place] : candidates[place] + size].reshape(height, width)
        area, row = _band(one, other, hot, height, threshold, dilations, least, limit, *scratch)
        if area <= limit and hot > 0:
            rest, row = _band(one, other, 0, hot, threshold, dilations, least, limit - area, *scratch)
            area += rest
        if area <= limit:
            return place, hot
        hot = max(0, row - _LOOK_BACK)
    return candidates.size, hot
