"""Two thousand random histories of removals."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.history_runs import PROCESSES, lived


@pytest.mark.drill
def test_two_thousand_histories_lose_nothing(scratch: Path, record_property: Callable[[str, object], None]) -> None:
    """The same of two thousand."""
    ends = lived(scratch, first_seed=1000, histories=2000)
    record_property("histories", [words for _, words in ends])
    print(*(words for _, words in ends))  # noqa: T201 - the seeds and figures of the drill, shown with -rP
    assert [code for code, _ in ends] == [0] * PROCESSES, ends
