"""What changed between two frames of a camera: the light, a thing, or something that cannot be told.

Where the texture is the same, only the light changed. Where there is no texture, nobody can tell. The module does not
know which frames are kept.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import Change

_MIN_CHANGE = 15  # levels
WINDOW_PX = 15
_SAME_TEXTURE = 0.75  # correlation over the window
_MIN_TEXTURE = 3.0  # levels, standard deviation over the window: flat below it in both frames
_LIGHT, _THING, _UNCLEAR = 1, 2, 3


def change_kinds(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, window_px: int = WINDOW_PX
) -> NDArray[np.uint8]:
    """For each pixel: 0 unchanged, 1 other light, 2 another thing, 3 cannot be told.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Grey frames of one shape.
    window_px : int, odd
        Side of the window in which the texture is compared.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Normalised cross-correlation over the window (Lewis, 1995). It does not change with brightness and contrast.
    """
    if image_a.shape != image_b.shape:
        raise ValueError(f"frames of {image_a.shape} and {image_b.shape} cannot be compared")
    a, b = (np.asarray(cv2.GaussianBlur(image, (3, 3), 0), dtype=np.float32) for image in (image_a, image_b))
    changed = np.abs(a - b) > _MIN_CHANGE

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window_px, window_px)), dtype=np.float32)

    mean_a, mean_b = mean(a), mean(b)
    deviation_a = np.sqrt(np.maximum(mean(a * a) - mean_a**2, 0))
    deviation_b = np.sqrt(np.maximum(mean(b * b) - mean_b**2, 0))
    covariance = mean(a * b) - mean_a * mean_b
    is_same = covariance > _SAME_TEXTURE * np.maximum(deviation_a * deviation_b, 1e-6)
    is_flat = np.maximum(deviation_a, deviation_b) < _MIN_TEXTURE
    kinds = np.where(is_flat, _UNCLEAR, np.where(is_same, _LIGHT, _THING))
    return np.where(changed, kinds, 0).astype(np.uint8)


def measure_change(kinds: NDArray[np.uint8]) -> Change:
    """The shares of the frame that changed in light, in things, and unclearly.

    Parameters
    ----------
    kinds : (H, W), uint8
        As `change_kinds` gives it.
    """
    counts = np.bincount(kinds.reshape(-1), minlength=4) / max(kinds.size, 1)
    return Change(light=float(counts[_LIGHT]), things=float(counts[_THING]), unclear=float(counts[_UNCLEAR]))


def things_in(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where another thing is: (H, W), bool."""
    return np.asarray(kinds == _THING, dtype=np.bool_)
