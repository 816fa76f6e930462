"""What changed between two frames of a camera: the light, a thing, or something that cannot be told.

Where the texture is the same, only the light changed. Where there is no texture, nobody can tell. The module does not
know which frames are kept.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import LEVEL, Change, Rise

_MIN_CHANGE = 15  # levels
WINDOW_PX = 15
_SAME_TEXTURE = 0.75  # correlation over the window
_MIN_TEXTURE = 3.0  # levels, standard deviation over the window: flat below it in both frames
_MAX_MISFIT = 4.0  # levels, root mean square over a window: above it more than a gain changed there
_LIGHT, _THING, _UNCLEAR = 1, 2, 3
_FIT_WIDTH = 80  # pixels of the frames that a line is fitted to
_LOWEST, _HIGHEST = 5, 250  # levels: others may be clipped
_MIN_USABLE_SHARE = 0.1  # of the pixels, which are not clipped
_EVEN_LEVELS = 6.0
_FITS = 5
_MIN_FITTING_SHARE = 0.5  # of the frame: with less, the line is not that of the light
_GAINS = 0.4, 2.5  # of light: a sheet before the lens fits a line, too, and that line is level
_DIGITS = 3  # the last bits of a sum depend on where its numbers lie in memory


def change_kinds(
    image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, window_px: int = WINDOW_PX, local_light: bool = True
) -> NDArray[np.uint8]:
    """For each pixel: 0 unchanged, 1 other light, 2 another thing, 3 cannot be told.

    Parameters
    ----------
    image_a, image_b : (H, W), uint8
        Grey frames of one shape.
    window_px : int, odd
        Side of the window in which the texture is compared.
    local_light : bool
        Whether what changed by as much as the light in a window beside it is light. In frames that were shrunk to a few
        pixels such a window is no evidence.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Normalised cross-correlation over the window (Lewis, 1995). It does not change with brightness and contrast. But it
    says nothing where there is no texture, and around a thing or the edge of a shadow the window sees a part of it. So
    what changed by as much as the light changed all over the frame (`measure_rise`) is light, whatever its window says;
    and so is what changed by as much as the light did in a window beside it: patches of sun and shadow multiply the
    levels by gains that hardly differ from one place to the next. The gain is only taken from a window in which the
    texture is the same, and in which it explains all that changed.
    """
    if image_a.shape != image_b.shape:
        raise ValueError(f"frames of {image_a.shape} and {image_b.shape} cannot be compared")
    a, b = (np.asarray(cv2.GaussianBlur(image, (3, 3), 0), dtype=np.float32) for image in (image_a, image_b))

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window_px, window_px)), dtype=np.float32)

    mean_a, mean_b, square_a, square_b, product = mean(a), mean(b), mean(a * a), mean(b * b), mean(a * b)
    deviation_a = np.sqrt(np.maximum(square_a - mean_a**2, 0))
    deviation_b = np.sqrt(np.maximum(square_b - mean_b**2, 0))
    is_same = product - mean_a * mean_b > _SAME_TEXTURE * np.maximum(deviation_a * deviation_b, 1e-6)
    is_flat = np.maximum(deviation_a, deviation_b) < _MIN_TEXTURE
    is_light = _changed_as_the_frame(a, b)
    kinds = np.where(is_light, _LIGHT, np.where(is_flat, _UNCLEAR, np.where(is_same, _LIGHT, _THING)))
    kinds = np.where(np.abs(a - b) > _MIN_CHANGE, kinds, 0).astype(np.uint8)
    if not local_light:
        return kinds
    gain = mean_b / np.maximum(mean_a, 1)
    misfit = square_b - 2 * gain * product + gain**2 * square_a
    is_gain = is_same & ~is_flat & (misfit <= _MAX_MISFIT**2) & (gain >= _GAINS[0]) & (gain <= _GAINS[1])
    rows, columns = np.nonzero(kinds > _LIGHT)
    nearby = _changed_as_nearby(a, b, np.where(is_gain, gain, 0), at=(rows, columns), reach_px=window_px - 1)
    kinds[rows[nearby], columns[nearby]] = _LIGHT
    return kinds


def _changed_as_the_frame(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the levels changed as the light did all over the frame: (H, W), bool; nowhere if there is no such light."""
    line = _light_line(a, b) if a.std() >= _MIN_TEXTURE else None
    if line is None or line.even_share < _MIN_FITTING_SHARE or not _GAINS[0] <= line.gain <= _GAINS[1]:
        return np.zeros(a.shape, dtype=np.bool_)
    return np.asarray(np.abs(b - line.gain * a - line.offset) <= _EVEN_LEVELS, dtype=np.bool_)


def _changed_as_nearby(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    gain: NDArray[np.float32],
    *,
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    reach_px: int,
) -> NDArray[np.bool_]:
    """Which of N pixels changed as the light did in a window beside them: (N,), bool.

    `gain`: of the light in the window around each pixel, (H, W); 0 where nothing is known. `at`: rows and columns of
    the pixels.
    """
    rows, columns = at
    level_a, level_b = a[rows, columns], b[rows, columns]
    fits = np.zeros(len(rows), dtype=np.bool_)
    steps = (-reach_px, -(reach_px // 2), 0, reach_px // 2, reach_px)
    for down in steps:
        near_rows = np.clip(rows + down, 0, a.shape[0] - 1)
        for right in steps:
            near = gain[near_rows, np.clip(columns + right, 0, a.shape[1] - 1)]
            fits |= (near > 0) & (np.abs(level_b - near * level_a) <= _EVEN_LEVELS)
    return fits


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
    line = _light_line(image_a.astype(np.float32), image_b.astype(np.float32))
    if line is None:
        return LEVEL
    return Rise(round(line.levels, _DIGITS), round(line.offset, _DIGITS), round(line.even_share, _DIGITS))


@dataclass(frozen=True)
class _LightLine:
    """The levels of a frame as a line of those of another: gain * level + offset fits in `even_share` of the frame.
    `levels`: median of what was added."""

    gain: float
    offset: float
    levels: float
    even_share: float


def _light_line(image_a: NDArray[np.float32], image_b: NDArray[np.float32]) -> _LightLine | None:
    """The line that fits two frames of one shape; None if too few of their pixels are not clipped."""
    before, after = (_unclipped_blocks(image) for image in (image_a, image_b))
    usable = ~np.isnan(before) & ~np.isnan(after)
    if usable.mean() < _MIN_USABLE_SHARE:
        return None
    x, y = before[usable].astype(np.float64), after[usable].astype(np.float64)
    levels = float(np.median(y - x))
    gain, offset = 1.0, levels
    for _ in range(_FITS):
        error = np.abs(y - gain * x - offset)
        near = error <= max(4 * float(np.median(error)), _EVEN_LEVELS)
        gain, offset = _line(x[near], y[near])
    return _LightLine(gain, offset, levels, float((np.abs(y - gain * x - offset) <= _EVEN_LEVELS).mean()))


def _unclipped_blocks(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each block, NaN where it may be clipped: at most `_FIT_WIDTH` wide, float32."""
    by = max(image.shape[1] // _FIT_WIDTH, 1)
    size = max(image.shape[1] // by, 1), max(image.shape[0] // by, 1)
    small = np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
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
