"""Colour beside grey: against the formula written by hand, silent on grey pictures and on a new white balance."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.domain.masks import Mask
from indexer.imaging.chroma import chroma_planes, no_chroma
from indexer.imaging.masks import ignored_area, masked
from indexer.imaging.preprocessing import resize_area, thumbnail_height
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw

MASK = Mask((5, 10, 5, 0), ((70, 20, 10, 10),))
BARE = Mask((0, 0, 0, 0))
LOT, SIZE = Scene("lot", seed=3), (240, 320)


@pytest.fixture
def _optimised_again() -> Iterator[None]:
    """OpenCV's optimised code is on again after the test."""
    yield
    cv2.setUseOptimized(True)


def colours(height: int, width: int) -> np.ndarray:
    """A picture with colour in every part."""
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def small(things: tuple[Thing, ...] = (), *, seed: int = 0, light: Light | None = None) -> np.ndarray:
    """The lot at its working size: (240, 320, 3), uint8."""
    return resize_area(draw(LOT, things=things, light=light or Light(), seed=seed), size=SIZE)


def most_changed(image_a: np.ndarray, image_b: np.ndarray) -> int:
    """By how much the colour of two pictures differs, at most."""
    planes = zip(*(chroma_planes(image, gain=2, mask=MASK) for image in (image_a, image_b)), strict=True)
    return max(int(cv2.absdiff(*pair).max()) for pair in planes)


@pytest.mark.parametrize("gain", [1, 2, 8])
def test_the_planes_are_the_formula(gain: int) -> None:
    """Cb and Cr of the blurred picture, less their medians where it is looked at, times the gain, about 128."""
    image = colours(60, 90)
    blue, green, red = (cv2.GaussianBlur(image, (3, 3), 0)[:, :, place].astype(float) for place in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    seen = ~ignored_area(MASK, height=60, width=90)
    for plane, chroma in zip(
        chroma_planes(image, gain=gain, mask=MASK), (0.564 * (blue - luma), 0.713 * (red - luma)), strict=True
    ):
        wanted = np.clip(128 + gain * (chroma - np.median(chroma[seen])), 0, 255)
        assert np.abs(plane.astype(float) - wanted)[seen].max() < 0.51
        assert not plane[~seen].any()


@given(arrays.arrays(np.uint8, (12, 20)), st.integers(1, 8))
@settings(max_examples=50)
def test_a_grey_picture_has_no_colour(image_grey: np.ndarray, gain: int) -> None:
    """Whatever its levels, both planes are those of no colour at all, to the bit."""
    planes = chroma_planes(cv2.cvtColor(image_grey, cv2.COLOR_GRAY2BGR), gain=gain, mask=MASK)
    for plane, nothing in zip(planes, no_chroma((12, 20), mask=MASK), strict=True):
        assert np.array_equal(plane, nothing)
        assert np.array_equal(plane, masked(np.full((12, 20), 128, np.uint8), mask=MASK))


@pytest.mark.usefixtures("_optimised_again")
@pytest.mark.parametrize("size", [(1080, 1920), (576, 768), (480, 641)])
def test_planes_do_not_depend_on_simd(size: tuple[int, int]) -> None:
    """With OpenCV's optimised code off the bits are the same; shrinking three channels at once is shrinking each."""
    image = colours(*size)
    small_size = thumbnail_height(width=size[1], height=size[0], work_width=320), 320
    made = []
    for optimised in (False, True):
        cv2.setUseOptimized(optimised)
        made.append(np.vstack(chroma_planes(resize_area(image, size=small_size), gain=2, mask=MASK)))
    each = [resize_area(np.ascontiguousarray(image[:, :, place]), size=small_size) for place in range(3)]
    assert np.array_equal(*made)
    assert np.array_equal(resize_area(image, size=small_size), np.dstack(each))


@pytest.mark.parametrize("tint", [(0.95, 1.0, 1.05), (1.06, 1.0, 0.94), (1.0, 0.95, 1.0), (1.04, 1.04, 0.97)])
@pytest.mark.parametrize("place", ["lot", "gate", "road"])
def test_white_balance_may_drift(place: str, tint: tuple[float, float, float]) -> None:
    """Channels that are some per cent stronger or weaker change no pixel by as much as the threshold."""
    before = draw(Scene(place), seed=1)  # type: ignore[arg-type]
    after = np.clip(draw(Scene(place), seed=2) * np.array(tint), 0, 255).round().astype(np.uint8)  # type: ignore[arg-type]
    assert most_changed(*(resize_area(image, size=SIZE) for image in (before, after))) <= 30


def test_noise_of_each_channel_is_no_change() -> None:
    """A sensor whose three channels each have a noise of their own, five grey levels deep, is quiet at this size."""
    whole = draw(LOT)
    noisy = [
        np.clip(whole + np.random.default_rng(seed).normal(0, 5, whole.shape), 0, 255).round().astype(np.uint8)
        for seed in range(2)
    ]
    assert most_changed(*(resize_area(image, size=SIZE) for image in noisy)) <= 30


def test_a_car_does_not_tint_the_rest() -> None:
    """Beside a red car all is what it was, although it is a seventh of the frame."""
    without, with_car = (
        np.vstack(chroma_planes(small(things, seed=1), gain=2, mask=BARE))
        for things in ((), (Thing("car", 320, 360, 240, (50, 44, 190)),))
    )
    changed = (cv2.absdiff(without, with_car) > 30)[240:]
    assert changed[130:240, 100:220].mean() > 0.5
    assert not changed[:110].any()


@pytest.mark.parametrize("mask", [Mask((0, 0, 0, 0), ((0, 0, 100, 100),)), Mask((50, 50, 49, 49))])
def test_where_all_is_ignored_all_is_black(mask: Mask) -> None:
    """A picture of which nothing, or next to nothing, is looked at has its planes all the same."""
    for plane in chroma_planes(colours(20, 30), gain=2, mask=mask):
        assert not plane[ignored_area(mask, height=20, width=30)].any()
