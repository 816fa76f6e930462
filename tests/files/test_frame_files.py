"""Stored frames as files: whole or not there, never over another file, and no part left where images are."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from indexer.files import frame_files
from indexer.files.frame_files import place_frame, take_back_frame, write_partial_frame


def write_frame(path: str, data: bytes) -> bool:
    """Writes a frame beside its path and moves it there; whether the file is new."""
    partial = f"{path}.part"
    write_partial_frame(partial, data)
    is_new = place_frame(partial, path, content_hash=hashlib.sha256(data).hexdigest())
    Path(partial).unlink(missing_ok=True)
    return is_new


def names(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_frame_is_written(tmp_path: Path) -> None:
    """Folders are made, the file is its owner's alone, its time is the one that was told, and nothing else is left."""
    path, partial = tmp_path / "gate" / "2026-01-01" / "gate-1.jpg", str(tmp_path / "1.part")
    mtime_ns = write_partial_frame(partial, b"frame")
    assert place_frame(partial, str(path), content_hash=hashlib.sha256(b"frame").hexdigest())
    assert path.read_bytes() == b"frame"
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime_ns) == (0o600, mtime_ns)
    assert names(tmp_path) == ["1.part", "gate/2026-01-01/gate-1.jpg"], "the caller deletes the part"


def test_a_part_that_changed_is_not_moved(tmp_path: Path) -> None:
    """What is not what was written never becomes a frame."""
    partial = str(tmp_path / "1.part")
    write_partial_frame(partial, b"other")
    with pytest.raises(OSError, match="not what was written"):
        place_frame(partial, str(tmp_path / "gate.jpg"), content_hash=hashlib.sha256(b"frame").hexdigest())
    assert names(tmp_path) == ["1.part"]


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


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    """The part of an earlier run is deleted, and the whole file takes its name."""
    (tmp_path / "gate.jpg.part").write_bytes(b"fr")
    write_frame(str(tmp_path / "gate.jpg"), b"frame")
    assert (tmp_path / "gate.jpg").read_bytes() == b"frame"


def test_a_full_disk_leaves_no_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the bytes cannot be kept, the frame is not at its path; its part goes with the folder of the run."""

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(frame_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_frame(str(tmp_path / "gate.jpg"), b"frame")
    assert not (tmp_path / "gate.jpg").exists()


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
    assert path.read_bytes() == b"frame"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_placed_frame_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    """Then it has its partial name alone, and can be placed again; nothing is lost."""
    if not has_links:

        def refused(*args: object, **how: object) -> None:
            raise PermissionError(1, os.strerror(1))

        monkeypatch.setattr(frame_files.os, "link", refused)
    path, partial = str(tmp_path / "gate.jpg"), str(tmp_path / "gate.jpg.part")
    write_partial_frame(partial, b"frame")
    assert place_frame(partial, path, content_hash=hashlib.sha256(b"frame").hexdigest())
    take_back_frame(partial, path)
    assert names(tmp_path) == ["gate.jpg.part"]
    assert place_frame(partial, path, content_hash=hashlib.sha256(b"frame").hexdigest())
    assert (tmp_path / "gate.jpg").read_bytes() == b"frame"


def test_a_frame_that_has_only_its_path(tmp_path: Path) -> None:
    """Its part is gone and its bytes are at the path: it is there already. Other bytes, or none, are an error."""
    path, partial = tmp_path / "gate.jpg", str(tmp_path / "1.part")
    content_hash = hashlib.sha256(b"frame").hexdigest()
    with pytest.raises(FileNotFoundError):
        place_frame(partial, str(path), content_hash=content_hash)
    path.write_bytes(b"frame")
    assert not place_frame(partial, str(path), content_hash=content_hash)
    path.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        place_frame(partial, str(path), content_hash=content_hash)
    assert path.read_bytes() == b"other"
