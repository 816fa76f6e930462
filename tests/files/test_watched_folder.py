"""A watched folder: the folder is the truth, with reports and without."""

import errno
import os
import shutil
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


@pytest.mark.parametrize("is_link", [False, True])
def test_what_takes_the_place_of_an_unreadable_folder_is_not_one(folder: Path, is_link: bool) -> None:
    """A folder that could not be read, and that is a file or a link now, is no unreadable folder any more."""
    watched = looked_at(folder)
    watched.unreadable[str(folder / "cam")] = "Permission denied"
    (folder / "cam").rename(folder.parent / "elsewhere")
    if is_link:
        (folder / "cam").symlink_to(folder.parent / "elsewhere")
    else:
        (folder / "cam").write_bytes(b"")
    assert (names(folder, watched.enter_unreadable()), watched.unreadable) == ([], {})


def test_a_folder_that_gives_names_alone_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may be listed and not entered, so that no file in it can be seen, is one that cannot be read."""
    skipped = Skipped(str(folder / "cam" / "a.jpg"), "Permission denied", is_refused=True)
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


def test_a_folder_that_was_made_again_reports(folder: Path) -> None:
    """A watched folder that was deleted and made again, which may have the same number on its disk, is another one."""
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        list(watched.walk())
        shutil.rmtree(folder)
        folder.mkdir()
        list(inotify.iter_events())
        assert watched.check()
        assert names(folder, watched.walk()) == []
        assert not watched.check()
        put(folder / "b.jpg")
        assert [event.path for event in inotify.iter_events() if event.kind is EventKind.CLOSED] == [
            str(folder / "b.jpg")
        ]


def test_a_folder_in_the_place_of_another_leaves_no_reports_of_that(folder: Path) -> None:
    """When another folder has the path of a watched one, nothing is asked for about the folders of the former."""
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        list(watched.walk())
        folder.rename(folder.parent / "old")
        folder.mkdir()
        assert watched.check()
        list(watched.walk())
        assert len(inotify) == 1


def test_links_that_take_the_place_of_folders_are_not_followed(folder: Path) -> None:
    """A look follows no link that is now where a folder was, neither to its files nor to those of folders below."""
    put(folder / "cam" / "deep" / "b.jpg")
    watched = looked_at(folder)
    assert names(folder, watched.walk()) == ["cam/a.jpg", "cam/deep/b.jpg"]
    (folder / "cam").rename(folder.parent / "elsewhere")
    (folder / "cam").symlink_to(folder.parent / "elsewhere")
    put(folder.parent / "elsewhere" / "deep" / "c.jpg")
    assert [names(folder, watched.look()) for _ in range(2)] == [[], []]
    assert watched.unreadable == {}


def test_a_link_in_the_place_of_the_folder_is_a_problem(folder: Path) -> None:
    """A watched folder whose path leads elsewhere by a link counts as away, and is back when it is there itself."""
    watched = looked_at(folder)
    list(watched.walk())
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")
    assert (watched.check(), watched.problem) == (False, "a symbolic link is in its path now")
    assert names(folder, watched.walk()) == []
    folder.unlink()
    (folder.parent / "elsewhere").rename(folder)
    assert (watched.check(), watched.problem) == (True, None)


def test_a_folder_that_cannot_be_reached_is_entered_when_it_can(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known folder that cannot be reached for a while, as the one above it may not be entered, is not forgotten."""
    put(folder / "cam" / "deep" / "b.jpg")
    watched = looked_at(folder)
    assert len(names(folder, watched.walk())) == 2
    real, deep = os.stat, str(folder / "cam" / "deep")

    def refuse(path: Any, **how: Any) -> os.stat_result:
        if path == deep:
            raise PermissionError(13, "Permission denied")
        return real(path, **how)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", refuse)
        list(watched.look())
        assert watched.unreadable == {deep: "Permission denied"}
        assert names(folder, watched.enter_unreadable()) == []
    assert names(folder, watched.enter_unreadable()) == ["cam/deep/b.jpg"]
    put(folder / "cam" / "deep" / "c.jpg")
    assert "cam/deep/c.jpg" in names(folder, watched.look())


def test_a_file_that_cannot_be_seen_makes_its_folder_unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reported file that the system does not show is not gone: its folder is entered when it can be read."""
    path = str(folder / "cam" / "a.jpg")
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        list(watched.walk())
        with monkeypatch.context() as patch:
            refused = Skipped(path, "Input/output error", is_refused=True)
            patch.setattr(watched_folder, "describe_path", lambda _path, **_: refused)
            assert watched.describe(path) is None
        assert watched.unreadable == {str(folder / "cam"): "Input/output error"}
        assert names(folder, watched.enter_unreadable()) == ["cam/a.jpg"]
        (folder / "cam" / "a.jpg").unlink()
        assert (watched.describe(path), watched.unreadable) == (None, {})


def test_an_error_of_one_folder_stops_no_reports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the kernel cannot report about one folder, that one is unreadable; if it reports about no more, that is an
    error."""
    with closing(Inotify()) as inotify:
        watched = WatchedFolder(str(folder), argument_folders=frozenset({str(folder)}), inotify=inotify)
        real, code = Inotify.add, errno.EIO

        def refuse(inotify: Inotify, path: str) -> None:
            if path == str(folder / "cam"):
                raise OSError(code, os.strerror(code))
            real(inotify, path)

        monkeypatch.setattr(Inotify, "add", refuse)
        assert names(folder, watched.walk()) == []
        assert watched.unreadable == {str(folder / "cam"): "Input/output error"}
        code = errno.ENOSPC
        with pytest.raises(OSError, match="space"):
            list(watched.walk())
