"""The watched folders: what is said of them, and what a look notes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.domain.arrivals import Arrivals, ArrivalTimes
from indexer.workflows.context import SystemTime
from indexer.workflows.watch.sources import SourceOptions, WatchedSources

Look = Callable[[WatchedSources], None]


def sources_of(folder: Path) -> tuple[WatchedSources, Arrivals]:
    """A folder that is looked at, and the files that arrive in it; the index has none of them."""
    arrivals = Arrivals(ArrivalTimes())
    options = SourceOptions(is_polled=True)
    return WatchedSources([str(folder)], arrivals, options, list_unknown=list, time=SystemTime()), arrivals


@pytest.mark.parametrize("look", [WatchedSources.look, WatchedSources.walk], ids=["look", "walk"])
def test_a_folder_that_is_away_and_back_is_named(tmp_path: Path, look: Look) -> None:
    """Whether a look or a walk finds it first: a sentence says that a folder is away, and that it is back."""
    folder = tmp_path / "site"
    folder.mkdir()
    sources, _ = sources_of(folder)
    sources.walk()
    assert sources.notices == {}
    folder.rename(tmp_path / "away")
    for _ in range(2):
        look(sources)
    assert sources.notices[str(folder)].endswith("is away (No such file or directory); it is looked for again")
    (tmp_path / "away").rename(folder)
    look(sources)
    assert sources.notices[str(folder)].endswith("is back")


def test_a_look_can_leave_what_is_new(tmp_path: Path) -> None:
    """A look that is to find nothing new notes no file, but those of a folder that was away."""
    folder = tmp_path / "site"
    folder.mkdir()
    sources, arrivals = sources_of(folder)
    sources.walk()
    (folder / "a.jpg").touch()
    sources.look(finds_new=False)
    assert len(arrivals) == 0
    folder.rename(tmp_path / "away")
    sources.look(finds_new=False)
    (tmp_path / "away").rename(folder)
    sources.look(finds_new=False)
    assert len(arrivals) == 1


def test_a_look_can_leave_what_can_be_read_again(tmp_path: Path) -> None:
    """A folder that could not be read for a while is new, too: a look that is to find nothing new does not enter it."""
    folder = tmp_path / "site"
    (folder / "day").mkdir(parents=True)
    sources, arrivals = sources_of(folder)
    sources.walk()
    (folder / "day" / "a.jpg").touch()
    sources.folders[0].unreadable[str(folder / "day")] = "Input/output error"
    sources.look(finds_new=False)
    assert len(arrivals) == 0
    sources.look()
    assert len(arrivals) == 1
