"""Whether the differences between images lie in a small part of the frame, such as a clock, a caption or a spider web.

It promises that a pair counts as decided by an area only if its score falls below the limit when the area is ignored,
by the rule that scores all pairs. It does not know what the area shows: cars that pass a gate also lie in a small part
of the frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask, Rectangle
from indexer.domain.similarity import is_similar
from indexer.imaging.features import masked_thumbnail
from indexer.imaging.matching import aligned, evidence_of_pair
from indexer.imaging.scoring import changed_pixels, contours, difference

MAX_SHARE = 0.15
"""Largest share of the frame that is proposed to be ignored; little is missed in so small an area."""
MIN_DECIDED_SHARE = 0.8
"""Smallest share of the pairs that must become similar when the area is ignored."""
_MAX_RECTANGLES = 3
_JOIN_DISTANCE = 1 / 16  # of the width: parts that are nearer, such as the words of a caption, become one rectangle
_STEPS_PER_PERCENT = 10  # rectangles are rounded to tenths of a per cent


@dataclass(frozen=True)
class AreaSearch:
    """How an area is looked for.

    Attributes
    ----------
    min_decided_share : float, 0 to 1
        Smallest share of the pairs that must become similar when the area is ignored.
    levels : of float, 0 to 1
        A pixel belongs to the area if it changes in at least this share of the pairs. The levels are tried in this
        order, and the first that gives a small area is used. They begin low, because the hours of a clock change less
        often than its seconds.
    min_contour_share : float
        Contours of at least this share of the minimum area belong to a change: leaves change in small parts.
    """

    min_decided_share: float = MIN_DECIDED_SHARE
    levels: tuple[float, ...] = (0.15, 0.3, 0.5, 0.7)
    min_contour_share: float = 1.0


NEARLY_ALL = AreaSearch()
"""The area in which nearly all changes lie."""
RESTLESS = AreaSearch(min_decided_share=0.3, levels=(0.2, 0.3, 0.5, 0.7), min_contour_share=0.1)
"""An area that changes of itself, and often alone, whatever else comes and goes."""

ImagePair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Concentration:
    """The small area in which the changes lie.

    Attributes
    ----------
    rectangles : of (left, top, width, height), per cent
    share : float
        Sum of their areas as a share of the frame, 0 to 1; an overlap counts twice.
    pairs, decided : int
        Number of pairs that are not similar, and of those among them that are similar with the rectangles ignored.
    touching : int
        Number of the other pairs in which a change that lies mostly elsewhere reaches into the rectangles.
    """

    rectangles: tuple[Rectangle, ...]
    share: float
    pairs: int
    decided: int
    touching: int = 0


def concentration(
    pairs: Sequence[ImagePair], *, scoring: ScoringParameters, mask: Mask, search: AreaSearch = NEARLY_ALL
) -> Concentration | None:
    """The small area outside of which so many of these pairs are similar, or None if there is no such area.

    Parameters
    ----------
    pairs : of two (planes * H, W), uint8
        Prepared images, all of one shape. Similar pairs are skipped.
    scoring : ScoringParameters
        Not native; its `planes` are those of the images.
    mask : Mask
        The mask that the images were prepared with.
    search : AreaSearch

    Raises
    ------
    ValueError
        If the shapes of a pair differ, or if a height is not a multiple of `scoring.planes`.
    """
    dissimilar = [pair for pair in pairs if not _are_similar(*pair, scoring=scoring)]
    if not dissimilar:
        return None
    min_area = search.min_contour_share * scoring.min_contour_area
    maps = [_change_map(pair, scoring=scoring, min_area=min_area) for pair in dissimilar]
    most_apart = len(dissimilar) - ceil(search.min_decided_share * len(dissimilar))
    for rectangles in _candidates(np.mean(maps, axis=0), levels=search.levels):
        share = sum(wide * high for _, _, wide, high in rectangles) / 100**2
        if share > MAX_SHARE:
            continue
        apart = _still_apart(dissimilar, rectangles, scoring=scoring, mask=mask, most=most_apart)
        if apart is None:
            continue
        for rectangle in rectangles:  # without those that decide nothing
            fewer = tuple(other for other in rectangles if other != rectangle)
            if fewer and apart == _still_apart(dissimilar, fewer, scoring=scoring, mask=mask, most=len(apart)):
                rectangles = fewer
        share = sum(wide * high for _, _, wide, high in rectangles) / 100**2
        touching = sum(_reaches_into(maps[index], rectangles) for index in apart)
        return Concentration(rectangles, share, len(dissimilar), len(dissimilar) - len(apart), touching)
    return None


def _still_apart(
    pairs: Sequence[ImagePair], rectangles: Sequence[Rectangle], *, scoring: ScoringParameters, mask: Mask, most: int
) -> list[int] | None:
    """The indices of the pairs that are not similar with the rectangles ignored, too; None if they are more than
    `most`: then the other pairs are not scored."""
    wider = replace(mask, rectangles=(*mask.rectangles, *rectangles))
    apart = (index for index, pair in enumerate(pairs) if not _is_similar_masked(pair, scoring=scoring, mask=wider))
    indices = list(islice(apart, most + 1))
    return indices if len(indices) <= most else None


def _change_map(pair: ImagePair, *, scoring: ScoringParameters, min_area: float) -> NDArray[np.uint8]:
    """1 within the contours of at least `min_area`, else 0: (H, W), uint8, the size of the frame, whatever the number
    of planes."""
    image_a, image_b, unit = aligned(*pair, scoring=scoring)
    changed = changed_pixels(difference(image_a, image_b, planes=scoring.planes), threshold=scoring.threshold)
    counting = [
        contour
        for contour in contours(changed, dilations=scoring.dilations)
        if cv2.contourArea(contour) * unit >= min_area
    ]
    inside = np.zeros(changed.shape, dtype=np.uint8)
    cv2.drawContours(inside, counting, -1, (1,), -1)
    return inside


def _reaches_into(changes: NDArray[np.uint8], rectangles: Sequence[Rectangle]) -> bool:
    """Whether a change that lies mostly outside the rectangles reaches into one of them."""
    height, width = changes.shape
    inside = np.zeros(changes.shape, dtype=np.bool_)
    for left, top, wide, high in rectangles:
        rows = slice(floor(top * height / 100), ceil((top + high) * height / 100))
        inside[rows, floor(left * width / 100) : ceil((left + wide) * width / 100)] = True
    parts = cv2.connectedComponents(changes)[1]
    within, all_over = np.bincount(parts[inside], minlength=parts.max() + 1), np.bincount(parts.reshape(-1))
    return bool(((within > 0) & (2 * within < all_over))[1:].any())


def _candidates(heat: NDArray[np.float64], *, levels: Sequence[float]) -> Iterator[tuple[Rectangle, ...]]:
    """The rectangles around the pixels that change often, for each level that gives few enough rectangles."""
    height, width = heat.shape
    kernel = np.ones((2 * round(width * _JOIN_DISTANCE / 2) + 1,) * 2, dtype=np.uint8)
    for level in levels:
        often = (heat >= level).astype(np.uint8)
        joined = cv2.dilate(often, kernel)  # not a morphological closing: near the border that joins nothing
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
    """Whether two prepared images are similar with this larger mask."""
    image_a, image_b = (
        masked_thumbnail(image, mask=mask, planes=scoring.planes, features=scoring.has_features) for image in pair
    )
    return _are_similar(image_a, image_b, scoring=scoring)


def _are_similar(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters) -> bool:
    return is_similar(evidence_of_pair(image_a, image_b, scoring=scoring).score, max_score=scoring.max_score)
