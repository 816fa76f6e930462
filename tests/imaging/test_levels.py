"""Levels: a fixed scale for deep values, rounded the same everywhere, and nothing lost without a word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.levels import require_contrast_in_8_bits, scaled


def ramp(low: int, high: int) -> np.ndarray:
    """(64, 64) values from one to another."""
    return np.linspace(low, high, 64 * 64).round().astype(np.uint16).reshape(64, 64)


@given(st.integers(0, 65534), st.integers(1, 65535), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_the_scale_is_linear(low: int, span: int, seed: int) -> None:
    """Black at the one value, white at the other, each between them where exact arithmetic puts it, to a half level."""
    high = min(65535, low + span)
    values = np.random.default_rng(seed).integers(low, high + 1, (16, 16)).astype(np.uint16)
    grey = scaled(values, levels=(low, high)).astype(np.float64)
    assert np.abs(grey - 255 * (values.astype(np.float64) - low) / (high - low)).max() <= 0.5 + 1e-9
    ends = scaled(np.array([[low, high]], dtype=np.uint16), levels=(low, high))
    assert ends.tolist() == [[0, 255]]


def test_single_pixels_may_lie_outside() -> None:
    """A thousandth of the pixels, as the dead ones of a sensor, is black or white; more is refused with the share."""
    values = ramp(30000, 31000)
    values.flat[:4] = 0
    assert (scaled(values, levels=(30000, 31000)).flat[:4] == 0).all()
    values.flat[:5] = 65535
    with pytest.raises(ImageRefusedError, match=r"0.1% of the 16-bit values .* lie outside of the levels 30000,31000"):
        scaled(values, levels=(30000, 31000))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (ramp(0, 65535), True),
        (ramp(16000, 25000), True),
        (ramp(16000, 24000), False),
        (ramp(0, 16383), False),
        (ramp(0, 1023), False),
        (ramp(29300, 31800), False),
        (ramp(0, 255) * 257, True),
        (ramp(0, 9) * 256, True),
        (np.full((64, 64), 30000, np.uint16), True),
        (ramp(0, 65535)[::8, ::8], True),
    ],
)
def test_what_a_division_leaves_flat_is_refused(values: np.ndarray, kept: bool) -> None:
    """A picture of at most 14 bits, or of less than 32 grey levels, is refused unless it loses nothing at all."""
    if kept:
        require_contrast_in_8_bits(values)
        return
    with pytest.raises(ImageRefusedError, match="would be nearly flat in 8 bits"):
        require_contrast_in_8_bits(values)


def test_a_few_bright_pixels_hide_nothing() -> None:
    """The values of single pixels do not make a flat picture a full one."""
    values = ramp(0, 1023)
    values.flat[:4] = 65535
    with pytest.raises(ImageRefusedError, match="16-bit values 2 to 1023 "):
        require_contrast_in_8_bits(values)
