"""Stored frames as files: whole or not there, never over another file, and no part left where images are."""

import os
import stat
from pathlib import Path

import pytest

from indexer.files import frame_files
from indexer.files.frame_files import write_frame


def names(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("partial", [None, ".partial"])
def test_a_frame_is_written(tmp_path: Path, partial: str | None) -> None:
    """Folders are made, the file is its owner's alone, and nothing else is left."""
    partial_folder = None if partial is None else str(tmp_path / partial)
    path = tmp_path / "gate" / "2026-01-01" / "gate-1.jpg"
    assert write_frame(str(path), b"frame", partial_folder=partial_folder)
    assert path.read_bytes() == b"frame"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["gate/2026-01-01/gate-1.jpg"]


def test_the_same_frame_again_changes_nothing(tmp_path: Path) -> None:
    """A run that was cut off is repeated: files that are there stay as they are."""
    path = tmp_path / "gate.jpg"
    assert write_frame(str(path), b"frame")
    before = path.stat()
    assert not write_frame(str(path), b"frame")
    assert path.stat() == before


@pytest.mark.parametrize("other", ["file", "link", "folder"])
def test_nothing_is_overwritten(tmp_path: Path, other: str) -> None:
    """Another file at the path stays, and so does what a link leads to."""
    path, target = tmp_path / "gate.jpg", tmp_path / "target"
    target.write_bytes(b"frame")
    {"file": lambda: path.write_bytes(b"other"), "link": lambda: path.symlink_to(target), "folder": path.mkdir}[other]()
    with pytest.raises(FileExistsError):
        write_frame(str(path), b"frame")
    assert target.read_bytes() == b"frame"
    assert other != "file" or path.read_bytes() == b"other"
    assert [name for name in names(tmp_path) if "part" in name] == []


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    """The part of an earlier run is deleted, and the whole file takes its name."""
    (tmp_path / ".gate.jpg.part").write_bytes(b"fr")
    write_frame(str(tmp_path / "gate.jpg"), b"frame")
    assert names(tmp_path) == ["gate.jpg"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the bytes cannot be kept, neither the file nor its part is there."""

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(frame_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_frame(str(tmp_path / "gate.jpg"), b"frame")
    assert names(tmp_path) == []


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the file is renamed, and still nothing is overwritten."""

    def refused(*args: object, **how: object) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(frame_files.os, "link", refused)
    path = tmp_path / "gate.jpg"
    assert write_frame(str(path), b"frame")
    assert not write_frame(str(path), b"frame")
    with pytest.raises(FileExistsError):
        write_frame(str(path), b"another")
    assert (path.read_bytes(), names(tmp_path)) == (b"frame", ["gate.jpg"])
