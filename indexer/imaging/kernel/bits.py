"""Rows of pixels as words of bits: the difference of two images, its dilation, and the filling of its holes.

A word holds 64 pixels; the leftmost pixel is its lowest bit. Bits beyond the width of the image are 0. The module knows
neither contours nor scores. A row is passed as an array and an index: a slice would cost reference counting, which
takes longer than the work on the row.
"""

from numba import njit, uint64

from indexer.imaging.kernel.llvm import VECTOR_WORDS, WORD, count_bits, differing_bits, dilate_vector


@njit(forceinline=True)
def word_count(width):
    """Number of words in a row of `width` pixels."""
    return (width + WORD - 1) // WORD


@njit(forceinline=True)
def last_word_mask(width):
    """A word in which the bits are set that the last word of a row of `width` pixels may use."""
    return ~uint64(0) >> uint64((WORD - width % WORD) % WORD)


@njit(forceinline=True)
def difference_bits(pixels, a, b, words, threshold, rows, y):
    """Sets row y to the difference of two rows of pixels, which begin at the offsets a and b of `pixels`.

    `words` words are compared. A bit is set if two pixels differ by more than the threshold. Returns the number of bits
    that are set.
    """
    count = 0
    rows[y, 0] = rows[y, words + 1] = uint64(0)
    for word in range(words):
        bits = differing_bits(pixels, a + WORD * word, b + WORD * word, threshold)
        rows[y, word + 1] = bits
        count += count_bits(bits)
    return count


@njit(forceinline=True)
def add_difference_bits(pixels, a, b, words, threshold, rows, y):
    """Adds the difference of another plane to row y, which `difference_bits` has set. The arguments are the same.

    Returns the number of bits that are set now.
    """
    count = 0
    for word in range(words):
        bits = rows[y, word + 1] | differing_bits(pixels, a + WORD * word, b + WORD * word, threshold)
        rows[y, word + 1] = bits
        count += count_bits(bits)
    return count


@njit(forceinline=True)
def dilate(rows, begin, end, by, width, grown, y):
    """Sets row y of `grown` to the union of the rows from `begin` to `end`, dilated by `by` pixels to both sides.

    `end` is exclusive; `by` is below 64.
    """
    words, stride = word_count(width), rows.shape[1]
    for word in range(0, words, VECTOR_WORDS):
        dilate_vector(rows, begin * stride + word + 1, end - begin, by, y * stride + word + 1, grown)
    grown[y, words] &= last_word_mask(width)


@njit
def _spread_horizontal(rows, walls, y, words, last):
    """Spreads the set bits of row y to both sides up to the next wall. Returns whether any bit was added."""
    added = False
    for upwards in (True, False):
        carry = uint64(0)
        for step in range(words):
            word = step + 1 if upwards else words - step
            free = ~walls[y, word] & (last if word == words else ~uint64(0))
            bits = rows[y, word] | (carry & free)
            shift = uint64(1)
            while shift < uint64(WORD):  # the distance doubles each time
                bits |= free & (bits << shift if upwards else bits >> shift)
                free &= free << shift if upwards else free >> shift
                shift <<= uint64(1)
            added = added or bits != rows[y, word]
            rows[y, word] = bits
            carry = bits >> uint64(63) if upwards else bits << uint64(63)
    return added


@njit
def _spread_vertical(outside, walls, y, beside, words, last):
    """Spreads the outside into row y from the row `beside`, then sideways. Returns whether any bit was added."""
    added = False
    for word in range(1, words + 1):
        bits = outside[y, word] | (outside[beside, word] & ~walls[y, word])
        added = added or bits != outside[y, word]
        outside[y, word] = bits
    return _spread_horizontal(outside, walls, y, words, last) or added


@njit
def fill_holes(walls, width, outside):
    """Sets every enclosed bit: no path of unset bits (left, right, up, down) leads from it to the edge of the frame.

    Parameters
    ----------
    walls : rows of bits
        Changed in place.
    width : int
        In pixels.
    outside : rows of bits
        Scratch space of the same shape.

    Notes
    -----
    The outside spreads from the edges, down and up again, until nothing is added. Most pictures need two rounds;
    spirals need more.
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
