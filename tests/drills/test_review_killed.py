"""Two hundred verdicts, while the server is killed again and again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.review_kill_runs import all_changes, make_compared, rows_of, send_with_kills


@pytest.mark.drill
def test_two_hundred_verdicts(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """After twenty kills each of two hundred verdicts that were answered is there exactly once, and no other."""
    make_compared(tmp_path, images=24)
    changes = all_changes(tmp_path / "indexer.db", 200)
    within = send_with_kills(tmp_path, changes, kills=20, seed=1)
    record_property("killed with a request", within)
    expected = [(*change["pair"], change["after"]["verdict"], "Ada") for change in changes]
    assert rows_of(tmp_path) == sorted(expected)
