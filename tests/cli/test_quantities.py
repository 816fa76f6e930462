"""Sizes and durations as people type them."""

import pytest

from indexer.cli.quantities import parse_duration, parse_size
from indexer.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("0", 0), ("500", 500), ("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("2tb", 2 * 10**12), (" 1kB ", 1000)],
)
def test_sizes(text: str, size_bytes: int) -> None:
    """A number with a unit of thousands; without one it is bytes."""
    assert parse_size(text, option="--min-free") == size_bytes


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("8h", 28_800), ("2D", 172_800)])
def test_durations(text: str, seconds: float) -> None:
    """A number with a unit; without one it is seconds."""
    assert parse_duration(text, option="--duration") == seconds


@pytest.mark.parametrize("text", ["", "much", "-1GB", "1e9", "1 G B", "1GiB", "٣"])
def test_what_is_no_quantity(text: str) -> None:
    """An error that names the option."""
    with pytest.raises(UsageError, match="--min-free"):
        parse_size(text, option="--min-free")
    with pytest.raises(UsageError, match="--duration"):
        parse_duration(text or "0", option="--duration")
