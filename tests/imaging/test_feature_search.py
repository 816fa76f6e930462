"""The distances of one image from many are those of brute force, in machine code and by numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.feature_layout import CHANNELS, GRID, cells_per_row, feature_rows
from indexer.imaging import feature_search
from indexer.imaging.feature_search import squared_distances
from indexer.imaging.features import cell_distances, packed
from indexer.imaging.image_buffer import ImageBuffer, required_bytes

LARGEST = CHANNELS * 255**2
"""Of two cells of any bytes, also such as no vector has."""


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code, or numpy where there is none."""
    if request.param == "plain":
        monkeypatch.setattr(feature_search, "load_distances", lambda: None)


def drawn(seed: int, spread: int, width: int) -> NDArray[np.uint8]:
    """An image of a few rows, with features that differ from those of any other by up to a spread in every byte."""
    cells = np.random.default_rng(seed).integers(128 - spread, 128 + spread, (GRID, GRID, CHANNELS), endpoint=True)
    return np.vstack(
        [np.full((5, width), seed, np.uint8), packed(np.clip(cells, 0, 255).astype(np.uint8), width=width)]
    )


def brute_force(images: list[NDArray[np.uint8]], *, alike: int, limit: int) -> list[int]:
    """What is asked for, from the distance of every cell."""
    largest = [int(cell_distances(images[0], image).max()) for image in images[1:]]
    nearer = [index for index, squared in enumerate(largest) if squared < alike]
    return [squared if squared < limit else -1 for squared in largest[: nearer[0] + 1 if nearer else None]]


@settings(deadline=None, max_examples=30)
@given(
    spreads=st.lists(st.sampled_from([0, 1, 3, 20, 128]), min_size=1, max_size=6),
    width=st.sampled_from([80, 128, 320, 333, 1024]),
    alike=st.sampled_from([0, 1, 900, 3000, 200_000, 2 * LARGEST]),
    limit=st.sampled_from([0, 1, 900, 3000, 200_000, 2 * LARGEST]),
)
def test_distances_are_those_of_brute_force(spreads: list[int], width: int, alike: int, limit: int) -> None:
    """To the last bit, up to the first that is nearer than the one limit; from the other limit on they are -1."""
    images, limit = [drawn(seed, spread, width) for seed, spread in enumerate([3, *spreads])], max(alike, limit)
    with ImageBuffer(required_bytes([image.shape for image in images]), shared=False) as buffer:
        slot, *others = [buffer.put(image) for image in images]
        offsets = np.array([other.offset for other in others], dtype=np.int64)
        assert squared_distances(slot, offsets, alike=alike, limit=limit).tolist() == brute_force(
            images, alike=alike, limit=limit
        )


@pytest.mark.parametrize("cell", [0, 1, 3, 4, 391, GRID * GRID - 1])
@pytest.mark.parametrize("byte", [0, 15, 16, CHANNELS - 1])
def test_every_byte_counts(cell: int, byte: int) -> None:
    """A single byte of any cell is a difference, the largest that there is; nothing beside the cells is one."""
    image = drawn(1, 0, 333)
    row, column = divmod(cell, cells_per_row(333))
    other = image.copy()
    other[:5], other[-feature_rows(333) :, 320:] = 77, 99
    same = other.copy()
    other[5 + row, column * CHANNELS + byte] = 255
    with ImageBuffer(required_bytes([image.shape] * 3), shared=False) as buffer:
        slot, *others = [buffer.put(one) for one in (image, other, same)]
        offsets = np.array([one.offset for one in others], dtype=np.int64)
        assert squared_distances(slot, offsets, alike=0, limit=LARGEST).tolist() == [127**2, 0]


def test_buffer_is_not_read_beyond_its_end() -> None:
    """The last image of a buffer that is full is compared as any other."""
    images = [drawn(seed, 3, 320) for seed in range(3)]
    with ImageBuffer(required_bytes([image.shape for image in images]), shared=True) as buffer:
        slots = [buffer.put(image) for image in images]
        offsets = np.array([slots[-1].offset] * 3, dtype=np.int64)
        expected = int(cell_distances(images[0], images[-1]).max())
        assert squared_distances(slots[0], offsets, alike=0, limit=LARGEST).tolist() == [expected] * 3
