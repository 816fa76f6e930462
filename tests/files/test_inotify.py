"""Reports of the kernel about folders: each by the path that the folder has now, and lost ones reported."""

import os
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from indexer.files.inotify import EventKind, FileEvent, Inotify

MADE, CLOSED, GONE = EventKind.CREATED, EventKind.CLOSED, EventKind.GONE


@pytest.fixture
def inotify() -> Iterator[Inotify]:
    """An empty queue of reports."""
    with closing(Inotify()) as queue:
        yield queue


def events(inotify: Inotify, folder: Path) -> list[tuple[EventKind, str]]:
    """What is reported now, by the path below a folder."""
    return [(event.kind, os.path.relpath(event.path, folder)) for event in inotify.iter_events()]


def test_a_file_is_made_closed_renamed_and_deleted(inotify: Inotify, tmp_path: Path) -> None:
    """Each step of a file is reported once, with any name that a disk can hold."""
    inotify.add(str(tmp_path))
    odd = os.fsdecode(b"odd \xff\n.jpg")
    (tmp_path / odd).write_bytes(b"1")
    assert events(inotify, tmp_path) == [(MADE, odd), (CLOSED, odd)]
    (tmp_path / odd).rename(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").unlink()
    assert events(inotify, tmp_path) == [(GONE, odd), (CLOSED, "b.jpg"), (GONE, "b.jpg")]
    assert events(inotify, tmp_path) == []


def test_a_folder_that_was_renamed_reports_by_its_new_name(inotify: Inotify, tmp_path: Path) -> None:
    """After a rename a folder reports nothing until it is added again, and then by its new path."""
    old, new = tmp_path / "old" / "sub", tmp_path / "new" / "sub"
    old.mkdir(parents=True)
    for folder in (tmp_path, old.parent, old):
        inotify.add(str(folder))
    old.parent.rename(new.parent)
    assert events(inotify, tmp_path) == [(EventKind.FOLDER_GONE, "old"), (EventKind.FOLDER_MADE, "new")]
    (new / "a.jpg").write_bytes(b"1")
    assert events(inotify, tmp_path) == []
    inotify.add(str(new))
    (new / "a.jpg").write_bytes(b"2")
    assert events(inotify, tmp_path) == [(CLOSED, "new/sub/a.jpg")]


def test_a_folder_in_the_place_of_another_reports(inotify: Inotify, tmp_path: Path) -> None:
    """A folder that has the path of an earlier one reports by that path, whatever becomes of the earlier one."""
    folder, moved = tmp_path / "cam", tmp_path / "moved"
    folder.mkdir()
    inotify.add(str(folder))
    folder.rename(moved)
    folder.mkdir()
    inotify.add(str(folder))
    (moved / "a.jpg").touch()
    (moved / "a.jpg").unlink()
    moved.rmdir()
    (folder / "b.jpg").touch()
    assert events(inotify, tmp_path) == [(MADE, "cam/b.jpg"), (CLOSED, "cam/b.jpg")]
    (folder / "b.jpg").unlink()
    assert events(inotify, tmp_path) == [(GONE, "cam/b.jpg")]


def test_a_folder_added_twice_reports_once(inotify: Inotify, tmp_path: Path) -> None:
    """A folder that is added again reports each step once."""
    for _ in range(2):
        inotify.add(str(tmp_path))
    (tmp_path / "a.jpg").touch()
    assert (events(inotify, tmp_path), len(inotify)) == ([(MADE, "a.jpg"), (CLOSED, "a.jpg")], 1)


def test_a_folder_that_is_gone_is_reported(inotify: Inotify, tmp_path: Path) -> None:
    """A folder that was deleted is reported, and needs no place in the queue any more."""
    folder = tmp_path / "cam"
    folder.mkdir()
    inotify.add(str(folder))
    folder.rmdir()
    assert events(inotify, tmp_path) == [(EventKind.FOLDER_GONE, "cam")]
    assert len(inotify) == 0


def test_lost_reports_are_reported(inotify: Inotify, tmp_path: Path) -> None:
    """When the kernel's queue is full, the last report says that others were lost."""
    inotify.add(str(tmp_path))
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 40_000:
        pytest.skip(f"the queue holds {limit} reports here")
    names = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for number in range(limit + 10):
        names[number % 2].write_bytes(b"")
    (tmp_path / "late.jpg").touch()
    *_, last = inotify.iter_events()
    assert last == FileEvent(EventKind.REPORTS_LOST, "")


def test_reading_ends_while_more_is_reported(inotify: Inotify, tmp_path: Path) -> None:
    """Where each report is followed by another one, reading them ends all the same; the rest is there later."""
    inotify.add(str(tmp_path))
    (tmp_path / "0.jpg").write_bytes(b"")
    count = 0
    for count, _ in enumerate(islice(inotify.iter_events(), 10_000)):
        (tmp_path / f"{count % 2}.jpg").write_bytes(b"")
    assert 0 < count < 9_999
    assert events(inotify, tmp_path) != []


def test_a_folder_that_is_no_folder_is_refused(inotify: Inotify, tmp_path: Path) -> None:
    """A file, a link to a folder, and nothing at all are refused."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "nothing"):
        with pytest.raises(OSError, match=r"directory"):
            inotify.add(str(tmp_path / name))
