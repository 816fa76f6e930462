"""The distances of one image's features from those of others in an image buffer: compiled, else by numpy.

It promises the distances of `indexer.imaging.features`, exact below the limit. It does not know what they decide.
"""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from indexer.domain.feature_layout import cells_per_row, feature_rows
from indexer.imaging.features import cell_distances
from indexer.imaging.image_buffer import Slot, buffer_view, view
from indexer.imaging.kernel import cache as kernel_cache
from indexer.imaging.kernel.calls import DistancesCall

_AT_LIMIT = -1


def squared_distances(slot: Slot, offsets: NDArray[np.int64], *, alike: int, limit: int) -> NDArray[np.int64]:
    """The largest squared difference of a cell for each candidate, up to the first below `alike`: (M,), int64.

    From `limit` on it is -1.

    Parameters
    ----------
    slot : Slot
        Of the image.
    offsets : (N,), int64
        Of candidates of the same shape in the image's buffer.
    alike, limit : int
        Squared differences; the limit is not below `alike`.

    Raises
    ------
    EngineError, OSError
        If the buffer is gone, as `indexer.imaging.image_buffer.view`.
    """
    rows = feature_rows(slot.width)
    first_row = (slot.height - rows) * slot.stride
    distances = load_distances()
    if distances is None:
        return _by_numpy(slot, offsets, alike=alike, limit=limit)
    squared = np.empty(len(offsets), dtype=np.int64)
    compared = distances(
        buffer_view(slot),
        slot.offset + first_row,
        offsets + first_row,
        rows,
        slot.stride,
        cells_per_row(slot.width),
        alike,
        limit,
        squared=squared,
    )
    return squared[:compared]


def _by_numpy(slot: Slot, offsets: NDArray[np.int64], *, alike: int, limit: int) -> NDArray[np.int64]:
    image, squared = view(slot), list[int]()
    for offset in offsets.tolist():
        largest = int(cell_distances(image, view(replace(slot, offset=offset))).max())
        squared.append(largest if largest < limit else _AT_LIMIT)
        if largest < alike:
            break
    return np.array(squared, dtype=np.int64)


@cache
def load_distances() -> DistancesCall | None:
    """The compiled distances; None if they cannot be loaded. Loading is tried only once in a process.

    It takes 5 milliseconds, and most of a second if they are not compiled yet; so it is done with the search
    (`indexer.imaging.matching.load_kernel`), and not in the middle of a camera.
    """
    return kernel_cache.load_distances()
