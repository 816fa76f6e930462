"""A watched folder: the folder is the truth, with reports and without."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexer.files import watched_folder
from indexer.files.inotify import EventKind, Inotify
from indexer.files.walking import Candidate, FolderListing, Skipped, list_folder
from indexer.files.watched_folder import WatchedFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with one image in a folder below."""
    put(tmp_path / "site" / "cam" / "a.jpg")
    return tmp_path / "site"


def put(path: Path) -> Path:
    """A file at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"1")
    return path


def looked_at(folder: Path) -> WatchedFolder:
    """The folder, without reports."""
    return WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=None)


def names(folder: Path, candidates: Iterable[Candidate]) -> list[str]:
    """The files by their paths below the folder."""
    return [os.path.relpath(candidate.path, folder) for candidate in candidates]


def test_a_walk_finds_what_ingest_would(folder: Path) -> None:
    """Images and videos are found, but none in hidden folders, quarantines and reports, and no other file."""
    for name in ("b.mp4", ".hidden/c.jpg", "own/.indexer-report", "own/d.jpg", "e.jpg.part", "f.txt", "._g.jpg"):
        put(folder / name)
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == ["b.mp4", "cam/a.jpg"]
    assert [watched.owns(str(folder / name)) for name in ("x.jpg", ".hidden/c.jpg", "../x.jpg")] == [True, False, False]


def test_a_look_lists_changed_folders_until_they_settle(folder: Path) -> None:
    """A look lists the folders that changed, once more at the next look, and those that are new with all below."""
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == ["cam/a.jpg"]
    assert names(folder, watched.look()) == ["cam/a.jpg"]
    assert names(folder, watched.look()) == []
    put(folder / "new" / "deep" / "b.jpg")
    put(folder / "cam" / "c.jpg")
    assert sorted(names(folder, watched.look())) == ["cam/a.jpg", "cam/c.jpg", "new/deep/b.jpg"]
    assert sorted(names(folder, watched.look())) == ["cam/a.jpg", "cam/c.jpg", "new/deep/b.jpg"]
    assert names(folder, watched.look()) == []


def test_a_file_made_while_the_folder_was_listed_is_found_at_the_next_look(folder: Path) -> None:
    """A file that does not change the time of its folder, as clocks of disks are coarse, is found by the next look."""
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == ["cam/a.jpg"]
    status = (folder / "cam").stat()
    put(folder / "cam" / "b.jpg")
    os.utime(folder / "cam", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert names(folder, watched.look()) == ["cam/a.jpg", "cam/b.jpg"]


def test_a_folder_that_is_away_and_back(folder: Path) -> None:
    """A folder that is gone has a problem and no files; when it is back, it counts as another one."""
    watched = looked_at(folder)
    list(watched.walk())
    assert (watched.check(), watched.problem) == (False, None)
    folder.rename(folder.parent / "away")
    assert (watched.check(), watched.problem) == (False, "No such file or directory")
    assert (names(folder, watched.look()), names(folder, watched.walk())) == ([], [])
    (folder.parent / "away").rename(folder)
    assert (watched.check(), watched.problem) == (True, None)
    assert names(folder, watched.walk()) == ["cam/a.jpg"]


def test_a_folder_reports_from_before_it_is_listed(folder: Path) -> None:
    """A file that is made while a folder is walked is found, reported, or both."""
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        found = set(names(folder, [next(walk := watched.walk())]))
        put(folder / "cam" / "late.jpg")
        found |= set(names(folder, walk))
        reported = {os.path.relpath(event.path, folder) for event in inotify.iter_events()}
        assert found | reported == {"cam/a.jpg", "cam/late.jpg"}


def test_a_folder_that_cannot_be_read_is_entered_when_it_can(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without the right to read is known with its reason, and its files are found when there is the right."""
    put(folder / "open" / "b.jpg")
    refused, problem = str(folder / "cam"), PermissionError(13, "Permission denied")

    def refuse(path: str, **how: Any) -> FolderListing:
        if path == refused:
            raise problem
        return list_folder(path, **how)

    monkeypatch.setattr(watched_folder, "list_folder", refuse)
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == ["open/b.jpg"]
    assert (watched.problem, watched.unreadable) == (None, {refused: "Permission denied"})
    assert names(folder, watched.enter_unreadable()) == []
    monkeypatch.undo()
    assert names(folder, watched.enter_unreadable()) == ["cam/a.jpg"]
    assert (watched.unreadable, names(folder, watched.enter_unreadable())) == ({}, [])


def test_a_folder_that_gives_names_alone_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may be listed and not entered, so that no file in it can be seen, is one that cannot be read."""
    skipped = Skipped(str(folder / "cam" / "a.jpg"), "Permission denied")
    monkeypatch.setattr(watched_folder, "list_folder", lambda _folder, **_: FolderListing((skipped,), ()))
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == []
    assert watched.unreadable == {str(folder): "Permission denied"}


def test_a_new_folder_is_entered(folder: Path) -> None:
    """A folder that was made while all are watched is listed with all that is in it, and reports from then on."""
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        list(watched.walk())
        put(folder / "new" / "deep" / "b.jpg")
        (event,) = inotify.iter_events()
        assert event.kind is EventKind.FOLDER_MADE
        assert watched.may_enter(event.path)
        assert names(folder, watched.enter(event.path)) == ["new/deep/b.jpg"]
        put(folder / "new" / "deep" / "c.jpg")
        assert {os.path.basename(event.path) for event in inotify.iter_events()} == {"c.jpg"}
        watched.stop_reports()
        put(folder / "new" / "deep" / "d.jpg")
        assert not [event for event in inotify.iter_events() if event.kind is EventKind.CLOSED]
