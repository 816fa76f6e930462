"""Features of an image as rows of its thumbnail, and the distance of two images by them.

It promises a distance that is integer arithmetic on stored bytes, so it is equal on every machine: 0 for equal images,
and the same in both orders. It does not know how features are made (`indexer.imaging.network`), nor which distance is
too large.

Decision 0051: features are rows of the thumbnail.
"""

import numpy as np
from numpy.typing import NDArray

from indexer.domain.feature_layout import CHANNELS, GRID, NEUTRAL, UNIT, cells_per_row, feature_rows, frame_rows
from indexer.domain.masks import Mask
from indexer.imaging.masks import ignored_area, masked_planes

DISTANCE_UNIT = 2 * UNIT**2
"""Squared differences of a cell that are a distance of 1: then the angle between the two vectors has a cosine of 0."""
_CELL_PX = 16  # of the picture in which the mask is drawn


def quantized(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The cells of a feature map as bytes: each vector at length 127, its numbers rounded half to even, plus 128.

    Parameters
    ----------
    vectors : (rows, columns, channels), float32

    Returns
    -------
    (rows, columns, channels), uint8
    """
    exact = vectors.astype(np.float64)
    lengths = np.sqrt((exact * exact).sum(axis=2, keepdims=True))
    units = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
    return np.asarray(np.rint(UNIT * units) + NEUTRAL, dtype=np.uint8)


def without_ignored(cells: NDArray[np.uint8], *, mask: Mask) -> NDArray[np.uint8]:
    """A copy of the cells in which those are neutral of which the mask ignores more than half.

    Parameters
    ----------
    cells : (rows, columns, channels), uint8
    mask : Mask
    """
    rows, columns, _ = cells.shape
    ignored = ignored_area(mask, height=rows * _CELL_PX, width=columns * _CELL_PX)
    shares = ignored.reshape(rows, _CELL_PX, columns, _CELL_PX).mean(axis=(1, 3))
    kept = cells.copy()
    kept[shares > 1 / 2] = NEUTRAL
    return kept


def packed(cells: NDArray[np.uint8], *, width: int) -> NDArray[np.uint8]:
    """The cells as rows of a thumbnail of so many columns: (`feature_rows`, width), uint8.

    Each row has whole cells, in the order of the grid; what is left of it is neutral.
    """
    rows, of_row = feature_rows(width), cells_per_row(width)
    listed = np.full((rows * of_row, CHANNELS), NEUTRAL, dtype=np.uint8)
    listed[: GRID * GRID] = cells.reshape(GRID * GRID, CHANNELS)
    out = np.full((rows, width), NEUTRAL, dtype=np.uint8)
    out[:, : of_row * CHANNELS] = listed.reshape(rows, of_row * CHANNELS)
    return out


def unpacked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The cells in the last rows of a thumbnail: (rows, columns, channels), uint8."""
    width = image.shape[1]
    rows, of_row = feature_rows(width), cells_per_row(width)
    listed = image[image.shape[0] - rows :, : of_row * CHANNELS].reshape(rows * of_row, CHANNELS)
    return listed[: GRID * GRID].reshape(GRID, GRID, CHANNELS)


def masked_thumbnail(image: NDArray[np.uint8], *, mask: Mask, planes: int, features: bool = False) -> NDArray[np.uint8]:
    """A thumbnail as a wider mask makes it: (H, W), uint8, like `image`.

    Preprocessing paints the mask last, and the cells that a mask ignores become neutral last.

    Raises
    ------
    ImageRefusedError
        As `indexer.imaging.masks.masked`.
    ValueError
        If the height of the frame is not a multiple of `planes`.
    """
    rows = frame_rows(*image.shape, features=features)
    frame = masked_planes(image[:rows], mask=mask, planes=planes)
    if not features:
        return frame
    cells = without_ignored(unpacked(image), mask=mask)
    return np.vstack([frame, packed(cells, width=image.shape[1])])


def cell_distances(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The squared difference of each cell of two thumbnails: (rows, columns), int64, in 1 / `DISTANCE_UNIT`."""
    difference = unpacked(image_a).astype(np.int64) - unpacked(image_b)
    return np.asarray((difference * difference).sum(axis=2), dtype=np.int64)


def feature_distance(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> float:
    """The distance of two thumbnails of one shape: the largest of a cell, 0 to about 2."""
    return distance_of(int(cell_distances(image_a, image_b).max()))


def distance_of(squared: int) -> float:
    """The distance that a squared difference is."""
    return squared / DISTANCE_UNIT


def least_squared(distance: float) -> int:
    """The smallest squared difference that is at least this distance, exactly as `distance_of` gives it."""
    start = max(0, int(distance * DISTANCE_UNIT) - 2)
    return next(squared for squared in range(start, start + 5) if distance_of(squared) >= distance)
