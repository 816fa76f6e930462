"""A small drawing of lines on logarithmic axes, as SVG: labelled, and readable on light and on dark."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 400, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 34, 44
_COLOURS = ("#d9742b", "#3f8fd2", "#3aa05f")
_STYLE = (
    "text{font:12px sans-serif;fill:#57606a}.axis{stroke:#8b949e;stroke-opacity:.35}.line{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}"
)


@dataclass(frozen=True)
class Panel:
    """One drawing: what its axes measure, and the points of each line by name."""

    across: str
    up: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def draw(panels: Sequence[Panel]) -> str:
    """The panels, two in a row, with one legend."""
    rows = -(-len(panels) // 2)
    width, height = 2 * _WIDTH, rows * _HEIGHT + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<style>{_STYLE}</style>",
    ]
    for number, name in enumerate(panels[0].lines if panels else ()):
        x = _LEFT + number * 170
        parts.append(f'<path class="line" stroke="{_COLOURS[number]}" d="M{x} 14h24"/>')
        parts.append(f'<text x="{x + 30}" y="18">{escape(name)}</text>')
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number % 2 * _WIDTH} {number // 2 * _HEIGHT + 24})">')
        parts += [*_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis: from and to as powers of ten, and where these lie on the drawing."""

    low: int
    high: int
    begin: float
    end: float

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _axis(values: Sequence[float], begin: float, end: float) -> _Axis:
    low = math.floor(math.log10(min(values)))
    return _Axis(low, max(low + 1, math.ceil(math.log10(max(values)))), begin, end)


def _panel(panel: Panel) -> Iterator[str]:
    points = [point for line in panel.lines.values() for point in line if min(point) > 0]
    if not points:
        return
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    across = _axis([x for x, _ in points], _LEFT, right)
    up = _axis([y for _, y in points], bottom, _TOP)
    for tick in across.ticks():
        x = across.place(tick)
        yield f'<path class="axis" d="M{x} {_TOP}V{bottom}"/>'
        yield f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{tick:,.10g}</text>'.replace(",", " ")
    for tick in up.ticks():
        y = up.place(tick)
        yield f'<path class="axis" d="M{_LEFT} {y}H{right}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:,.10g}</text>'.replace(",", " ")
    yield f'<text x="{(_LEFT + right) / 2}" y="{bottom + 34}" text-anchor="middle">{escape(panel.across)}</text>'
    yield f'<text x="{_LEFT}" y="{_TOP - 12}">{escape(panel.up)}</text>'
    for colour, line in zip(_COLOURS, panel.lines.values(), strict=False):
        yield from _line(colour, [(across.place(x), up.place(y)) for x, y in line if min(x, y) > 0])


def _line(colour: str, places: Sequence[tuple[float, float]]) -> Iterator[str]:
    yield f'<polyline class="line" stroke="{colour}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>'
    yield from (f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
