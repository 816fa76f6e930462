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

from indexer.imaging.headers import ImageRefused

Levels = tuple[int, int]
"""The value that becomes black, and the one that becomes white."""

FULL: Levels = (0, 65535)
"""Values are divided by 256, as decoders do, whatever is left of them."""

_USED_AT_LEAST = 2**13
"""Values that a picture must span: 32 of 256 grey levels, which is four times the floor that local contrast has."""
_REACHED_AT_LEAST = 2**14
"""What 14 bits cannot hold."""
_OUTLIERS = 0.001
"""Part of the pixels that may lie elsewhere: a third of the smallest change that counts in the built-in profiles."""


@dataclass(frozen=True)
class _Used:
    low: int
    high: int
    """Between these lie all values but those of single pixels."""
    lossless: bool
    """Whether as many different values are left when they are divided by 256."""


def require_kept(stored: NDArray[np.uint16]) -> None:
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
    used = _used(stored)
    if _is_kept(used):
        return
    raise ImageRefused(
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
    if outside > _OUTLIERS:
        used = _used(values)
        reason = f"{outside:.1%} of the 16-bit values {used.low} to {used.high} lie outside of the levels {low},{high}"
        raise ImageRefused("unreadable", reason)
    return _grey(values, low=low, high=high)


def is_kept(stored: NDArray[np.uint16]) -> bool:
    """Whether a division by 256 leaves enough of a picture; see `require_kept`."""
    return _is_kept(_used(stored))


def stretched(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The picture in grey levels over the values that it has itself, (H, W): to be looked at, never to be compared."""
    used = _used(values)
    return _grey(values, low=used.low, high=max(used.high, used.low + 1))


def _grey(values: NDArray[np.uint16], *, low: int, high: int) -> NDArray[np.uint8]:
    steps = np.rint((np.arange(65536, dtype=np.float64) - low) * (255.0 / (high - low)))
    return np.clip(steps, 0, 255).astype(np.uint8)[values]


def _is_kept(used: _Used) -> bool:
    return used.lossless or (used.high >= _REACHED_AT_LEAST and used.high - used.low >= _USED_AT_LEAST)


def _used(values: NDArray[np.uint16]) -> _Used:
    counts = np.bincount(values.ravel(), minlength=65536)
    below = np.cumsum(counts)
    low, high = np.searchsorted(below, [_OUTLIERS * values.size, (1 - _OUTLIERS) * values.size])
    kept = np.count_nonzero(counts.reshape(256, 256).any(axis=1))
    return _Used(int(low), int(high), np.count_nonzero(counts) == int(kept))
