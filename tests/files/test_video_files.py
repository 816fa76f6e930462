"""Video files as bytes: only regular files are opened, and a few of their bytes tell them apart."""

import os
import socket
from pathlib import Path

import pytest

from indexer.files.video_files import VideoIdentity, identify_video, open_video_file

MIB = 2**20


def identity(path: Path) -> VideoIdentity:
    """What a file is known again by."""
    with open_video_file(str(path)) as file:
        return identify_video(file)


def test_a_file_is_known_again_under_another_name(tmp_path: Path) -> None:
    """The name means nothing; size, begin and end do."""
    content = os.urandom(3 * MIB)
    (tmp_path / "a").write_bytes(content)
    first = identity(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert identity(tmp_path / "b") == first
    assert first.size_bytes == 3 * MIB
    for changed in (b"x" + content[1:], content[:-1] + b"x", content + b"x"):
        (tmp_path / "c").write_bytes(changed)
        assert identity(tmp_path / "c").fingerprint != first.fingerprint


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB])
def test_any_size_has_an_identity(tmp_path: Path, size: int) -> None:
    """Files shorter than what is read have one, too, and the file is at its start afterwards."""
    (tmp_path / "a").write_bytes(b"a" * size)
    with open_video_file(str(tmp_path / "a")) as file:
        assert identify_video(file).size_bytes == size
        assert file.tell() == 0


def test_only_regular_files(tmp_path: Path) -> None:
    """A pipe, a link, a device, a folder and a socket are refused at once; a missing file is missing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)
        server.bind("socket")
        for path in ("pipe", "link", "/dev/zero", ".", "socket"):
            with pytest.raises(OSError, match="not a regular file"), open_video_file(path):
                pass
    with pytest.raises(FileNotFoundError), open_video_file("none"):
        pass
