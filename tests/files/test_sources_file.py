"""The file that names cameras: whether others may read it is known, and what is no such file is refused."""

import os
from pathlib import Path

import pytest

from indexer.errors import FolderError
from indexer.files.sources_file import others_may_read, read_sources_file


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_who_may_read_it(tmp_path: Path, mode: int, is_open: bool) -> None:
    """Its text, and whether the group or all others may read it."""
    path = tmp_path / "cameras.conf"
    path.write_text("gate = rtsp://x/1\n")
    path.chmod(mode)
    assert (read_sources_file(str(path)), others_may_read(str(path))) == ("gate = rtsp://x/1\n", is_open)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (2**20 + 1), "folder"])
def test_what_is_no_such_file(tmp_path: Path, content: bytes | str | None) -> None:
    """A file that is missing, no text, too large, or a folder."""
    path = tmp_path / "cameras.conf"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(FolderError, match=r"cameras\.conf"):
        read_sources_file(str(path))


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody writes to it: the command does not wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FolderError, match="no regular file"):
        read_sources_file(str(tmp_path / "pipe"))
