"""Where the features of an image are in its thumbnail: in rows of their own, below the planes of the frame.

Features are vectors of a network, one for each cell of a grid over the frame. The module knows their number and their
form as bytes, and nothing of how they are made or compared (`indexer.imaging.features`).

Decision 0051: features are rows of the thumbnail.
"""

MEASURE = "efficientnet-lite0-block5-448-1"
"""The name of the measure, with its version: whatever changes a feature gets another one. It is part of a profile."""
GRID = 28
"""Rows and columns of cells."""
CHANNELS = 80
"""Numbers of a cell."""
NEUTRAL = 128
"""The byte of the number 0. A cell of zeros does not count."""
UNIT = 127
"""The length of the vector of a cell, before its numbers were rounded."""


def cells_per_row(width: int) -> int:
    """How many whole cells are in a row of a thumbnail of so many columns; the rest of the row is neutral."""
    return width // CHANNELS


def feature_rows(width: int) -> int:
    """How many rows the features take in a thumbnail of so many columns, at least `CHANNELS`."""
    return -(-GRID * GRID // cells_per_row(width))


def frame_rows(height: int, width: int, *, features: bool) -> int:
    """How many of the rows of a (height, width) thumbnail are planes of the frame."""
    return height - feature_rows(width) if features else height
