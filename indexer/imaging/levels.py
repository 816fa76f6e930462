"""How values of more than 8 bits become grey levels: by a fixed scale that a person gives, or as decoders divide them.

It promises that what a picture shows is never silently lost on that way. It does not know where a scale comes from.

Decision: no scale is ever taken from the picture itself, nor from other pictures. One of its own for each picture would
make a warm person change every pixel of the frame. One from the first pictures that happened to come would make
decisions depend on the order of ingesting. So a picture that would be flat is refused, with the values that it has, and
a person says the scale: it is a part of the preparation in a profile, which a camera may have for itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.imaging.headers import ImageRefusedError

Levels = tuple[int, int]
"""The value that becomes black, and the one that becomes white."""

FULL_RANGE: Levels = (0, 65535)
"""Values are divided by 256, as decoders do, whatever is left of them."""

_MIN_SPAN = 2**13
"""Values that a picture must span: 32 of 256 grey levels, which is four times the floor that local contrast has."""
_MIN_HIGH = 2**14
"""What 14 bits cannot hold."""
_MAX_OUTLIER_SHARE = 0.001
"""Part of the pixels that may lie elsewhere: a third of the smallest change that counts in the built-in profiles."""


@dataclass(frozen=True)
class _UsedRange:
    low: int
    high: int
    """Between these lie all values but those of single pixels."""
    lossless: bool
    """Whether as many different values are left when they are divided by 256."""


def require_contrast_in_8_bits(stored: NDArray[np.uint16]) -> None:
    """Refuses a picture of 16-bit values that a division by 256 would leave flat.

    Parameters
    ----------
    stored : (H, W) or (H, W, C), uint16
        Without opacity.

    Notes
    -----
    Values of 10, 12 or 14 bits, hundredths of a Kelvin and dark frames of any camera: a person would change a handful
    of grey levels, which no threshold tells from noise. An 8-bit picture that was written with 16 bits loses nothing.
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
    """The picture in grey levels, black at the one value and white at the other, rounded half to even.

    Parameters
    ----------
    values : (H, W), uint16
    levels : Levels
        The first below the second.

    Raises
    ------
    ImageRefused
        If more than a thousandth of the pixels lie outside: something may come and go among them unseen.
    """
    low, high = levels
    outside = float(np.mean((values < low) | (values > high)))
    if outside > _MAX_OUTLIER_SHARE:
        used = _used_range(values)
        reason = f"{outside:.1%} of the 16-bit values {used.low} to {used.high} lie outside of the levels {low},{high}"
        raise ImageRefusedError("unreadable", reason)
    return _apply_scale(values, low=low, high=high)


def has_contrast_in_8_bits(stored: NDArray[np.uint16]) -> bool:
    """Whether a division by 256 leaves enough of a picture; see `require_contrast_in_8_bits`."""
    return _has_contrast_in_8_bits(_used_range(stored))


def stretched(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The picture in grey levels over the values that it has itself, (H, W): to be looked at, never to be compared."""
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
