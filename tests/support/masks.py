"""Pictures that are hard on whoever counts contours, white on black: each takes (height, width, seed, share)."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def noise(height: int, width: int, seed: int, share: float) -> Image:
    """Pixels changed at random."""
    return np.where(np.random.default_rng(seed).random((height, width)) < share, 200, 0).astype(np.uint8)


def spiral(height: int, width: int, seed: int, share: float) -> Image:
    """A line that winds inward, one pixel wide: one component of little area that encloses much."""
    image = np.zeros((height, width), dtype=np.uint8)
    left, top, right, bottom = 0, 0, width - 1, height - 1
    gap = 4 + seed % 9
    while right - left > gap and bottom - top > gap:
        cv2.rectangle(image, (left, top), (right, bottom), 255, 1)
        image[top + 1 : top + gap, left] = 0
        left, top, right, bottom = left + gap, top + gap, right - gap, bottom - gap
    return image


def corners(height: int, width: int, seed: int, share: float) -> Image:
    """Squares that touch at their corners only."""
    side = 1 + seed % 7
    rows, columns = np.indices((height, width)) // side
    return np.where((rows + columns) % 2 == 0, 90, 0).astype(np.uint8)


def rings(height: int, width: int, seed: int, share: float) -> Image:
    """Rings inside rings: contours that are no external ones."""
    image = np.zeros((height, width), dtype=np.uint8)
    step = 7 + seed % 6
    for radius in range(min(height, width) // 2, 0, -step):
        cv2.circle(image, (width // 2, height // 2), radius, 255, 1 + seed % 2)
    return image


def boxes(height: int, width: int, seed: int, share: float) -> Image:
    """Boxes anywhere, also over the border."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), dtype=np.uint8)
    for _ in range(1 + seed % 12):
        x, y = random.integers(-20, width), random.integers(-20, height)
        cv2.rectangle(
            image, (int(x), int(y)), (int(x + random.integers(1, 60)), int(y + random.integers(1, 60))), 99, -1
        )
    return image


def lines(height: int, width: int, seed: int, share: float) -> Image:
    """Thin lines, some along the border."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), dtype=np.uint8)
    for _ in range(1 + seed % 9):
        ends = random.integers(0, [width, height], (2, 2))
        cv2.line(image, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 255, 1)
    image[:, -1] = 255 * (seed % 2)
    return image


def nothing(height: int, width: int, seed: int, share: float) -> Image:
    """An empty picture."""
    return np.zeros((height, width), dtype=np.uint8)


def full(height: int, width: int, seed: int, share: float) -> Image:
    """Everything has changed."""
    return np.full((height, width), 255, dtype=np.uint8)


def comb(height: int, width: int, seed: int, share: float) -> Image:
    """Teeth that join at the bottom only: many components that turn out to be one."""
    image = np.zeros((height, width), dtype=np.uint8)
    image[:, :: 2 + seed % 7] = 255
    image[-1] = 255
    return image


DRAWINGS = (noise, spiral, corners, rings, boxes, lines, nothing, full, comb)
