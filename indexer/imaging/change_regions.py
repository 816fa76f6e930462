"""Where two prepared images differ: the regions whose areas add up to the score, and a picture of the difference.

It promises to show what was counted: contours, areas and score are those of `indexer.imaging.scoring`. It does not know
the pictures in colour (`indexer.imaging.side_by_side`), nor how a page shows the result.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.imaging.features import cell_distances, least_squared
from indexer.imaging.masks import ignored_area
from indexer.imaging.matching import aligned, evidence_of_pair
from indexer.imaging.preprocessing import resize_area, thumbnail_height
from indexer.imaging.previews import PREVIEW_WIDTH
from indexer.imaging.scoring import changed_pixels, contours, difference

MAX_REGIONS = 50
"""Number of regions that are listed, so that a page stays small; a person looks at the largest."""
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)
"""(red, green, blue) of a change that counts and of one that is too small. Both are from the palette of Okabe and Ito
("Color Universal Design", 2008), whose colours everyone can distinguish. They differ in brightness, and both are
brighter than every grey of the picture."""
_TINT = (0, 40, 30)
"""Added to the greys of cells whose features differ: a shade of that palette's green."""
_GREYS = 6  # each further grey costs about a kilobyte and shows only noise
_MAX_GREY = 120
_GREY_LEVELS = tuple(level * _MAX_GREY // (_GREYS - 1) for level in range(_GREYS))
_TINTED_GREYS = tuple(tuple(level + tint for tint in _TINT) for level in _GREY_LEVELS)
_PALETTE = (*((level,) * 3 for level in _GREY_LEVELS), BLUE, ORANGE)
_TOO_SMALL, _COUNTS, _TINTED = _GREYS, _GREYS + 1, _GREYS + 2  # their indices in the palette
_DEFLATE_LEVEL = 6  # 1.7 ms and 4.4 kB a picture; level 9 takes 13 ms for 4.2 kB
_SIMPLIFICATION_PX = 1.0
_DIGITS = 4  # of a fraction: a thirtieth of a pixel at 320 wide


@dataclass(frozen=True)
class Region:
    """One contour.

    Attributes
    ----------
    points : tuple of (x, y)
        Its corners, as fractions of width and height, within one pixel of the contour.
    area : float
        The counted area (of the contour itself, not of the simplified outline), in the unit of the score.
    counts : bool
        Whether its area is part of the score; False if it is too small.
    """

    points: tuple[tuple[float, float], ...]
    area: float
    counts: bool


@dataclass(frozen=True)
class Changes:
    """The differences between two images.

    Attributes
    ----------
    regions : tuple of Region
        The largest first, at most `MAX_REGIONS`.
    unlisted : int
        Number of further regions.
    score : float
        Sum of the areas of all regions that count, listed or not.
    difference : bytes
        PNG, at most `PREVIEW_WIDTH` wide: the difference of each pixel, in grey. Above the threshold it is orange in a
        region that counts, and blue in one that is too small. Cells whose features differ by at least `max_distance`
        are shaded green.
    distance : float or None
        Of the features, if the images have any.
    """

    regions: tuple[Region, ...]
    unlisted: int
    score: float
    difference: bytes
    distance: float | None = None


def changes(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters) -> Changes:
    """Where and how much two prepared images differ, by the parameters that score them.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Prepared images of the same shape (of any shapes if `scoring` is native). The order does not matter.
    scoring : ScoringParameters

    Raises
    ------
    ValueError
        If the shapes differ and `scoring` is not native, or if the height is not a multiple of `scoring.planes`.
    """
    evidence = evidence_of_pair(image_a, image_b, scoring=scoring)
    frame_a, frame_b, unit = aligned(image_a, image_b, scoring=scoring)
    levels = difference(frame_a, frame_b, planes=scoring.planes)
    changed = changed_pixels(levels, threshold=scoring.threshold)
    measured = [
        (cv2.contourArea(contour) * unit, contour) for contour in contours(changed, dilations=scoring.dilations)
    ]
    measured.sort(key=lambda region: (-region[0], *region[1][0, 0, ::-1]))  # if equal: the upper, then the left first
    counting = [contour for area, contour in measured if area >= scoring.min_contour_area]
    regions = tuple(
        Region(_outline(contour, shape=levels.shape), area, area >= scoring.min_contour_area)
        for area, contour in measured[:MAX_REGIONS]
    )
    differing = _differing_cells(image_a, image_b, scoring=scoring, shape=levels.shape)
    difference_png = _difference_png(levels, changed, counting, threshold=scoring.threshold, differing=differing)
    return Changes(regions, len(measured) - len(regions), evidence.score, difference_png, evidence.distance)


def ignored_edges(mask: Mask, *, height: int, width: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The edges between what is ignored and what is compared in a frame of this size, as `Region.points`: the longest
    first, at most `MAX_REGIONS`. Raises `ImageRefusedError` as `ignored_area`."""
    compared = (~ignored_area(mask, height=height, width=width)).astype(np.uint8)
    found = cv2.findContours(compared, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    edges = sorted(found, key=lambda edge: (-cv2.arcLength(edge, True), *edge[0, 0, ::-1]))[:MAX_REGIONS]
    return tuple(_outline(np.asarray(edge, dtype=np.int32), shape=compared.shape) for edge in edges)


def _differing_cells(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, scoring: ScoringParameters, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """1 in the cells whose features differ by at least `max_distance`, else 0: (H, W), uint8, the size of the frame."""
    if not scoring.has_features:
        return np.zeros(shape, dtype=np.uint8)
    differs = cell_distances(image_a, image_b) >= max(1, least_squared(scoring.max_distance))
    height, width = shape  # OpenCV wants (width, height)
    return np.asarray(cv2.resize(differs.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST))


def _outline(contour: NDArray[np.int32], *, shape: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
    """The corners (x, y) of the simplified contour, as fractions; lines go through the centres of its pixels.

    Simplified by the algorithm of Douglas and Peucker (1973).
    """
    height, width = shape
    corners = cv2.approxPolyDP(contour, _SIMPLIFICATION_PX, True)[:, 0].tolist()
    return tuple((round((x + 0.5) / width, _DIGITS), round((y + 0.5) / height, _DIGITS)) for x, y in corners)


def _difference_png(
    levels: NDArray[np.uint8],
    changed: NDArray[np.uint8],
    counting: list[NDArray[np.int32]],
    *,
    threshold: int,
    differing: NDArray[np.uint8],
) -> bytes:
    """The difference as PNG. In a shrunk picture a pixel is coloured if any of the pixels that it covers is."""
    inside = np.zeros_like(changed)
    cv2.drawContours(inside, counting, -1, 255, -1)
    counts, too_small = changed & inside, changed & ~inside
    if levels.shape[1] > PREVIEW_WIDTH:
        height = thumbnail_height(width=levels.shape[1], height=levels.shape[0], work_width=PREVIEW_WIDTH)
        levels = resize_area(levels, size=(height, PREVIEW_WIDTH))
        counts, too_small, differing = (
            _any_within(mask, shape=levels.shape) for mask in (counts, too_small, differing)
        )
    palette_indices = (np.minimum(levels, threshold) * np.uint16(_GREYS) // (threshold + 1)).astype(np.uint8)
    palette_indices[differing > 0] += np.uint8(_TINTED)
    palette_indices[too_small > 0] = _TOO_SMALL
    palette_indices[counts > 0] = _COUNTS
    return _palette_png(palette_indices)


def _any_within(mask: NDArray[np.uint8], *, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A mask at a smaller size: a pixel is set if any of the pixels that it covers is set."""
    height, width = shape  # OpenCV wants (width, height)
    shares = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return (np.asarray(shares) > 0).astype(np.uint8)


def _palette_png(palette_indices: NDArray[np.uint8]) -> bytes:
    """A PNG of 4 bits per pixel: a third of the size of OpenCV's PNG, as OpenCV writes no palettes."""
    height, width = palette_indices.shape
    image = Image.frombytes("P", (width, height), palette_indices.tobytes())
    tinted = _TINTED_GREYS if palette_indices.max() >= _TINTED else ()
    image.putpalette(bytes(sum((*_PALETTE, *tinted), ())))
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_DEFLATE_LEVEL)
    return file.getvalue()
