"""What is reckoned from the figures: two measurements are met by the fit, and what is twice as much costs twice."""

from typing import Any

import pytest

from tests.benchmarks import estimates, table


@pytest.fixture
def results() -> dict[str, Any]:
    """Figures of a machine where an image costs 1 ms and a pair 1 µs."""

    def seconds(keepers: float) -> float:
        return 100_000 * 1e-3 + keepers**2 / 2 * 1e-6

    grown = {"images": 100_000, "keepers": 5000, "compare_processor_s": seconds(5000)}
    many = {"images": 100_000, "keepers": 20_000, "processor_s": seconds(20_000)}
    return table.load() | {
        "growth": {"machine": {"cores": 2}, "result": {"images in one camera": [grown]}},
        "memory": {"machine": {"cores": 2}, "result": {"compare": many}},
    }


def test_fit_gives_back_what_was_put_in(results: dict[str, Any]) -> None:
    """The costs of an image and of a pair are found from two comparisons."""
    assert estimates.compare_s(results) == pytest.approx((1e-3, 1e-6))


def test_machines_of_different_speed_are_noticed(results: dict[str, Any]) -> None:
    """Comparisons by which an image would cost less than nothing are refused."""
    results["memory"]["result"]["compare"]["processor_s"] *= 20
    with pytest.raises(ValueError, match="take `growth` and `memory` again"):
        estimates.compare_s(results)


def test_compare_grows_with_the_square_of_the_keepers_of_a_camera(results: dict[str, Any]) -> None:
    """A million images of one camera, a tenth of them kept, are 1 000 s and 5 000 s; spread over ten, 1 000 and 500."""
    one, ten = (estimates.compare_hours(results, 1e6, cameras, 0.1) for cameras in (1, 10))
    assert (one * 3600, ten * 3600) == pytest.approx((6000, 1500))


def test_ingest_is_inside_times_cores() -> None:
    """Core seconds of a file are those of the command times its cores, by its files."""
    figure = {"machine": {"cores": 2}, "result": {"640x360": {"inside_s": 3.0, "frames": 1000}}}
    assert estimates.ingest_s({"ingest": figure}, "640x360") == pytest.approx(0.006)


def test_page_keeps_its_prose(results: dict[str, Any]) -> None:
    """Only what lies between two marks is made anew."""
    text = "# Before\n<!-- storage: what, here, there -->\nold\n<!-- until here -->\nafter\n"
    page = estimates.page(text, results)
    assert page.startswith(
        "# Before\n<!-- storage: what, here, there -->\n| what | here | there |\n| --- | --- | --- |\n"
    )
    assert page.endswith("|\n<!-- until here -->\nafter\n")
    assert "old" not in page
    assert estimates.page(page, results) == page
