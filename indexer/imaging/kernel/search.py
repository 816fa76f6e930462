"""The search for a similar image, in machine code. Most pairs differ much, and a few rows of pixels prove it.

It promises the result of brute force with `indexer.imaging.scoring`: the first similar candidate, and the exact
evidence of every compared pair whose score is within the limit.

How: row by row the pixels are compared, packed into bits, dilated, split into runs and linked into components, whose
area is counted along the way. The score is monotone: more changed pixels never lower it. So the area counted in any box
is a lower bound of the score, and a pair is proved dissimilar as soon as the bound exceeds the limit. The box that
proved the last pair of this image is tried first, then the box that proved the candidate's own last pair (the two swap
when the second succeeds), then the whole frame. A pair that no bound proves has been counted completely. If one of its
components has a hole, the holes are filled (external contours ignore them) and the pair is counted again.

Decision 0017: numba instead of C or more OpenCV calls.
"""

from typing import Any, NamedTuple

from numba import njit

from indexer.imaging.kernel.bits import (
    add_difference_bits,
    difference_bits,
    dilate,
    fill_holes,
    word_count,
)
from indexer.imaging.kernel.components import AREA, LEFT, PARENT, RIGHT, TOP, find_runs, link
from indexer.imaging.kernel.llvm import WORD

ABOVE_LIMIT = -1
"""Replaces the counted area of a pair whose score is above the limit."""
_MARGIN_PX = 6  # around the components that proved the last pair


class _Work(NamedTuple):
    """The constants of one search, and scratch space."""

    pixels: Any
    image: Any
    planes: Any
    height: Any
    width: Any
    stride: Any
    threshold: Any
    dilations: Any
    least: Any
    limit: Any
    raw: Any
    grown: Any
    outside: Any
    changed: Any
    runs: Any
    labels: Any


@njit
def _scan_box(work, other, box):
    """Counts the components inside a box (top, bottom, words from the left, width), as if all other pixels were equal.

    Returns
    -------
    counted area, the row at which it exceeded the limit (or the bottom), number of labels used, number of holes
    """
    top, bottom, left, width = box
    words, by = word_count(width), work.dilations
    pixels, raw, grown, changed, runs, labels = work.pixels, work.raw, work.grown, work.changed, work.runs, work.labels
    total, used, holes, above_count = 0, 0, 0, 0
    compared = max(0, top - by)
    latest = -by - 1
    for y in range(top, bottom):
        ready = min(work.height, y + by + 1)
        while compared < ready:
            offset = compared * work.stride + WORD * left
            image_start, other_start = work.image + offset, other + offset
            changed[compared] = difference_bits(pixels, image_start, other_start, words, work.threshold, raw, compared)
            for plane in range(1, work.planes):
                plane_offset = plane * work.height * work.stride
                changed[compared] = add_difference_bits(
                    pixels, image_start + plane_offset, other_start + plane_offset, words, work.threshold, raw, compared
                )
            if changed[compared] > 0:
                latest = compared
            compared += 1
        if latest < y - by:
            above_count = 0
            continue
        dilate(raw, max(0, y - by), ready, by, width, grown, y)
        parity = y % 2
        count = find_runs(grown, y, width, runs, parity)
        used, more, enclosed = link(runs, parity, count, above_count, y, labels, used, work.least)
        above_count = count
        holes += enclosed
        total += more
        if total > work.limit:
            return total, y, used, holes
    return total, bottom, used, holes


@njit
def _count_filled(work):
    """Fills the holes of a dilated difference and counts its components again.

    Returns
    -------
    counted area, number of labels used
    """
    grown, runs = work.grown, work.runs
    fill_holes(grown, work.width, work.outside)
    total, used, above_count = 0, 0, 0
    for y in range(work.height):
        parity = y % 2
        count = find_runs(grown, y, work.width, runs, parity)
        used, more, _ = link(runs, parity, count, above_count, y, work.labels, used, work.least)
        above_count = count
        total += more
    return total, used


