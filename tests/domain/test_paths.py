"""Which paths lie below a folder."""

import pytest

from indexer.domain.paths import lies_at_or_below, lies_below


@pytest.mark.parametrize(
    ("path", "folder", "below"),
    [
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/a/b/c", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a", False),
        ("/a", "/", True),
        ("/", "/", False),
        ("/a", "/a/b", False),
    ],
)
def test_below(path: str, folder: str, below: bool) -> None:
    """A path lies below a folder if the folder is one of those above it; the root is above all others."""
    assert (lies_below(path, folder), lies_at_or_below(path, folder)) == (below, below or path == folder)
