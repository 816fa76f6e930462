"""Damage of every page of a database."""

from pathlib import Path

import pytest

from tests.support.command import Run
from tests.support.page_damage import HOWS, PAGE_BYTES, survive


@pytest.mark.drill
@pytest.mark.parametrize("how", HOWS)
def test_damage_of_every_page(lot: Path, run: Run, how: str) -> None:
    """Whichever page is damaged."""
    last = (lot / "indexer.db").stat().st_size // PAGE_BYTES
    assert set(survive(lot, run, list(range(last)), how)) == {0, 1}
