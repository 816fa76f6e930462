"""Paths of this machine, as workers elsewhere open them."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.execution import map_path, serial
from indexer.execution.path_mapping import parse_path_mapping


@pytest.mark.parametrize(
    ("words", "path", "there"),
    [
        (["/data=/mnt"], "/data/a.png", "/mnt/a.png"),
        (["/data=/mnt"], "/data", "/mnt"),
        (["/data=/mnt"], "/database/a.png", "/database/a.png"),
        (["/data=/mnt", "/data/old=/old"], "/data/old/a.png", "/old/a.png"),
        (["/data/old=/old", "/data=/mnt"], "/data/older/a.png", "/mnt/older/a.png"),
        (["/data/=/mnt//cams/"], "/data/a.png", "/mnt/cams/a.png"),
        (["/=/mnt"], "/data/a.png", "/mnt/data/a.png"),
        (["/data=/"], "/data/a.png", "/a.png"),
        (["/a=/b", "/b=/c"], "/a/x", "/b/x"),
        (["/a=b=/c"], "/a=b/\udcff\n.png", "/c/\udcff\n.png"),
    ],
)
def test_paths(words: list[str], path: str, there: str) -> None:
    """A path changes by whole parts, by the longest FROM, once; all else stays as it is."""
    assert parse_path_mapping(words).map_path(path) == there


@pytest.mark.parametrize("words", [["/data"], ["data=/mnt"], ["/data=mnt"], ["=/mnt"], ["/data="], ["/a=/b", "/a=/c"]])
def test_words_that_say_nothing(words: list[str]) -> None:
    """What is not two absolute folders, or gives one folder two places, is refused."""
    with pytest.raises(UsageError, match="--map-path"):
        parse_path_mapping(words)


def test_workers_of_this_machine() -> None:
    """Where workers are here a path is what it is."""
    with serial() as spread:
        assert map_path(spread, "/data/a.png") == "/data/a.png"


def test_a_link_of_this_machine_is_followed(tmp_path: Path) -> None:
    """FROM may be a link: the index has the paths that it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    mounts = parse_path_mapping([f"{tmp_path / 'link'}=/mnt"])
    assert mounts.map_path(f"{tmp_path.resolve() / 'real'}/1.jpg") == "/mnt/1.jpg"
