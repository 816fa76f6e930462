"""How much two prepared images differ: the change detection of the original script.

It does not know what number would be too much, nor what was done to the images before they came here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

REFERENCE_AREA = 640 * 480
"""The frame, in reference pixels: an area means the same share of the picture at every resolution."""


@dataclass(frozen=True)
class Evidence:
    """What one pair shows.

    Attributes
    ----------
    score : float
        Sum of the areas of the contours that count, in reference pixels (native pixels in the profile `original`).
    largest_contour : float
        Area of the largest contour, counting or not, in the same unit.
    contour_count : int
        Number of contours that count.
    changed_fraction : float
        Share of the pixels that differ by more than the threshold, before dilation, 0 to 1.
    """

    score: float
    largest_contour: float
    contour_count: int
    changed_fraction: float


def area_unit(height: int, width: int) -> float:
    """Reference pixels per pixel of a (height, width) image."""
    return REFERENCE_AREA / (width * height)


def changed_area(
    image_a: NDArray[np.uint8],
    image_b: NDArray[np.uint8],
    *,
    threshold: int,
    dilations: int,
    min_contour_area: float,
    unit: float,
    planes: int = 1,
) -> Evidence:
    """Area that differs between two prepared grey images, with what it is made of.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Prepared images of the same shape. The order does not matter.
    threshold : int, 0 to 255
        A pixel has changed if it differs by more than this many grey levels.
    dilations : int, at least 0
        How often the changed pixels grow by a 3x3 square (they may grow into the mask).
    min_contour_area : float, at least 0
        Contours below this area do not count; in the unit of the result.
    unit : float, above 0
        Area of one pixel in the unit of the result: `area_unit` or 1.
    planes : int, at least 1
        As in `difference`.

    Raises
    ------
    ValueError
        If the shapes differ, or are not of so many planes.

    Notes
    -----
    absdiff, threshold, dilate, external contours, `contourArea`: the original script's own sequence. Areas are
    multiples of one half, so their sum is exact in any order and is multiplied by the unit once, at the end.
    """
    changed = changed_pixels(difference(image_a, image_b, planes=planes), threshold=threshold)
    changed_fraction = cv2.countNonZero(changed) / changed.size
    areas = [cv2.contourArea(contour) for contour in contours(changed, dilations=dilations)]
    counting = [area for area in areas if area * unit >= min_contour_area]
    return Evidence(
        score=sum(counting) * unit,
        largest_contour=max(areas, default=0.0) * unit,
        contour_count=len(counting),
        changed_fraction=changed_fraction,
    )


def difference(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, planes: int = 1) -> NDArray[np.uint8]:
    """By how many levels two images of one shape differ.

    Parameters
    ----------
    image_a, image_b : (planes * H, W), uint8
        Grey, or several planes of one frame, one above the other.
    planes : int, at least 1

    Returns
    -------
    (H, W), uint8
        Of each pixel of the frame the largest difference in any plane, so that a change which several planes show
        counts once.

    Raises
    ------
    ValueError
        If the shapes differ, or are not of so many planes.
    """
    if image_a.shape != image_b.shape:
        raise ValueError(f"shapes differ: {image_a.shape} and {image_b.shape}")
    levels = np.asarray(cv2.absdiff(image_a, image_b), dtype=np.uint8)
    if planes == 1:
        return levels
    height, width = levels.shape
    if height % planes:
        raise ValueError(f"{height} rows are not {planes} planes of one height")
    return np.asarray(levels.reshape(planes, height // planes, width).max(axis=0), dtype=np.uint8)


def changed_pixels(difference: NDArray[np.uint8], *, threshold: int) -> NDArray[np.uint8]:
    """255 where a difference is above the threshold, 0 elsewhere: (H, W), uint8."""
    return np.asarray(cv2.threshold(difference, threshold, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)


def contours(changed: NDArray[np.uint8], *, dilations: int) -> Sequence[NDArray[np.int32]]:
    """The outer contours of changed pixels after they grew: each (N, 1, 2), int32, its points as (x, y)."""
    if dilations:  # OpenCV takes 0 iterations for a copy in some releases and for one iteration in others
        changed = np.asarray(cv2.dilate(changed, None, iterations=dilations))  # type: ignore[call-overload]
    outlines = cv2.findContours(changed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    return tuple(np.asarray(contour, dtype=np.int32) for contour in outlines)
