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

from indexer.domain.similarity import is_similar
from indexer.imaging.masks import Mask, Rectangle, masked
from indexer.imaging.matching import ScoringParameters, evidence_of_pair
from indexer.imaging.scoring import area_unit, changed_pixels, contours, difference

MAX_SHARE = 0.15
"""Of the frame: what a person may ignore without a second thought."""
MIN_DECIDED_SHARE = 0.8
"""Of the pairs: so many must become similar when the area is ignored."""
_MAX_RECTANGLES = 3
_LEVELS = (0.15, 0.3, 0.5, 0.7)
"""Shares of the pairs in which a pixel changes, to be part of the area: the first that makes a small area is taken, as
the hours of a clock change less often than its seconds."""
_JOIN_DISTANCE = 1 / 16  # of the width: what lies nearer together, as the words of a caption do, is one rectangle
_STEPS_PER_PERCENT = 10  # rectangles are told in tenths of a per cent

ImagePair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


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


def concentration(pairs: Sequence[ImagePair], *, scoring: ScoringParameters, mask: Mask) -> Concentration | None:
    """The small area in which nearly all of these pairs differ and outside of which they do not, if there is one.

    Parameters
    ----------
    pairs : of two (H, W), uint8
        Prepared images, all of one shape; those that are similar are left out.
    scoring : Measure
        Not a native one.
    mask : Mask
        What is ignored already.
    """
    dissimilar = [pair for pair in pairs if not _are_similar(*pair, scoring=scoring)]
    if not dissimilar:
        return None
    heat = sum(
        (_change_map(pair, scoring=scoring) for pair in dissimilar), start=np.zeros(dissimilar[0][0].shape)
    ) / len(dissimilar)
    for rectangles in _candidates(np.asarray(heat)):
        share = sum(wide * high for _, _, wide, high in rectangles) / 100**2
        if share > MAX_SHARE:
            continue
        wider = replace(mask, rectangles=(*mask.rectangles, *rectangles))
        decided = sum(_is_similar_masked(pair, scoring=scoring, mask=wider) for pair in dissimilar)
        if decided >= MIN_DECIDED_SHARE * len(dissimilar):
            return Concentration(rectangles, share, len(dissimilar), decided)
    return None


def _change_map(pair: ImagePair, *, scoring: ScoringParameters) -> NDArray[np.float64]:
    """1 within the contours that count, else 0: (H, W)."""
    changed = changed_pixels(difference(*pair), threshold=scoring.threshold)
    unit = area_unit(*changed.shape)
    counting = [
        contour
        for contour in contours(changed, dilations=scoring.dilations)
        if cv2.contourArea(contour) * unit >= scoring.min_contour_area
    ]
    inside = np.zeros(changed.shape, dtype=np.uint8)
    cv2.drawContours(inside, counting, -1, (1,), -1)
    return inside.astype(np.float64)


def _candidates(heat: NDArray[np.float64]) -> Iterator[tuple[Rectangle, ...]]:
    """The rectangles around what changes often, by how often that is, the rarest first."""
    height, width = heat.shape
    kernel = np.ones((2 * round(width * _JOIN_DISTANCE / 2) + 1,) * 2, dtype=np.uint8)
    for level in _LEVELS:
        often = (heat >= level).astype(np.uint8)
        joined = cv2.dilate(often, kernel)  # not closed: at the border that joins nothing
        number, parts = cv2.connectedComponents(joined)
        if 1 < number <= 1 + _MAX_RECTANGLES:
            boxes = (np.argwhere((parts == part) & (often > 0)) for part in range(1, number))
            yield tuple(sorted(_rectangle(box, height=height, width=width) for box in boxes))


def _rectangle(pixels: NDArray[np.int64], *, height: int, width: int) -> Rectangle:
    """The rectangle around some pixels, (N, 2) as (row, column), in per cent, rounded outwards to tenths."""
    (top, left), (bottom, right) = pixels.min(axis=0).tolist(), (pixels.max(axis=0) + 1).tolist()
    begins = [floor(left * 100 * _STEPS_PER_PERCENT / width), floor(top * 100 * _STEPS_PER_PERCENT / height)]
    ends = [ceil(right * 100 * _STEPS_PER_PERCENT / width), ceil(bottom * 100 * _STEPS_PER_PERCENT / height)]
    sizes = [end - begin for begin, end in zip(begins, ends, strict=True)]
    return (
        begins[0] / _STEPS_PER_PERCENT,
        begins[1] / _STEPS_PER_PERCENT,
        sizes[0] / _STEPS_PER_PERCENT,
        sizes[1] / _STEPS_PER_PERCENT,
    )


def _is_similar_masked(pair: ImagePair, *, scoring: ScoringParameters, mask: Mask) -> bool:
    """Whether two prepared images are similar with more of them ignored."""
    image_a, image_b = (masked(image, mask=mask) for image in pair)
    return _are_similar(image_a, image_b, scoring=scoring)


def _are_similar(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters) -> bool:
    return is_similar(evidence_of_pair(image_a, image_b, scoring=scoring).score, max_score=scoring.max_score)
