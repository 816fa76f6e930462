"""The list of the indexes that a person used: private, bounded, and never a reason for a command to fail."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.files.known_indexes import KnownIndex, KnownIndexes, index_exists

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
INDEX = KnownIndex("/data/indexer.db", "ab" * 16, ("/data/lot",), NOON, "ada", "box")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the list lies; nothing is there yet."""
    return tmp_path / "of" / "ada" / "indexer"


@pytest.fixture
def known(folder: Path) -> KnownIndexes:
    """The list in that folder."""
    return KnownIndexes(str(folder))


def only_file(folder: Path) -> Path:
    """The file of the one index that is listed."""
    [path] = folder.iterdir()
    return path


def test_what_is_noted_is_listed(known: KnownIndexes) -> None:
    """Indexes come back as they were noted, the last used first, also with names that are no UTF-8."""
    odd = replace(INDEX, address=os.fsdecode(b"/caf\xe9\n.db"), folders=(os.fsdecode(b"/\xff"),))
    server = replace(INDEX, address="postgresql+psycopg://ada@db/lot", last_used=NOON + timedelta(days=1))
    for index in (INDEX, server, odd):
        known.record_use(index)
    assert known.list_indexes()[0] == server
    assert set(known.list_indexes()) == {INDEX, server, odd}


def test_it_is_closed_to_others(known: KnownIndexes, folder: Path) -> None:
    """The folder and its file are the owner's alone, whatever the umask says."""
    before = os.umask(0)
    try:
        known.record_use(INDEX)
    finally:
        os.umask(before)
    assert (folder.stat().st_mode & 0o777, only_file(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_folders_of_one_index_are_kept(known: KnownIndexes) -> None:
    """The last folders come first, each once, and not more than twenty; another index at the path starts with none."""
    for number in range(30):
        known.record_use(replace(INDEX, folders=(f"/{number}", "/always")))
    assert known.list_indexes()[0].folders == ("/29", "/always", *(f"/{number}" for number in range(28, 10, -1)))
    known.record_use(replace(INDEX, index_id="cd" * 16, folders=("/new",)))
    assert [index.folders for index in known.list_indexes()] == [("/new",)]


def test_a_hundred_are_kept(known: KnownIndexes, folder: Path) -> None:
    """Of more than a hundred indexes those that were used longest ago are dropped."""
    for number in range(103):
        known.record_use(replace(INDEX, address=f"/{number}.db"))
        for path in folder.iterdir():  # as if every use was a second after the one before
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert {index.address for index in known.list_indexes()} == {f"/{number}.db" for number in range(3, 103)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"null",
        b"[]",
        b"{}",
        b'{"address": "/x"',
        b"[" * 100_000,
        b"9" * 10_000,
        json.dumps({"address": 1}).encode(),
        b'"' + b"x" * (2 << 20) + b'"',
    ],
)
def test_a_damaged_file_costs_its_own_entry(known: KnownIndexes, folder: Path, content: bytes) -> None:
    """A file that is not as it was written tells nothing; the others are listed, and it is written again."""
    known.record_use(INDEX)
    only_file(folder).write_bytes(content)
    known.record_use(replace(INDEX, address="/other.db"))
    assert [index.address for index in known.list_indexes()] == ["/other.db"]
    known.record_use(INDEX)
    assert set(known.list_indexes()) == {INDEX, replace(INDEX, address="/other.db")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", 7),
        ("address", "\ud83d"),
        ("folders", ["relative"]),
        ("folders", 7),
        ("folders", [7]),
        ("last_used", "yesterday"),
        ("last_used", "2026-01-01T00:00:00"),
        ("last_used", None),
        ("username", None),
        ("unknown", "x"),
    ],
)
def test_values_that_make_no_sense(known: KnownIndexes, folder: Path, name: str, value: object) -> None:
    """A file with a value that cannot be meant tells nothing."""
    known.record_use(INDEX)
    path = only_file(folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert known.list_indexes() == []


def make_link_of_file(folder: Path, target: Path) -> None:
    """The file of the index is a link."""
    path = only_file(folder)
    path.rename(target)
    path.symlink_to(target)


def make_link_of_partial(folder: Path, target: Path) -> None:
    """What the file is written under first is a link."""
    target.write_bytes(only_file(folder).read_bytes())
    Path(f"{only_file(folder)}.part").symlink_to(target)


def make_link_of_folder(folder: Path, target: Path) -> None:
    """The folder is a link to one with the same file."""
    folder.rename(target)
    folder.symlink_to(target)


@pytest.mark.parametrize("link", [make_link_of_file, make_link_of_partial, make_link_of_folder])
def test_no_link_is_followed(
    known: KnownIndexes, folder: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """What a link leads to is never written to, and not read through a link of a file or of the folder."""
    known.record_use(INDEX)
    target = tmp_path / "target"
    link(folder, target)
    inside = only_file(target) if target.is_dir() else target
    before = inside.read_bytes()
    known.record_use(replace(INDEX, folders=("/more",)))
    assert (inside.read_bytes(), target.is_symlink()) == (before, False)
    assert [index.folders[0] for index in known.list_indexes()] == (["/more"] if link is make_link_of_partial else [])


def test_folder_that_others_write_to(known: KnownIndexes, folder: Path) -> None:
    """What others could have put there is not believed, and nothing is added."""
    known.record_use(INDEX)
    folder.chmod(0o777)
    known.record_use(replace(INDEX, address="/other.db"))
    assert (known.list_indexes(), len(list(folder.iterdir()))) == ([], 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator can give a folder away")
def test_home_of_somebody_else(known: KnownIndexes, folder: Path) -> None:
    """An administrator with the home of another person leaves nothing there that the person could not write to."""
    folder.parent.parent.mkdir()
    os.chown(folder.parent.parent, 12345, 12345)
    known.record_use(INDEX)
    assert (list(folder.parent.parent.iterdir()), known.list_indexes()) == ([], [])
    folder.mkdir(parents=True)
    os.chown(folder, 12345, 12345)
    known.record_use(INDEX)
    assert (list(folder.iterdir()), known.list_indexes()) == ([], [])


@pytest.mark.parametrize("place", [None, "/proc/indexer", "/dev/null/indexer", "/\0", "/" + "x" * 300])
def test_where_nothing_can_be_written(place: str | None) -> None:
    """Without a folder, or where none can be made, the list is empty, and noting does nothing."""
    known = KnownIndexes(place)
    known.record_use(INDEX)
    assert known.list_indexes() == []


def test_a_full_disk_leaves_what_was_there(known: KnownIndexes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be put in place leaves the one before, and no part of itself."""
    known.record_use(INDEX)

    def full(*_given: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    known.record_use(replace(INDEX, folders=("/more",)))
    assert (known.list_indexes(), len(list(folder.iterdir()))) == ([INDEX], 1)


def test_is_there(tmp_path: Path) -> None:
    """A file that holds something is there; an empty one, none, and what no file can be called are not."""
    (tmp_path / "full.db").write_bytes(b"x")
    (tmp_path / "empty.db").touch()
    places = [str(tmp_path / "full.db"), "postgresql+psycopg://db/lot", str(tmp_path / "empty.db"), "/none", "/\0"]
    assert [index_exists(place) for place in places] == [True, True, False, False, False]
