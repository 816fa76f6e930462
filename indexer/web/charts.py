"""Small charts as numbers for SVG: the positions of bars and dots. Colours and captions are in the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from indexer.web.view_models import Hour, SweepPoint

HOURS_SIZE = (240, 64)
"""Width and height of the chart of hours, in the units of its SVG."""
SWEEP_SIZE = (480, 200)

_BAR, _GAP = 8, 2


@dataclass(frozen=True)
class Bar:
    """The bar of an hour: its left edge, and its heights for the images taken and kept, in the chart's units."""

    hour: int
    x: int
    taken: int
    kept: int
    label: str


def hour_bars(hours: Sequence[Hour]) -> list[Bar]:
    """The bars of a day, one for each hour. The highest fills the chart, and every count above 0 is visible."""
    highest = max((hour.taken for hour in hours), default=0) or 1
    height = HOURS_SIZE[1]

    def bar_height(count: int) -> int:
        return 0 if count == 0 else max(2, round(count * height / highest))

    return [
        Bar(
            number,
            number * (_BAR + _GAP) + 1,
            bar_height(hour.taken),
            bar_height(hour.kept),
            f"{number:02d} h: {hour.kept} of {hour.taken} kept",
        )
        for number, hour in enumerate(hours)
    ]


@dataclass(frozen=True)
class Dot:
    """A tried limit on the chart of a sweep: its position in the chart's units, and the share kept, 0 to 1."""

    x: float
    y: float
    share: float
    point: SweepPoint


def sweep_dots(points: Sequence[SweepPoint]) -> list[Dot]:
    """A dot for each tried limit at the minimum area in force; none if no point is the current one.

    x grows with the logarithm of the limit. y becomes smaller as the share that is kept grows, because y = 0 is the top
    of the chart.
    """
    current = next((point.min_contour_area for point in points if point.current), None)
    chosen = [point for point in points if point.min_contour_area == current and point.kept + point.duplicates]
    if not chosen:
        return []
    width, height = SWEEP_SIZE
    positions = [log(point.max_score + 1) for point in chosen]
    low, span = min(positions), (max(positions) - min(positions)) or 1
    shares = [point.kept / (point.kept + point.duplicates) for point in chosen]
    return [
        Dot(round((position - low) / span * width, 1), round((1 - share) * height, 1), share, point)
        for position, share, point in zip(positions, shares, chosen, strict=True)
    ]
