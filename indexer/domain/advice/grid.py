"""The grid of cells that frames are divided into: which cells touch, and where they lie in the frame."""

from collections.abc import Sequence

from indexer.domain.advice.measurements import GRID_COLUMNS, GRID_ROWS
from indexer.domain.masks import Rectangle


def connected_groups(cells: Sequence[int]) -> list[list[int]]:
    """The cells in groups of neighbours, also over a corner."""
    groups: list[list[int]] = []
    for cell in cells:
        touching = [group for group in groups if any(_touch(cell, other) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([cell, *(other for group in touching for other in group)]))
    return groups


def _touch(cell: int, other: int) -> bool:
    (row, column), (other_row, other_column) = divmod(cell, GRID_COLUMNS), divmod(other, GRID_COLUMNS)
    return max(abs(row - other_row), abs(column - other_column)) <= 1


def rectangle_around(cells: Sequence[int]) -> Rectangle:
    """The rectangle around some cells, in per cent."""
    rows, columns = zip(*(divmod(cell, GRID_COLUMNS) for cell in cells), strict=True)
    left, top = 100 * min(columns) / GRID_COLUMNS, 100 * min(rows) / GRID_ROWS
    right, bottom = 100 * (max(columns) + 1) / GRID_COLUMNS, 100 * (max(rows) + 1) / GRID_ROWS
    return round(left, 1), round(top, 1), round(right - left, 1), round(bottom - top, 1)
