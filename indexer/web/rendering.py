"""Renders pages as text, and reads the files that go beside them."""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from indexer.escaping import page_command, printable
from indexer.web import charts
from indexer.web.review_models import AreaPage, ReviewPage
from indexer.web.view_models import (
    ImageView,
    OneFilePage,
    Overview,
    PairsPage,
    PairView,
    Site,
    StripPage,
)

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


def render_review(page: ReviewPage) -> str:
    """The HTML of the page of a review, without its pairs."""
    return _render("review.html", page, root="/")


def render_pair(pair: PairView, site: Site) -> str:
    """The HTML of one pair on the page of a review."""
    template = _ENVIRONMENT.get_template("pair.html")
    return template.render(pair=pair, site=site, root="/", live=True, alone=False, show_camera=True)


def render_one_file(page: OneFilePage) -> str:
    """The HTML of a whole report in one file."""
    return _render("one_file.html", page, root="")


def render_area(page: AreaPage) -> str:
    """The HTML of the page on which the ignored areas of a camera are drawn."""
    return _render("area.html", page, root="/")


def render_enter() -> str:
    """The HTML of the page that exchanges the token in its address for a cookie."""
    return _ENVIRONMENT.get_template("enter.html").render()


def render_problem(problem: str) -> str:
    """The HTML of a page that says why another cannot be shown."""
    return _ENVIRONMENT.get_template("problem.html").render(problem=problem)


def read_assets() -> dict[str, bytes]:
    """The bytes of the stylesheet and of the script of a report, by file name."""
    return _read_files(_HERE / "assets")


def read_server_assets() -> dict[str, bytes]:
    """The bytes of those of a report and of the scripts that only the server gives out, by file name."""
    return read_assets() | _read_files(_HERE / "assets" / "server")


def _read_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def _render(template: str, page: Any, *, root: str) -> str:
    return _ENVIRONMENT.get_template(template).render(page=page, site=page.site, root=root)


def _printable_value(value: Any) -> Any:
    """A value as it may go on a page; the templates' own markup passes unchanged."""
    return printable(value) if type(value) is str and not value.isprintable() else value


def _format_time(time: datetime | None) -> str:
    return "time unknown" if time is None else f"{time.day} {time:%B %Y %H:%M:%S}".removesuffix(":00")


def _format_day(time: datetime | None) -> str:
    return "time unknown" if time is None else f"{time:%A} {time.day} {time:%B %Y}"


def _format_clock(time: datetime | None) -> str:
    return "time unknown" if time is None else f"{time:%H:%M:%S}"


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


def _verdict_row(pair: PairView, paths: bool) -> str:
    """The exact values for a verdict's row in the CSV, as ASCII JSON; with empty paths unless `paths`.

    A line end, or a byte that is not UTF-8, in a path must not be changed.
    """
    stored_paths = pair.stored_paths if paths else ("", "")
    return json.dumps([pair.image.id, pair.other.id, *stored_paths, *pair.content_hashes])


def _content_hash(text: str) -> Markup:
    """The source of a Content-Security-Policy that allows exactly this stylesheet or script (CSP Level 3, 6.7.3)."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(f"'sha256-{digest}'")  # nothing in it is markup


def _inline(text: str) -> Markup:
    """A stylesheet or script of this package, to stand within its element as it is. Raises `ValueError` if it would end
    the element."""
    if "</" in text:
        raise ValueError("a stylesheet or script that ends its own element")
    return Markup(text)


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
    "day": _format_day,
    "clock": _format_clock,
    "when_beside": _format_time_beside,
    "span": _format_span,
    "apart": _format_distance,
    "short": _shorten,
    "alt": _alt_text,
    "verdict_row": _verdict_row,
    "points": _format_points,
    "integrity": _content_hash,
    "inline": _inline,
    "base": lambda path: path.rpartition("/")[2],
    "folder": lambda path: path[: path.rfind("/") + 1],
    "number": lambda value: f"{value:g}",
    "share": lambda value: "–" if value is None else f"{value:.0%}",
    "hour_bars": charts.hour_bars,
    "sweep_dots": charts.sweep_dots,
}
_ENVIRONMENT.globals |= {
    "hours_size": charts.HOURS_SIZE,
    "sweep_size": charts.SWEEP_SIZE,
    "command": page_command,
}
