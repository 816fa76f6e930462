"""Checking: a file is what the index knows, by size, bytes and inode, or it is refused."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps
from indexer.files.verification import ContentDigest, FileIdentity, MismatchError, is_same_file, verify, verify_and_read

BYTES = bytes(range(256)) * 9000  # what the lot's file holds
MTIME_NS = 1_616_849_617_123_456_789
PRINT = ContentDigest(len(BYTES), hashlib.sha256(BYTES).hexdigest())
BOTH_WAYS = pytest.mark.parametrize(("look", "read"), [(verify, "read_hash"), (verify_and_read, "read_bytes")])


def test_check_gives_the_identity(lot: Path) -> None:
    """A file as expected is identified by device, inode and mtime."""
    status = os.stat(lot / "a" / "1.png")
    assert verify(f"{lot}/a/1.png", expected=PRINT) == FileIdentity(status.st_dev, status.st_ino, status.st_mtime_ns)


def test_the_bytes_come_with_the_identity(lot: Path) -> None:
    """Who asks for them is given the very bytes that were found as expected."""
    path = f"{lot}/a/1.png"
    assert verify_and_read(path, expected=PRINT) == (verify(path, expected=PRINT), BYTES)


@pytest.mark.parametrize("look", [verify, verify_and_read])
@pytest.mark.parametrize("change", ["missing", "no folder", "link", "folder", "pipe", "longer", "other"])
def test_check_refuses_what_is_not_expected(tmp_path: Path, change: str, look: Callable[..., object]) -> None:
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
    with pytest.raises(MismatchError) as caught:
        look(str(path / "x" if change == "no folder" else path), expected=PRINT)
    assert caught.value.reason


@BOTH_WAYS
@pytest.mark.parametrize("opens", [True, False])
def test_check_refuses_what_cannot_be_read(
    lot: Path,
    monkeypatch: pytest.MonkeyPatch,
    failing: Callable[..., Any],
    look: Callable[..., object],
    read: str,
    opens: bool,
) -> None:
    """A file that cannot be opened or read is not as expected."""
    step = read if opens else "open_to_read"
    monkeypatch.setattr(io_steps, step, failing(getattr(io_steps, step), errno.EACCES))
    with pytest.raises(MismatchError):
        look(f"{lot}/a/1.png", expected=PRINT)


@BOTH_WAYS
@pytest.mark.parametrize("mtime_ns", [5, MTIME_NS])
def test_check_refuses_a_change_while_reading(
    lot: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., object], read: str, mtime_ns: int
) -> None:
    """A file written to while it was read is refused, even if its old time was set again."""
    step = getattr(io_steps, read)

    def meanwhile(*given: Any, **more: Any) -> Any:
        found = step(*given, **more)
        (lot / "a" / "1.png").write_bytes(BYTES[::-1])
        os.utime(lot / "a" / "1.png", ns=(mtime_ns, mtime_ns))
        return found

    monkeypatch.setattr(io_steps, read, meanwhile)
    with pytest.raises(MismatchError, match="changed while it was read"):
        look(f"{lot}/a/1.png", expected=PRINT)


def test_a_file_that_grows_without_end_is_not_read_to_it(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read into memory than the file was expected to hold, and one byte."""
    asked: list[int] = []
    read_bytes = io_steps.read_bytes
    monkeypatch.setattr(io_steps, "read_bytes", lambda fd, *, most: asked.append(most) or read_bytes(fd, most=most))
    verify_and_read(f"{lot}/a/1.png", expected=PRINT)
    descriptor = io_steps.open_to_read("/dev/zero")
    assert (asked, len(read_bytes(descriptor, most=3_000_000))) == ([len(BYTES) + 1], 3_000_000)
    os.close(descriptor)


def test_same_file(lot: Path) -> None:
    """Two names of one file are the same file; equal bytes, a link to it and a missing path are not."""
    path = str(lot / "a" / "1.png")
    os.link(path, lot / "hard")
    (lot / "soft").symlink_to(path)
    (lot / "equal").write_bytes(BYTES)
    others = ["hard", "soft", "equal", "missing", "hard/missing"]
    assert [is_same_file(path, str(lot / name)) for name in others] == [True, False, False, False, False]
    assert not is_same_file(str(lot / "missing"), str(lot / "missing"))
