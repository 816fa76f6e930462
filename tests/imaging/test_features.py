"""Features as rows of a thumbnail, and their distance: exact, symmetric, and 0 for equal images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from indexer.domain.feature_layout import CHANNELS, GRID, NEUTRAL, feature_rows
from indexer.domain.masks import Mask
from indexer.imaging.features import (
    DISTANCE_UNIT,
    cell_distances,
    distance_of,
    feature_distance,
    least_squared,
    masked_thumbnail,
    packed,
    quantized,
    unpacked,
    without_ignored,
)
from indexer.imaging.kernel.distances import CELL_BYTES

MASK = Mask((5, 10, 5, 0), (), None)
seeds = st.integers(0, 2**32 - 1)


def cells_of(seed: int) -> NDArray[np.uint8]:
    """The features of an image of nothing in particular."""
    return quantized(np.random.default_rng(seed).normal(size=(GRID, GRID, CHANNELS)).astype(np.float32))


@settings(deadline=None, max_examples=20)
@given(seed=seeds, width=st.sampled_from([80, 128, 320, 333, 4096]))
def test_packing_loses_nothing(seed: int, width: int) -> None:
    """The rows of a thumbnail hold all cells, at any width."""
    cells = cells_of(seed)
    rows = packed(cells, width=width)
    assert rows.shape == (feature_rows(width), width)
    assert np.array_equal(unpacked(np.vstack([np.zeros((7, width), np.uint8), rows])), cells)


def test_at_usual_width_features_are_not_above_64_kb() -> None:
    """At 320 columns the rows are the cells, and nothing else."""
    assert packed(cells_of(1), width=320).size == GRID * GRID * CHANNELS < 64_000


@settings(deadline=None, max_examples=30)
@given(seed_a=seeds, seed_b=seeds)
def test_distance_is_symmetric_and_0_for_equal_images(seed_a: int, seed_b: int) -> None:
    """In both orders it is the same number, from 0 up to about 2, and an image is 0 from itself."""
    image_a, image_b = (packed(cells_of(seed), width=320) for seed in (seed_a, seed_b))
    distance = feature_distance(image_a, image_b)
    assert distance == feature_distance(image_b, image_a)
    assert 0 <= distance < 2.2
    assert feature_distance(image_a, image_a.copy()) == 0.0


@settings(deadline=None, max_examples=30)
@given(seed_a=seeds, seed_b=seeds)
def test_distance_is_one_minus_the_cosine(seed_a: int, seed_b: int) -> None:
    """Up to the rounding of the numbers it is the cosine distance of the cells."""
    image_a, image_b = (packed(cells_of(seed), width=320) for seed in (seed_a, seed_b))
    a, b = (unpacked(image).astype(float) - NEUTRAL for image in (image_a, image_b))
    cosines = (a * b).sum(axis=2) / np.sqrt((a * a).sum(axis=2) * (b * b).sum(axis=2))
    assert np.allclose(cell_distances(image_a, image_b) / DISTANCE_UNIT, 1 - cosines, atol=0.03)


@given(distance=st.floats(0, 3, allow_nan=False))
def test_limits_in_whole_numbers_are_exact(distance: float) -> None:
    """A squared difference reaches a limit exactly if the distance that it is does."""
    least = least_squared(distance)
    assert distance_of(least) >= distance
    assert least == 0 or distance_of(least - 1) < distance


@given(vectors=arrays(np.float32, (2, 3, CHANNELS), elements=st.floats(-100, 100, width=32)))
def test_every_feature_map_has_bytes(vectors: NDArray[np.float32]) -> None:
    """No number leaves its byte, and a vector of zeros becomes neutral."""
    cells = quantized(vectors).astype(int) - NEUTRAL
    assert cells.min() >= -127
    assert cells.max() <= 127
    silent = ~vectors.any(axis=2)
    assert not cells[silent].any()


def test_cells_that_are_ignored_by_more_than_half_do_not_count() -> None:
    """Of the border of 10 per cent above, two rows of cells and most of the third are ignored; of that of 5 per cent
    at the left, the first column and a part of the second, which counts."""
    kept = without_ignored(cells_of(3), mask=MASK)
    ignored = (kept == NEUTRAL).all(axis=2)
    assert ignored[:3].all()
    assert ignored[:, 0].all()
    assert ignored[:, -1].all()
    assert not ignored[3:, 1:-1].any()


def test_wider_mask_over_a_thumbnail_is_that_of_its_features() -> None:
    """Painting a wider mask over a thumbnail with features gives what that mask would have made."""
    wider = Mask(MASK.border, ((40.0, 40.0, 30.0, 30.0),), None)
    cells = cells_of(4)
    frame = np.full((180, 320), 100, np.uint8)
    thumbnail = np.vstack([frame, packed(without_ignored(cells, mask=MASK), width=320)])
    painted = masked_thumbnail(thumbnail, mask=wider, planes=1, features=True)
    assert np.array_equal(unpacked(painted), without_ignored(cells, mask=wider))
    assert np.array_equal(painted[:180], masked_thumbnail(frame, mask=wider, planes=1))


def test_frames_without_features_are_no_features() -> None:
    """A thumbnail of chroma planes of another height is refused, as everywhere."""
    with pytest.raises(ValueError, match="equal division"):
        masked_thumbnail(np.zeros((10, 320), np.uint8), mask=MASK, planes=3)


def test_kernel_has_the_size_of_a_cell() -> None:
    """The constant in the machine code is that of the layout."""
    assert CELL_BYTES == CHANNELS
