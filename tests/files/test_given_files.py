"""Files that a person gives: read whole if they are files, refused at once if they are anything else."""

import os
from pathlib import Path

import pytest

from indexer.files import given_files
from indexer.files.given_files import read_user_file, read_user_list


def test_files_are_read_whole(tmp_path: Path) -> None:
    """A file, or what a link leads to, is read as it is."""
    (tmp_path / "a.csv").write_bytes(b"a,b\r\n")
    (tmp_path / "link").symlink_to("a.csv")
    assert [read_user_list(str(tmp_path / name)) for name in ("a.csv", "link")] == [b"a,b\r\n"] * 2


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "long"])
def test_what_is_no_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A pipe, a device without end, a folder and a file that is too long are refused, and nothing waits for them."""
    monkeypatch.setattr(given_files, "MAX_LIST_BYTES", 100)
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(bytes(101))
    with pytest.raises(OSError, match=r"it is no regular file|Is a directory|it has more than 100 bytes"):
        read_user_list(str(path))


@pytest.mark.parametrize(("max_bytes", "data"), [(3, b"abcd"), (5, b"abcde"), (9, b"abcde")])
def test_a_long_file_is_recognized_by_one_byte_more(tmp_path: Path, max_bytes: int, data: bytes) -> None:
    """No more is read than what tells that a file is too long."""
    (tmp_path / "a.png").write_bytes(b"abcde")
    assert read_user_file(str(tmp_path / "a.png"), max_bytes=max_bytes) == data
