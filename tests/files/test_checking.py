"""Checking: a file is what the index knows, by size, bytes and inode, or it is refused."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.files import steps
from indexer.files.checking import FileIdentity, Fingerprint, Mismatch, check, same_file

BYTES = bytes(range(256)) * 9000  # what the lot's file holds
MTIME_NS = 1_616_849_617_123_456_789
PRINT = Fingerprint(len(BYTES), hashlib.sha256(BYTES).hexdigest())


def test_check_gives_the_identity(lot: Path) -> None:
    """A file as expected is told by device, inode and mtime."""
    status = os.stat(lot / "a" / "1.png")
    assert check(f"{lot}/a/1.png", expected=PRINT) == FileIdentity(status.st_dev, status.st_ino, status.st_mtime_ns)


@pytest.mark.parametrize("change", ["missing", "no folder", "link", "folder", "pipe", "longer", "other"])
def test_check_refuses_what_is_not_expected(tmp_path: Path, change: str) -> None:
    """A file that is missing, no regular file, or has another size or other bytes is refused, with a reason."""
    path, as_expected = tmp_path / "a.png", tmp_path / "b.png"
    as_expected.write_bytes(BYTES)
    acts: dict[str, Callable[[], object]] = {
        "missing": lambda: None,
        "no folder": lambda: None,
        "link": lambda: path.symlink_to(as_expected),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "longer": lambda: path.write_bytes(BYTES + b"1"),
        "other": lambda: path.write_bytes(BYTES[::-1]),
    }
    acts[change]()
    with pytest.raises(Mismatch) as caught:
        check(str(path / "x" if change == "no folder" else path), expected=PRINT)
    assert caught.value.reason


@pytest.mark.parametrize("step", ["open_to_read", "read_hash"])
def test_check_refuses_what_cannot_be_read(
    lot: Path, monkeypatch: pytest.MonkeyPatch, failing: Callable[..., Any], step: str
) -> None:
    """A file that cannot be opened or read is not as expected."""
    monkeypatch.setattr(steps, step, failing(getattr(steps, step), errno.EACCES))
    with pytest.raises(Mismatch):
        check(f"{lot}/a/1.png", expected=PRINT)


@pytest.mark.parametrize("mtime_ns", [5, MTIME_NS])
def test_check_refuses_a_change_while_reading(lot: Path, monkeypatch: pytest.MonkeyPatch, mtime_ns: int) -> None:
    """A file written to while it was read is refused, even if its old time was set again."""
    read_hash = steps.read_hash

    def meanwhile(descriptor: int) -> str:
        content_hash = read_hash(descriptor)
        (lot / "a" / "1.png").write_bytes(BYTES[::-1])
        os.utime(lot / "a" / "1.png", ns=(mtime_ns, mtime_ns))
        return content_hash

    monkeypatch.setattr(steps, "read_hash", meanwhile)
    with pytest.raises(Mismatch):
        check(f"{lot}/a/1.png", expected=PRINT)


def test_same_file(lot: Path) -> None:
    """Two names of one file are the same file; equal bytes, a link to it and a missing path are not."""
    path = str(lot / "a" / "1.png")
    os.link(path, lot / "hard")
    (lot / "soft").symlink_to(path)
    (lot / "equal").write_bytes(BYTES)
    others = ["hard", "soft", "equal", "missing", "hard/missing"]
    assert [same_file(path, str(lot / name)) for name in others] == [True, False, False, False, False]
    assert not same_file(str(lot / "missing"), str(lot / "missing"))
