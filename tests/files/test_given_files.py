"""Lists that a person gives: read whole if they are files, refused at once if they are anything else."""

import os
from pathlib import Path

import pytest

from indexer.files import given_files
from indexer.files.given_files import read_user_file


def test_files_are_read_whole(tmp_path: Path) -> None:
    """A file, or what a link leads to, is read as it is."""
    (tmp_path / "a.csv").write_bytes(b"a,b\r\n")
    (tmp_path / "link").symlink_to("a.csv")
    assert [read_user_file(str(tmp_path / name)) for name in ("a.csv", "link")] == [b"a,b\r\n"] * 2


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "long"])
def test_what_is_no_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A pipe, a device without end, a folder and a file that is too long are refused, and nothing waits for them."""
    monkeypatch.setattr(given_files, "MAX_BYTES", 100)
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(bytes(101))
    with pytest.raises(OSError, match=r"regular|directory|more than 100 bytes"):
        read_user_file(str(path))
