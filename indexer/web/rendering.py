"""Renders pages as text, and reads the files that go beside them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from indexer.escaping import printable
from indexer.web import charts
from indexer.web.view_models import ImageView, Overview, PairsPage, PairView, StripPage

_HERE = Path(__file__).parent
_NAME_CHARS, _CAMERA_CHARS = 48, 40  # longest name in a strip, and longest camera name in an alternative text


def render_overview(page: Overview) -> str:
    """The HTML of a page of the overview."""
    return _render("overview.html", page, root="")


def render_strip(page: StripPage) -> str:
    """The HTML of a page of a camera's film strip."""
    return _render("strip.html", page, root="../../")


def render_pairs(page: PairsPage) -> str:
    """The HTML of a page of pairs, which are shown one at a time."""
    return _render("pairs.html", page, root="" if page.card is None else "../../")


def read_assets() -> dict[str, bytes]:
    """The bytes of the stylesheet and of the script, by file name."""
    return {file.name: file.read_bytes() for file in sorted((_HERE / "assets").iterdir())}


def _render(template: str, page: Any, *, root: str) -> str:
    return _ENVIRONMENT.get_template(template).render(page=page, site=page.site, root=root)


def _printable_value(value: Any) -> Any:
    """A value as it may go on a page; the templates' own markup passes unchanged."""
    return printable(value) if type(value) is str and not value.isprintable() else value


def _format_time(time: datetime | None) -> str:
    return "time unknown" if time is None else f"{time.day} {time:%B %Y %H:%M:%S}".removesuffix(":00")


def _format_time_beside(time: datetime | None, other: datetime | None) -> str:
    """A time, without its day if the other time has the same day."""
    same = time is not None and other is not None and time.date() == other.date()
    return f"{time:%H:%M:%S}" if same else _format_time(time)


def _format_span(ends: tuple[datetime | None, datetime | None]) -> str:
    """The first and the last time as text."""
    first, last = ends
    if first is None:
        return "no capture times"
    return _format_time(first) if first == last else f"{_format_time(first)} – {_format_time_beside(last, first)}"


def _format_distance(distance: timedelta | None) -> str:
    """The time between two captures, in its two largest units."""
    if distance is None:
        return "times unknown"
    seconds = abs(distance.total_seconds())
    if seconds < 1:
        return "taken in the same second"
    days, rest = divmod(round(seconds), 86_400)
    parts = [(days, "d"), (rest // 3600, "h"), (rest // 60 % 60, "min"), (rest % 60, "s")]
    words = [f"{number} {unit}" for number, unit in parts if number][:2]
    return f"taken {' '.join(words)} {'after' if distance > timedelta() else 'before'} the other"


def _shorten(text: str, max_chars: int = _NAME_CHARS) -> str:
    """A name, shortened in its middle if it is long."""
    escaped = printable(text)
    return escaped if len(escaped) <= max_chars else f"{escaped[: max_chars // 2 - 1]}…{escaped[-(max_chars // 2) :]}"


def _alt_text(image: ImageView, description: str) -> str:
    """An alternative text: what a picture shows, for people who cannot see it."""
    return f"camera {_shorten(image.camera, _CAMERA_CHARS)}, {_format_time(image.captured_at)}, {description}"


def _verdict_row(pair: PairView) -> str:
    """The exact values for a verdict's row in the CSV, as ASCII JSON.

    A line end, or a byte that is not UTF-8, in a path must not be changed.
    """
    return json.dumps([pair.image.id, pair.other.id, *pair.stored_paths, *pair.content_hashes])


def _format_points(points: tuple[tuple[int, int], ...]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable_value,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "when": _format_time,
    "when_beside": _format_time_beside,
    "span": _format_span,
    "apart": _format_distance,
    "short": _shorten,
    "alt": _alt_text,
    "verdict_row": _verdict_row,
    "points": _format_points,
    "base": lambda path: path.rpartition("/")[2],
    "number": lambda value: f"{value:g}",
    "share": lambda value: "–" if value is None else f"{value:.0%}",
    "hour_bars": charts.hour_bars,
    "sweep_dots": charts.sweep_dots,
}
_ENVIRONMENT.globals |= {"hours_size": charts.HOURS_SIZE, "sweep_size": charts.SWEEP_SIZE}