@njit
def _store_hint(work, used, row, hint):
    """Stores the box around the components that count, with a margin, as a hint; at `row` they passed the limit."""
    labels = work.labels
    top, left, right = row, work.width, 0
    for label in range(used):
        if labels[label, PARENT] == label and labels[label, AREA] >= work.least:
            top = min(top, labels[label, TOP])
            left = min(left, labels[label, LEFT])
            right = max(right, labels[label, RIGHT])
    hint[0], hint[1] = top, min(work.height, row + _MARGIN_PX)
    first = max(0, left - _MARGIN_PX) // WORD
    hint[2], hint[3] = first, min(work.width, (right + _MARGIN_PX) // WORD * WORD + WORD) - first * WORD


@njit
def _write_evidence(work, used, total, evidence):
    """Writes the evidence of a pair: counted area, largest area, number of contours that count, changed pixels."""
    labels = work.labels
    largest, count = 0, 0
    for label in range(used):
        if labels[label, PARENT] == label:
            largest = max(largest, labels[label, AREA])
            count += labels[label, AREA] >= work.least
    evidence[0], evidence[1], evidence[2], evidence[3] = total, largest, count, work.changed.sum()


@njit
def _exceeds_limit(work, other, hint):
    """Whether the box of a hint proves a pair to score above the limit."""
    top, bottom, left, width = hint[0], hint[1], hint[2], hint[3]  # read once: other processes may write them
    inside = 0 <= top < bottom <= work.height and left >= 0 and 0 < width <= work.width - WORD * left
    if not inside:
        return False
    return _scan_box(work, other, (top, bottom, left, width))[0] > work.limit


@njit
def _score_pair(work, other, hint, evidence):
    """Compares the whole frame. Returns the counted area and writes the evidence, or returns ABOVE_LIMIT."""
    work.grown[:] = 0
    area, row, used, holes = _scan_box(work, other, (0, work.height, 0, work.width))
    if area > work.limit:
        _store_hint(work, used, row, hint)
        return ABOVE_LIMIT
    if holes > 0:
        area, used = _count_filled(work)
    if area > work.limit:
        return ABOVE_LIMIT
    _write_evidence(work, used, area, evidence)
    return area


@njit
def search(
    pixels,
    image,
    candidates,
    planes,
    height,
    width,
    stride,
    threshold,
    dilations,
    least,
    similar,
    limit,
    hints,
    evidence,
    scratch,
):
    """The number of candidates that were compared, and whether the last of them is similar.

    Parameters
    ----------
    pixels : (N,), uint8
        All images, one after the other.
    image, candidates : int, (M,) int64
        Offsets in `pixels` of the image and of the candidates, which are compared in this order.
    planes : int, at least 1
        Number of planes of the frame in each image, one above the other. A pixel has changed if it has changed in any
        plane.
    height, width, stride : int
        Rows and columns of the frame, and the bytes from one row to the next: a multiple of 64, with 0 beyond the
        width.
    threshold : uint8
    dilations : int, below 64
    least, similar, limit : int
        Doubled areas in pixels: the smallest area of a contour that counts, the largest score that is similar, and the
        largest score whose evidence is recorded (not below `similar`).
    hints : (N, 4), int32
        For each image the box to scan first: top, bottom, words from the left, width. All are 0 at first. The search
        changes them, and the next search uses them. Any box gives a correct result, and a good box a fast one, so
        processes may share them.
    evidence : (M, 4), int64
        Written for every compared candidate: counted doubled area (or ABOVE_LIMIT and nothing more), doubled area of
        the largest contour, number of contours that count, changed pixels before dilation.
    scratch : tuple of six arrays
        Scratch space. Three are rows of bits: (height, 8 * n + 2), uint64, where n vectors of 8 words hold `width`
        pixels. Word w of a row is at index w + 1. The first and the last word are padding, as the words around a vector
        are read. The others have the shapes (height,), (2, N, 3) and (height * N, 5), int64, where N is width // 2 + 1.
    """
    sizes = pixels, image, planes, height, width, stride
    work = _Work(*sizes, threshold, dilations, least, limit, *scratch)
    recent, size = hints.shape[0] - 1, planes * height * stride
    image_hint = image // size % recent
    if hints[image_hint, 1] == 0:
        hints[image_hint] = hints[recent]
    compared, matched, image_hint_first = 0, False, True
    while compared < candidates.size and not matched:
        other = candidates[compared]
        other_hint = other // size % recent
        exceeds = _exceeds_limit(work, other, hints[image_hint if image_hint_first else other_hint])
        if not exceeds and _exceeds_limit(work, other, hints[other_hint if image_hint_first else image_hint]):
            exceeds, image_hint_first = True, not image_hint_first
        evidence[compared, 0] = ABOVE_LIMIT
        if not exceeds:
            area = _score_pair(work, other, hints[image_hint], evidence[compared])
            image_hint_first = image_hint_first or area == ABOVE_LIMIT
            evidence[compared, 0] = area
            matched = 0 <= area <= similar
        compared += 1
    hints[recent] = hints[image_hint]
    return compared, matched
