"""What changed between two frames of a camera: the light, a thing, or something that cannot be told.

Where the texture is the same, only the light changed. Where there is no texture, nobody can tell. The module does not
know which frames are kept.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import LEVEL, Change, Rise

_MIN_CHANGE = 15  # levels
WINDOW_PX = 15
_SAME_TEXTURE = 0.75  # correlation over the window
_MIN_TEXTURE = 3.0  # levels, standard deviation over the window: flat below it in both frames
_LIGHT, _THING, _UNCLEAR = 1, 2, 3
_RISE_REDUCTION = 4
_LOWEST, _HIGHEST = 5, 250  # levels: others may be clipped
_MIN_USABLE_SHARE = 0.1  # of the pixels, which are not clipped
_EVEN_LEVELS = 6.0
_FITS = 5
_DIGITS = 3  # the last bits of a sum depend on where its numbers lie in memory


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


def measure_rise(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> Rise:
    """How the light rose from the first frame to the second, all over the frame.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Grey frames of one shape.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    The levels of the second frame are a line of those of the first: the slope is a gain, the intercept an offset. The
    line is fitted by least squares, again and again to the pixels that lie near it, so that things in a quarter of the
    frame do not count.
    """
    if image_a.shape != image_b.shape:
        raise ValueError(f"frames of {image_a.shape} and {image_b.shape} cannot be compared")
    before, after = (_unclipped_blocks(image) for image in (image_a, image_b))
    usable = ~np.isnan(before) & ~np.isnan(after)
    if usable.mean() < _MIN_USABLE_SHARE:
        return LEVEL
    x, y = before[usable].astype(np.float64), after[usable].astype(np.float64)
    levels = float(np.median(y - x))
    gain, offset = 1.0, levels
    for _ in range(_FITS):
        error = np.abs(y - gain * x - offset)
        near = error <= max(4 * float(np.median(error)), _EVEN_LEVELS)
        gain, offset = _line(x[near], y[near])
    even_share = float((np.abs(y - gain * x - offset) <= _EVEN_LEVELS).mean())
    return Rise(round(levels, _DIGITS), round(offset, _DIGITS), round(even_share, _DIGITS))


def _unclipped_blocks(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mean of each block, NaN where it may be clipped: (H // 4, W // 4), float32."""
    size = max(image.shape[1] // _RISE_REDUCTION, 1), max(image.shape[0] // _RISE_REDUCTION, 1)
    small = np.asarray(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    small[(small < _LOWEST) | (small > _HIGHEST)] = np.nan
    return small


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """The slope and the intercept with the least squares; a slope of 1 if all x are about the same."""
    spread = float(x.var())
    gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread >= 1 else 1.0
    return gain, float(y.mean() - gain * x.mean())


def equal_share(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> float:
    """The share of the pixels that have the very same level in both frames, 0 to 1.

    Pixels that may be clipped do not count. No two pictures of a sensor are equal, as it has noise; but where there is
    no texture, a camera may take the noise away. Then, or if nearly all pixels may be clipped, nothing is the same.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Grey frames; of another shape they have nothing in common.
    """
    if image_a.shape != image_b.shape:
        return 0.0
    usable = (image_a >= _LOWEST) & (image_a <= _HIGHEST)
    if usable.mean() < _MIN_USABLE_SHARE or image_a[usable].std() < _MIN_TEXTURE:
        return 0.0
    return float((image_a == image_b)[usable].mean())
