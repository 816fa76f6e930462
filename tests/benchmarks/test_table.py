"""The benchmark's page and picture say what the committed results say, and nothing else."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.benchmarks import estimates, table
from tests.benchmarks.figures import BARS, SMALL, Bar

ISSUE = {
    "pairs": {"at least 10 times", "at least 30 times"},
    "compare": {"at least 10 times", "at most 0"},
    "wide": {"at most 2 times"},
    "ingest": {"at least 1.8 times"},
    "again": {"under 5 times"},
    "job": {"at most 1 times", "at most 0.8 times"},
    "memory": {"at most 500 MB", "at most 1000 MB"},
    "start": {"under 0.3 s"},
    "review": {"at most 100 ms", "at most 250 ms", "at most 150 ms", "at most 2 s", "at most 1.5 s", "at most 300 MB"},
    "exact": {"at most 0"},
}
"""The bars that the benchmark was made for."""


def test_page_and_picture_are_those_of_the_results() -> None:
    """Made again from results.json, both files and the table in docs/performance.md are as they are committed."""
    results = table.load()
    assert table.README.read_text() == table.readme(results)
    assert table.PICTURE.read_text() == table.picture(results)
    page = table.FRONT.read_text()
    assert (page.count(table.BEGIN), page.count(table.END)) == (1, 1)
    assert page == table.front(page, results)


def test_scale_is_that_of_the_results() -> None:
    """Every table of SCALE.md is what is reckoned from results.json, and there are five."""
    text = table.SCALE.read_text()
    assert text == estimates.page(text, table.load())
    assert text.count("<!-- until here -->") == 5


def test_every_bar_has_a_row() -> None:
    """Each bar is held against a number, and each has its row in the page."""
    found = {figure: {bar.text for bar in BARS if bar.figure == figure} for figure in ISSUE}
    assert found == ISSUE
    page = table.README.read_text()
    assert [bar.what for bar in BARS if f"| {bar.what} | {bar.text} |" not in page] == []


def test_every_figure_was_taken() -> None:
    """The results hold every figure, each with when, where and with what it was taken."""
    results = table.load()
    assert list(results) == list(SMALL)
    keys = {"measured_at", "commit", "machine", "versions", "small", "what", "result"}
    assert all(keys <= set(taken) <= keys | {"note"} for taken in results.values())


@pytest.mark.parametrize(
    ("relation", "limit", "value", "holds"),
    [("at least", 10, 10, True), ("at least", 10, 9.9, False), ("under", 5, 5, False), ("at most", 0, 0, True)],
)
def test_bars_hold_or_not(relation: str, limit: float, value: float, holds: bool) -> None:
    """A bar is met at its limit, unless it must stay under it."""
    assert Bar("it", "pairs", (), relation, limit, "").holds(value) is holds  # type: ignore[arg-type]


def test_a_broken_bar_is_shown() -> None:
    """A number that does not hold is marked as such, and one that was not taken is not passed over."""
    taken = {"pairs": table.load()["pairs"] | {"small": False, "result": {"all sampled": {"ratio": 9.0}}}}
    page = table.readme(taken)
    assert "| at least 30 times | 9 times | **no** |" in page
    assert "| at least 10 times | not measured |  |" in page


@pytest.mark.parametrize(("small", "kept"), [(False, {"small": False, "result": 2, "note": "why"}), (True, None)])
def test_a_figure_at_full_size_stays(small: bool, kept: dict[str, object] | None) -> None:
    """A figure taken again takes the older one's place and its note; a small one never that of one at full size."""
    older = {"small": False, "result": 1, "note": "why"}
    found = table.merged({"start": older}, "start", {"small": small, "result": 2})
    assert found == {"start": kept or older}


def test_picture_is_drawn_to_scale() -> None:
    """On logarithmic axes equal ratios are equal lengths; every line has its points."""
    results = table.load()
    rows = [{"images": n, "cameras": 1} | dict.fromkeys(_KEYS, float(n)) for n in (10, 100, 1000)]
    grown = results["growth"] | {"result": {"fresh": 0.1, "images in one camera": rows, "cameras": []}}
    tree = ElementTree.fromstring(table.picture({"growth": grown}))
    line = next(tree.iter("{http://www.w3.org/2000/svg}polyline")).get("points")
    (x1, y1), (x2, y2), (x3, y3) = (map(float, point.split(",")) for point in (line or "").split())
    assert (x2 - x1, y1 - y2) == pytest.approx((x3 - x2, y2 - y3), abs=0.2)


_COMMANDS = ("ingest", "compare", "a hundred more")
_KEYS = [f"{command}_{measured}" for command in _COMMANDS for measured in ("processor_s", "mb")]
