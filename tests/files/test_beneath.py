"""Folders opened name by name: no link leads elsewhere, also not one that is put there a moment later."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.files import io_steps
from indexer.files.beneath import lies_beneath, open_folder, open_quarantine_path, split_path
from indexer.files.verification import MismatchError


def count_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_open_folder_is_the_folder(tmp_path: Path) -> None:
    """What is written by the path of an open folder lies in it, and nothing stays open afterwards."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    before = count_descriptors()
    with open_folder(str(tmp_path / "a" / "b")) as folder:
        Path(folder, "1.png").write_bytes(b"1")
    assert (tmp_path / "a" / "b" / "1.png").read_bytes() == b"1"
    assert count_descriptors() == before


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """Folders on the way are made where that is asked for, closed to others, and not where it is not."""
    path = tmp_path / "a" / "b"
    with pytest.raises(FileNotFoundError), open_folder(str(path)):
        pass
    assert not path.parent.exists()
    mask = os.umask(0o022)
    try:
        with open_folder(str(path), create=True) as folder:
            assert os.path.samefile(folder, path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o7777 == 0o700


@pytest.mark.parametrize("make", [False, True])
@pytest.mark.parametrize("kind", ["link", "link to nowhere", "link to itself", "file", "pipe"])
@pytest.mark.parametrize("name", ["a", "a/b"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, kind: str, make: bool) -> None:
    """A link, wherever it leads and wherever it stands on the way, or what is no folder, is refused; nothing is made
    behind it, and nothing stays open."""
    outside, path = tmp_path / "outside", tmp_path / name
    (outside / "b").mkdir(parents=True)
    path.parent.mkdir(exist_ok=True)
    makers: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to(outside),
        "link to nowhere": lambda: path.symlink_to(tmp_path / "nowhere"),
        "link to itself": lambda: path.symlink_to(path),
        "file": lambda: path.write_bytes(b""),
        "pipe": lambda: os.mkfifo(path),
    }
    makers[kind]()
    before = count_descriptors()
    with pytest.raises(MismatchError), open_folder(str(path / "b" / "c"), create=make):
        pass
    assert [inside.relative_to(outside) for inside in outside.rglob("*")] == [Path("b")]
    assert not (tmp_path / "nowhere").exists()
    assert count_descriptors() == before


def test_link_that_is_put_in_its_place(tmp_path: Path) -> None:
    """Who exchanges an open folder for a link leads nobody to where the link goes."""
    (tmp_path / "a").mkdir()
    (tmp_path / "outside").mkdir()
    with open_folder(str(tmp_path / "a")) as folder:
        (tmp_path / "a").rename(tmp_path / "away")
        (tmp_path / "a").symlink_to("outside")
        Path(folder, "1.png").write_bytes(b"1")
    assert os.listdir(tmp_path / "outside") == []
    assert os.listdir(tmp_path / "away") == ["1.png"]


def test_link_that_is_put_there_while_folders_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in the place of a folder that was just made is refused, and nothing is made behind it."""
    outside, real = tmp_path / "outside", io_steps.make_folder
    outside.mkdir()

    def exchanging(path: str) -> None:
        real(path)
        (tmp_path / "a").rmdir()
        (tmp_path / "a").symlink_to(outside)

    monkeypatch.setattr(io_steps, "make_folder", exchanging)
    with pytest.raises(MismatchError), open_folder(str(tmp_path / "a" / "b"), create=True):
        pass
    assert os.listdir(outside) == []


def test_folders_that_cannot_be_read_are_passed(tmp_path: Path) -> None:
    """A folder that may be gone through and not be listed is no obstacle."""
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o311)
    try:
        with open_folder(str(tmp_path / "closed" / "open")) as folder:
            assert os.listdir(folder) == []
    finally:
        (tmp_path / "closed").chmod(0o755)


@pytest.mark.parametrize(
    "path",
    [
        "a/1.png",
        "",
        "/a/../b",
        "/a/./b",
        "/a//b",
        "/a/",
        "/..",
        "/a\0b",
        "/" + "n" * 256,
        "/" + "/".join(["n" * 200] * 21),
    ],
)
def test_paths_that_are_not_plain(path: str) -> None:
    """A path that leads up, is not whole or that no disk can hold is refused by its names alone."""
    with pytest.raises(MismatchError):
        split_path(path)


def test_magic_links_are_refused() -> None:
    """The links of /proc that lead to a whole root or to an open folder are links like others."""
    for path in (f"/proc/self/root{os.getcwd()}", f"/proc/{os.getpid()}/cwd", f"/proc/{os.getpid()}/root"):
        with pytest.raises(MismatchError), open_folder(path):
            pass


def test_place_is_open_at_each_level(tmp_path: Path) -> None:
    """The paths of an open place name its file, its folder and its run, whatever is put in their places."""
    file = tmp_path / "q" / "run-1" / "7" / "1.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"1")
    with open_quarantine_path(str(file)) as place:
        (tmp_path / "q").rename(tmp_path / "moved")
        assert Path(place.file).read_bytes() == b"1"
        assert (os.listdir(place.run_folder), os.listdir(place.folder)) == (["7"], ["1.png"])
        assert os.path.samefile(place.run_folder_entry, tmp_path / "moved" / "run-1")


def test_lies_beneath() -> None:
    """A path lies beneath a folder, not beneath one whose name begins alike, nor beneath itself."""
    assert lies_beneath("/a/b", "/a")
    assert lies_beneath("/a", "/")
    assert not lies_beneath("/ab", "/a")
    assert not lies_beneath("/a", "/a")
