"""Two hundred hostile files among ten thousand good ones."""

import time
from pathlib import Path

import pytest

from tests.support.hostile_runs import drill


@pytest.mark.drill
def test_two_hundred_among_ten_thousand(tmp_path: Path) -> None:
    """The same of 10 000 good files and 200 hostile ones; the largest process stays below 1 GB."""
    begun = time.monotonic()
    outcomes, watch = drill(tmp_path, cameras=10, frames=1000, hostile=200, seconds=10)
    size = f"{watch.largest_mb:.0f} MB in the largest process, {watch.together_mb:.0f} MB together"
    print(dict(outcomes), size, f"{time.monotonic() - begun:.0f} s")  # noqa: T201 - the figures, shown with -rP
    assert watch.largest_mb < 1024
