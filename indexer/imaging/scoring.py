"""How much two prepared images differ: the change detection of the original script.

This is the reference: `indexer.imaging.matching` gives the same scores, by these functions or by the compiled kernel.
The module does not know which score is too large, nor how the images were prepared.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import REFERENCE_PIXELS, Evidence


def area_unit(height: int, width: int) -> float:
    """The area of one pixel of a (height, width) image, in reference pixels."""
    return REFERENCE_PIXELS / (width * height)


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
    """The evidence of two prepared images: the changed area, and the contours and pixels that it is made of.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Prepared images of the same shape. The order does not matter.
    threshold : int, 0 to 255
        A pixel has changed if it differs by more than this many grey levels.
    dilations : int, at least 0
        How often the changed pixels are dilated by a 3x3 square (also into the mask).
    min_contour_area : float, at least 0
        Contours below this area do not count; in the unit of the result.
    unit : float, above 0
        Area of one pixel in the unit of the result: `area_unit` or 1.
    planes : int, at least 1
        As in `difference`.

    Raises
    ------
    ValueError
        If the shapes differ, or if the height is not a multiple of `planes`.

    Notes
    -----
    absdiff, threshold, dilate, external contours, `contourArea`: the sequence of the original script. Areas are
    multiples of one half, so their sum is exact in any order. It is multiplied by the unit once, at the end.
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
    """The number of levels by which two images of one shape differ, per pixel of the frame.

    Parameters
    ----------
    image_a, image_b : (planes * H, W), uint8
        Grey, or several planes of one frame, one above the other.
    planes : int, at least 1

    Returns
    -------
    (H, W), uint8
        The largest difference of a pixel in any plane, so that a change in several planes counts once.

    Raises
    ------
    ValueError
        If the shapes differ, or if the height is not a multiple of `planes`.
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
    """The outer contours of the changed pixels after dilation: each (N, 1, 2), int32, with points as (x, y)."""
    if dilations:  # 0 iterations are a copy in some releases of OpenCV and one iteration in others
        changed = np.asarray(cv2.dilate(changed, None, iterations=dilations))  # type: ignore[call-overload]
    outlines = cv2.findContours(changed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    return tuple(np.asarray(contour, dtype=np.int32) for contour in outlines)
