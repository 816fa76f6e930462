"""How values of more than 8 bits become grey levels: by a fixed scale that a person gives, or divided by 256.

It promises that this conversion never loses content silently. It does not know where a scale comes from.

Decision 0018: a scale never comes from the picture itself, nor from other pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Levels
from indexer.imaging.headers import ImageRefusedError

FULL_RANGE: Levels = (0, 65535)
"""Values are divided by 256, as decoders do, whatever contrast remains."""

_MIN_SPAN = 2**13
"""Smallest range of values in a picture: 32 of 256 grey levels, which is four times the floor of local contrast."""
_MIN_HIGH = 2**14
"""The smallest value that 14 bits cannot hold."""
_MAX_OUTLIER_SHARE = 0.001
"""Share of the pixels that may lie outside a range: a third of the smallest change that a built-in profile counts."""


@dataclass(frozen=True)
class _UsedRange:
    low: int
    high: int
    """`low` to `high` holds all values but those of the outliers, `_MAX_OUTLIER_SHARE` of the pixels at each end."""
    lossless: bool
    """Whether a division by 256 leaves as many different values as there were."""


def require_contrast_in_8_bits(stored: NDArray[np.uint16]) -> None:
    """Refuses a picture of 16-bit values that a division by 256 would leave flat.

    Parameters
    ----------
    stored : (H, W) or (H, W, C), uint16
        Without the alpha channel.

    Raises
    ------
    ImageRefusedError
        `unreadable`, with the range of the values.

    Notes
    -----
    Examples are values of 10, 12 or 14 bits, hundredths of a kelvin, and dark frames of any camera. In such a picture a
    person would change the pixels by a few grey levels only, which no threshold separates from noise. An 8-bit picture
    that is stored with 16 bits loses nothing and passes.
    """
    used = _used_range(stored)
    if _has_contrast_in_8_bits(used):
        return
    raise ImageRefusedError(
        "unreadable",
        f"16-bit values {used.low} to {used.high} would be nearly flat in 8 bits; give its camera a profile made with "
        "--levels LOW,HIGH",
    )


def scaled(values: NDArray[np.uint16], *, levels: Levels) -> NDArray[np.uint8]:
    """The picture in grey levels, (H, W), uint8: black at the first level, white at the second, rounded half to even.

    Parameters
    ----------
    values : (H, W), uint16
    levels : Levels
        The first is below the second.

    Raises
    ------
    ImageRefusedError
        `unreadable` if more than a thousandth of the pixels lie outside of the levels. A change among them would not be
        visible.
    """
    low, high = levels
    outside = float(np.mean((values < low) | (values > high)))
    if outside > _MAX_OUTLIER_SHARE:
        used = _used_range(values)
        reason = f"{outside:.1%} of the 16-bit values {used.low} to {used.high} lie outside of the levels {low},{high}"
        raise ImageRefusedError("unreadable", reason)
    return _apply_scale(values, low=low, high=high)


def has_contrast_in_8_bits(stored: NDArray[np.uint16]) -> bool:
    """Whether a division by 256 keeps enough contrast; see `require_contrast_in_8_bits`."""
    return _has_contrast_in_8_bits(_used_range(stored))


def stretched(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The picture with its own range of values stretched to 0 to 255: (H, W), uint8; to look at, not to compare."""
    used = _used_range(values)
    return _apply_scale(values, low=used.low, high=max(used.high, used.low + 1))


def _apply_scale(values: NDArray[np.uint16], *, low: int, high: int) -> NDArray[np.uint8]:
    steps = np.rint((np.arange(65536, dtype=np.float64) - low) * (255.0 / (high - low)))
    return np.clip(steps, 0, 255).astype(np.uint8)[values]


def _has_contrast_in_8_bits(used: _UsedRange) -> bool:
    return used.lossless or (used.high >= _MIN_HIGH and used.high - used.low >= _MIN_SPAN)


def _used_range(values: NDArray[np.uint16]) -> _UsedRange:
    counts = np.bincount(values.ravel(), minlength=65536)
    cumulative = np.cumsum(counts)
    low, high = np.searchsorted(cumulative, [_MAX_OUTLIER_SHARE * values.size, (1 - _MAX_OUTLIER_SHARE) * values.size])
    distinct_in_8_bits = np.count_nonzero(counts.reshape(256, 256).any(axis=1))
    return _UsedRange(int(low), int(high), np.count_nonzero(counts) == int(distinct_in_8_bits))
