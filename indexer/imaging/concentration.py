"""Whether what sets images apart lies in one small part of the frame, as a clock, a caption or a spider's thread does.

It promises that a pair is only said to be decided by an area if its score falls below the limit with the area ignored,
by the rule that scores all pairs. It does not know what is to be seen there: cars that pass one gate lie in a small
part of the frame, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.masks import Mask, Rectangle, masked
from indexer.imaging.matching import Measure, evidence_of_pair
from indexer.imaging.scoring import area_unit, changed_pixels, contours, difference

MOST_SHARE = 0.15
"""Of the frame: what a person may ignore without a second thought."""
LEAST_DECIDED = 0.8
"""Of the pairs: so many must become similar when the area is ignored."""
_MOST_RECTANGLES = 3
_LEVELS = (0.15, 0.3, 0.5, 0.7)
"""Shares of the pairs in which a pixel changes, to be part of the area: the first that makes a small area is taken, as
the hours of a clock change less often than its seconds."""
_JOINED = 1 / 16  # of the width: what lies nearer together, as the words of a caption do, is one rectangle
_STEP = 10  # rectangles are told in tenths of a per cent

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Concentration:
    """Where the changes lie.

    Attributes
    ----------
    rectangles : of (from the left, from the top, wide, high), per cent
    share : float
        Their part of the frame, 0 to 1, what they share counted twice.
    pairs, decided : int
        Pairs that differ, and those of them that are similar with the rectangles ignored.
    """

    rectangles: tuple[Rectangle, ...]
    share: float
    pairs: int
    decided: int


def concentration(pairs: Sequence[Pair], *, measure: Measure, mask: Mask) -> Concentration | None:
    """The small area in which nearly all of these pairs differ and outside of which they do not, if there is one.

    Parameters
    ----------
    pairs : of two (H, W), uint8
        Prepared images, all of one shape; those that are similar are left out.
    measure : Measure
        Not a native one.
    mask : Mask
        What is ignored already.
    """
    apart = [pair for pair in pairs if evidence_of_pair(*pair, measure=measure).score >= measure.max_score]
    if not apart:
        return None
    heat = sum((_changed(pair, measure=measure) for pair in apart), start=np.zeros(apart[0][0].shape)) / len(apart)
    for rectangles in _candidates(np.asarray(heat)):
        share = sum(wide * high for _, _, wide, high in rectangles) / 100**2
        if share > MOST_SHARE:
            continue
        wider = replace(mask, rectangles=(*mask.rectangles, *rectangles))
        decided = sum(_is_similar(pair, measure=measure, mask=wider) for pair in apart)
        if decided >= LEAST_DECIDED * len(apart):
            return Concentration(rectangles, share, len(apart), decided)
    return None


def _changed(pair: Pair, *, measure: Measure) -> NDArray[np.float64]:
    """1 within the contours that count, else 0: (H, W)."""
    changed = changed_pixels(difference(*pair), threshold=measure.threshold)
    unit = area_unit(*changed.shape)
    counting = [
        contour
        for contour in contours(changed, dilations=measure.dilations)
        if cv2.contourArea(contour) * unit >= measure.min_contour_area
    ]
    inside = np.zeros(changed.shape, dtype=np.uint8)
    cv2.drawContours(inside, counting, -1, (1,), -1)
    return inside.astype(np.float64)


def _candidates(heat: NDArray[np.float64]) -> Iterator[tuple[Rectangle, ...]]:
    """The rectangles around what changes often, by how often that is, the rarest first."""
    height, width = heat.shape
    kernel = np.ones((2 * round(width * _JOINED / 2) + 1,) * 2, dtype=np.uint8)
    for level in _LEVELS:
        often = (heat >= level).astype(np.uint8)
        joined = cv2.dilate(often, kernel)  # not closed: at the border that joins nothing
        number, parts = cv2.connectedComponents(joined)
        if 1 < number <= 1 + _MOST_RECTANGLES:
            boxes = (np.argwhere((parts == part) & (often > 0)) for part in range(1, number))
            yield tuple(sorted(_rectangle(box, height=height, width=width) for box in boxes))


def _rectangle(places: NDArray[np.int64], *, height: int, width: int) -> Rectangle:
    """The rectangle around some pixels, (N, 2) as (row, column), in per cent, rounded outwards to tenths."""
    (top, left), (bottom, right) = places.min(axis=0).tolist(), (places.max(axis=0) + 1).tolist()
    begins = [floor(left * 100 * _STEP / width), floor(top * 100 * _STEP / height)]
    ends = [ceil(right * 100 * _STEP / width), ceil(bottom * 100 * _STEP / height)]
    sizes = [end - begin for begin, end in zip(begins, ends, strict=True)]
    return begins[0] / _STEP, begins[1] / _STEP, sizes[0] / _STEP, sizes[1] / _STEP


def _is_similar(pair: Pair, *, measure: Measure, mask: Mask) -> bool:
    """Whether two prepared images are similar with more of them ignored."""
    image_a, image_b = (masked(image, mask=mask) for image in pair)
    return evidence_of_pair(image_a, image_b, measure=measure).score < measure.max_score
