"""Preparing: local contrast against plain numpy, the same bits with and without SIMD."""

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.domain.masks import Mask
from indexer.imaging import preprocessing
from indexer.imaging.kernel.cache import load_contrast
from indexer.imaging.masks import masked
from indexer.imaging.preprocessing import is_flat, local_contrast, preprocess, resize_area, thumbnail_height

MASK = Mask((5, 10, 5, 0))


@pytest.fixture
def _optimised_again() -> Iterator[None]:
    """OpenCV's optimised code is on again after the test."""
    yield
    cv2.setUseOptimized(True)


def noise(height: int, width: int) -> np.ndarray:
    """An image that is nowhere black."""
    return np.random.default_rng(height * width).integers(1, 256, (height, width), np.uint8)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (640, 480, 240),
        (1920, 1080, 180),
        (960, 1080, 360),
        (768, 432, 180),
        (640, 1, 1),
        (10_000, 1, 1),
        (640, 361, 180),
        (640, 363, 182),
        (64, 321, 1605),
    ],
)
def test_the_height_is_proportional(width: int, height: int, expected: int) -> None:
    """At 320 wide the height keeps the aspect: halves go to even, and one line always remains."""
    assert thumbnail_height(width=width, height=height, work_width=320) == expected


def contrast_by_hand(image_grey: np.ndarray) -> np.ndarray:
    """Local contrast, pixel by pixel, over borders mirrored without their edge (OpenCV's default)."""
    height, width = image_grey.shape
    side = int(width / 5) | 1
    framed = np.pad(image_grey.astype(np.int64), side // 2, mode="reflect")
    out = np.empty_like(image_grey)
    for row in range(height):
        for column in range(width):
            window = framed[row : row + side, column : column + side]
            mean, variance = window.mean(), max((window**2).mean() - window.mean() ** 2, 0)
            level = 128 + 50 * (image_grey[row, column] - mean) / np.sqrt(variance + 64)
            out[row, column] = min(max(round(level), 0), 255)
    return out


@given(arrays.arrays(np.uint8, st.tuples(st.integers(9, 14), st.integers(9, 34))))
@settings(max_examples=25, deadline=None)
def test_local_contrast_equals_plain_numpy(image_grey: np.ndarray) -> None:
    """The fast filters give what a loop over windows gives, at the borders too."""
    difference = local_contrast(image_grey).astype(int) - contrast_by_hand(image_grey)
    assert np.abs(difference).max() <= 1  # one level where a sum in another order crosses a half
    assert np.count_nonzero(difference) <= difference.size // 100


def contrast_as_written(image_grey: np.ndarray) -> np.ndarray:
    """Local contrast as the design writes it, one new array a step."""
    side = int(image_grey.shape[1] / 5) | 1
    mean = cv2.boxFilter(image_grey, cv2.CV_64F, (side, side))
    squared = image_grey if side <= 181 else image_grey.astype(np.float64)
    variance = np.maximum(cv2.sqrBoxFilter(squared, cv2.CV_64F, (side, side)) - mean * mean, 0.0)
    out = 128.0 + 50.0 * (image_grey - mean) / np.sqrt(variance + 64.0)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


@pytest.fixture(params=[True, False], ids=["compiled", "plain"])
def _contrast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local contrast by machine code from the first image on, or by OpenCV and numpy."""
    compiled = load_contrast(compiles=True) if request.param else None
    assert bool(compiled) == request.param
    monkeypatch.setattr(preprocessing, "load_compiled_contrast", lambda: compiled)
    monkeypatch.setattr(preprocessing, "IMAGES_BEFORE_COMPILED", 0)


@pytest.mark.usefixtures("_contrast")
@given(
    size=st.one_of(
        st.tuples(st.integers(1, 90), st.integers(1, 340)), st.tuples(st.integers(1, 30), st.integers(860, 930))
    ),
    levels=st.sampled_from([(0, 256), (0, 2), (254, 256), (100, 108), (37, 38)]),
    patch=st.tuples(st.integers(0, 90), st.integers(0, 340), st.integers(0, 255)),
    seed=st.integers(0, 99),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_local_contrast_has_the_bits_of_the_design(
    size: tuple[int, int], levels: tuple[int, int], patch: tuple[int, int, int], seed: int
) -> None:
    """No step that was saved shows in a single pixel, be the image noise, nearly flat, or both; compiled or not."""
    image = np.random.default_rng(seed).integers(*levels, size, np.uint8)
    image[: patch[0], : patch[1]] = patch[2]
    before = image.copy()
    assert np.array_equal(local_contrast(image), contrast_as_written(image))
    assert np.array_equal(image, before)


@pytest.mark.parametrize("width", [320, 904, 911, 1280, 4096])
@pytest.mark.parametrize("level", [40, 215, 249])
def test_local_contrast_is_right_at_any_width(width: int, level: int) -> None:
    """The squares of large bright windows are added up without overflow: within rounding, what exact sums give."""
    image = np.random.default_rng(width).integers(level - 6, level + 7, (40, width), np.uint8)
    image[10:30, width // 2 : width // 2 + 30] = 20
    side = int(width / 5) | 1
    padded = np.pad(image.astype(np.int64), side // 2, mode="reflect" if side // 2 < 40 else "symmetric")
    if side // 2 < 40:  # where OpenCV's border is numpy's
        sums = [np.cumsum(np.cumsum(np.pad(values, ((1, 0), (1, 0))), 0), 1) for values in (padded, padded**2)]
        mean, squares = (
            (s[side:, side:] - s[:-side, side:] - s[side:, :-side] + s[:-side, :-side]) / side**2 for s in sums
        )
        exact = 128 + 50 * (image - mean) / np.sqrt(np.maximum(squares - mean**2, 0) + 64)
        assert np.abs(local_contrast(image) - np.clip(exact, 0, 255)).max() <= 0.51
    changed = local_contrast(image)[10:30, width // 2 : width // 2 + 30]
    assert changed.max() < 60 or level == 40


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_flat_image_becomes_middle_grey(level: int) -> None:
    """Where nothing differs from its surroundings there is no contrast to raise."""
    assert set(local_contrast(np.full((40, 60), level, np.uint8)).flat) == {128}


def test_local_contrast_takes_out_brightness() -> None:
    """A scene and the same scene 40 levels brighter become the same image."""
    scene = np.random.default_rng(0).integers(20, 200, (60, 90), np.uint8)
    assert np.array_equal(local_contrast(scene), local_contrast(scene + 40))


def test_shrinking_averages() -> None:
    """A pixel of the smaller image is the mean of the pixels it stands for; sizes are (height, width)."""
    image = noise(40, 60)
    means = image.reshape(20, 2, 20, 3).mean(axis=(1, 3))
    out = resize_area(image, size=(20, 20))
    assert out.shape == (20, 20)
    assert np.abs(out - means).max() <= 0.5


@pytest.mark.parametrize("contrast", [False, True])
def test_preparing_is_blur_then_contrast_then_mask(contrast: bool) -> None:
    """The steps come in the order of the design: nothing is blurred into the mask."""
    image = noise(60, 80)
    blurred = cv2.GaussianBlur(image, (3, 3), 0)
    expected = masked(local_contrast(blurred) if contrast else blurred, mask=MASK)
    assert np.array_equal(preprocess(image, contrast=contrast, mask=MASK), expected)


@pytest.mark.parametrize(
    ("contrast", "digest"),
    [
        (True, "3a4f95131ea9fefc8c992584032bc7808d8738cf75ccb8ab92718fb4603f343d"),
        (False, "96a79c1be1f75885266f36f3db3a5bbc2f25ce01c44fd6dfdf5b4e6104b214bc"),
    ],
)
def test_thumbnails_are_the_same_bits_everywhere(contrast: bool, digest: str) -> None:
    """A pattern has the thumbnail that it had on OpenCV 4.10, 4.14 and 5.0: any of them can carry an index on."""
    row, column = np.mgrid[0:432, 0:768]
    pattern = (row * column // 700 + (row * row * 31 + column * column * 17 + row * column * 13) % 61) % 256
    thumbnail = preprocess(resize_area(pattern.astype(np.uint8), size=(180, 320)), contrast=contrast, mask=MASK)
    assert hashlib.sha256(thumbnail.tobytes()).hexdigest() == digest


@pytest.mark.usefixtures("_optimised_again")
@pytest.mark.parametrize("contrast", [False, True])
@pytest.mark.parametrize("size", [(1080, 1920), (576, 768), (480, 641)])
def test_thumbnails_do_not_depend_on_simd(size: tuple[int, int], contrast: bool) -> None:
    """With OpenCV's optimised code off, shrinking and preparing give the same bits."""
    image = noise(*size)
    height = thumbnail_height(width=size[1], height=size[0], work_width=320)
    made = []
    for optimised in (False, True):
        cv2.setUseOptimized(optimised)
        made.append(preprocess(resize_area(image, size=(height, 320)), contrast=contrast, mask=MASK))
    assert np.array_equal(*made)


@given(arrays.arrays(np.uint8, (40, 60), elements=st.sampled_from([0, 7, 128])), st.sampled_from([0, 128]))
@settings(max_examples=60, deadline=None)
def test_a_thumbnail_is_flat_if_it_has_one_level_where_it_is_looked_at(drawn: np.ndarray, level: int) -> None:
    """What is painted black does not count, be the rest black itself or not."""
    seen = masked(np.ones_like(drawn), mask=MASK) > 0
    thumbnail = masked(drawn, mask=MASK)
    assert is_flat(thumbnail, mask=MASK) == (len(np.unique(drawn[seen])) == 1)
    assert is_flat(masked(np.full_like(drawn, level), mask=MASK), mask=MASK)
    spotted = np.full_like(drawn, level)
    spotted[30, 30] += 1
    assert not is_flat(masked(spotted, mask=MASK), mask=MASK)


def test_shrinking_keeps_deep_values() -> None:
    """16-bit values are averaged as such."""
    values = np.full((8, 8), 29300, np.uint16)
    values[::2] = 29304
    assert np.array_equal(resize_area(values, size=(4, 4)), np.full((4, 4), 29302, np.uint16))
