"""Which paths lie below a folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.paths import lies_at_or_below, lies_below, list_below


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


@given(st.lists(st.text("ab-/0", max_size=6).map(lambda name: f"/{name}")), st.text("ab-/0", max_size=4))
def test_sorted_paths_below_a_folder(paths: list[str], name: str) -> None:
    """The paths below a folder among sorted ones are those that lie below it one by one."""
    ordered, folder = sorted(set(paths)), f"/{name}"
    assert list(list_below(ordered, folder)) == [path for path in ordered if lies_below(path, folder)]
