"""Rows of pixels as words of bits: where two images differ, grown to the sides, and with what they enclose filled in.

Sixty-four pixels are one word, the leftmost pixel its lowest bit; bits beyond the width of the image are 0. It knows
neither contours nor scores. Rows are passed as (array, row): a slice would cost a count of references, more than the
row itself.
"""

import numpy as np
from numba import njit, uint64

from indexer.imaging.kernel.llvm import VECTOR_WORDS, WORD, count_bits, differing_bits, dilate_vector


@njit(cache=True, forceinline=True)
def word_count(width):
    """How many words a row of so many pixels takes."""
    return (width + WORD - 1) // WORD


@njit(cache=True, forceinline=True)
def last_word_mask(width):
    """The bits that the last word of a row may have."""
    return ~uint64(0) >> uint64((WORD - width % WORD) % WORD)


@njit(cache=True)
def empty_rows(height, width):
    """Rows of bits with room for the word before the first and for those that fill up the last lane: (height, lanes),
    uint64. Word w of a row stands at w + 1; what is not set is anything."""
    return np.empty(
        (height, VECTOR_WORDS * ((word_count(width) + VECTOR_WORDS - 1) // VECTOR_WORDS) + 2), dtype=np.uint64
    )


@njit(cache=True, forceinline=True)
def difference_bits(pixels, a, b, words, threshold, rows, y):
    """Sets row y to where so many words of pixels from a on and from b on differ; the number of pixels that do."""
    count = 0
    rows[y, 0] = rows[y, words + 1] = uint64(0)
    for word in range(words):
        bits = differing_bits(pixels, a + WORD * word, b + WORD * word, threshold)
        rows[y, word + 1] = bits
        count += count_bits(bits)
    return count


@njit(cache=True, forceinline=True)
def add_difference_bits(pixels, a, b, words, threshold, rows, y):
    """Adds to row y, which `differ` set, where so many words of pixels of another plane differ; the number of pixels
    that are set now."""
    count = 0
    for word in range(words):
        bits = rows[y, word + 1] | differing_bits(pixels, a + WORD * word, b + WORD * word, threshold)
        rows[y, word + 1] = bits
        count += count_bits(bits)
    return count


@njit(cache=True, forceinline=True)
def dilate(rows, begin, end, by, width, grown, y):
    """Sets row y of `grown` to the bits of the rows from begin to end, grown to both sides by so many pixels, fewer
    than a word has."""
    words, stride = word_count(width), rows.shape[1]
    for word in range(0, words, VECTOR_WORDS):
        dilate_vector(rows, begin * stride + word + 1, end - begin, by, y * stride + word + 1, grown)
    grown[y, words] &= last_word_mask(width)


@njit(cache=True)
def _spread_horizontal(rows, walls, y, words, last):
    """Lets the set bits of row y run to both sides until they meet a wall; whether that added any."""
    added = False
    for upwards in (True, False):
        carry = uint64(0)
        for step in range(words):
            word = step + 1 if upwards else words - step
            free = ~walls[y, word] & (last if word == words else ~uint64(0))
            bits = rows[y, word] | (carry & free)
            shift = uint64(1)
            while shift < uint64(WORD):  # doubling the reach each time
                bits |= free & (bits << shift if upwards else bits >> shift)
                free &= free << shift if upwards else free >> shift
                shift <<= uint64(1)
            added = added or bits != rows[y, word]
            rows[y, word] = bits
            carry = bits >> uint64(63) if upwards else bits << uint64(63)
    return added


@njit(cache=True)
def _spread_vertical(outside, walls, y, beside, words, last):
    """Lets the outside seep into row y from the row beside it; whether that added any bit."""
    added = False
    for word in range(1, words + 1):
        bits = outside[y, word] | (outside[beside, word] & ~walls[y, word])
        added = added or bits != outside[y, word]
        outside[y, word] = bits
    return _spread_horizontal(outside, walls, y, words, last) or added


@njit(cache=True)
def fill_holes(walls, width, outside):
    """Sets every bit that is enclosed: that no path of steps to the side, up or down joins to the edge of the frame.

    Parameters
    ----------
    walls : rows of bits
        Changed in place.
    width : int
    outside : rows of bits
        Scratch.

    Notes
    -----
    The outside seeps in from the edges, down and up again, until nothing is added: two rounds for most pictures, more
    for spirals.
    """
    height, words = walls.shape[0], word_count(width)
    last = last_word_mask(width)
    right_edge = uint64(1) << uint64((width - 1) % WORD)
    for y in range(height):
        for word in range(1, words + 1):
            outside[y, word] = ~walls[y, word] if y == 0 or y == height - 1 else uint64(0)
        outside[y, 1] |= ~walls[y, 1] & uint64(1)
        outside[y, words] |= ~walls[y, words] & right_edge
        outside[y, words] &= last
        _spread_horizontal(outside, walls, y, words, last)
    added = True
    while added:
        added = False
        for y in range(1, height):
            added = _spread_vertical(outside, walls, y, y - 1, words, last) or added
        for y in range(height - 2, -1, -1):
            added = _spread_vertical(outside, walls, y, y + 1, words, last) or added
    for y in range(height):
        for word in range(1, words + 1):
            walls[y, word] = ~outside[y, word]
        walls[y, words] &= last
