"""Private files: closed to others whatever the umask, and never somebody else's by a link."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps, private
from indexer.files.folder_lock import LOCK_NAME, lock_folders
from indexer.files.manifest import MANIFEST_NAME
from indexer.files.markers import QUARANTINE_MARKER
from indexer.files.quarantine import make_synced_folders, prepare_quarantine
from indexer.files.witness_record import RECORD_NAME

PRECIOUS = b"the only copy of something\n"


@pytest.fixture(params=[0, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The umask that a command may have been started with."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    path = tmp_path / "place"
    path.mkdir()
    return path


@pytest.fixture
def precious(place: Path) -> Path:
    """A file that is not ours."""
    path = place / "precious"
    path.write_bytes(PRECIOUS)
    return path


def mode(path: Path) -> int:
    """The rights of what is at a path itself."""
    return stat.S_IMODE(path.lstat().st_mode)


def append(path: Path) -> None:
    """Adds to a file as records do."""
    io_steps.append(str(path), b"more")


def lock(path: Path) -> None:
    """Opens a file as the lock of a folder is."""
    os.close(io_steps.open_lock(str(path)))


def make_folder(path: Path) -> None:
    """Makes a folder of a quarantine."""
    io_steps.make_folder(str(path))


def create(path: Path) -> None:
    """Makes a new file."""
    os.close(private.create_file(str(path)))


def write(path: Path) -> None:
    """Writes a new file whole."""
    private.write_new(str(path), b"data")


def replace(path: Path) -> None:
    """Puts a whole file there."""
    private.replace(str(path), b"data", partial=f"{path}.part")


MAKERS: list[Callable[[Path], None]] = [append, lock, create, write, replace]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("shared", [False, True])
def test_rights_of_new_files(place: Path, umask: int, shared: bool, make: Callable[[Path], None]) -> None:
    """A new file is its owner's, in a setgid folder its group's too, and takes the group of that folder."""
    place.chmod(0o2770 if shared else 0o777)
    make(place / "new")
    assert mode(place / "new") == (0o660 if shared else 0o600)
    assert (place / "new").stat().st_gid == place.stat().st_gid or not shared
    assert [path.name for path in place.iterdir()] == ["new"]


@pytest.mark.parametrize("shared", [False, True])
def test_rights_of_new_folders(place: Path, umask: int, shared: bool) -> None:
    """A new folder, and each above it that was missing, is its owner's; in a setgid folder it is shared on."""
    place.chmod(0o2770 if shared else 0o777)
    private.make_folders(str(place / "a" / "b"))
    private.make_folders(str(place / "a" / "b"))
    expected = 0o2770 if shared else 0o700
    assert [mode(place / name) for name in ("a", "a/b")] == [expected] * 2


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o666])
@pytest.mark.parametrize("make", [append, lock])
def test_rights_of_what_exists(place: Path, umask: int, rights: int, make: Callable[[Path], None]) -> None:
    """The rights of a file that is there stay, in a setgid folder as elsewhere."""
    place.chmod(0o2770)
    (place / "old").write_bytes(b"old ")
    (place / "old").chmod(rights)
    make(place / "old")
    assert mode(place / "old") == rights


@pytest.mark.parametrize("leads", ["somewhere", "nowhere"])
@pytest.mark.parametrize("make", [append, lock, create, write])
def test_no_link_is_followed(place: Path, precious: Path, leads: str, make: Callable[[Path], None]) -> None:
    """A link in a file's place is refused; what it leads to is not written, cut short, or made."""
    (place / "link").symlink_to(precious if leads == "somewhere" else place / "missing")
    with pytest.raises(OSError, match=r"symbolic link|exists"):
        make(place / "link")
    assert precious.read_bytes() == PRECIOUS
    assert {path.name for path in place.iterdir()} == {"link", "precious"}


@pytest.mark.parametrize("kind", [os.symlink, os.link])
@pytest.mark.parametrize("name", ["file", "file.part"])
def test_a_link_is_replaced(place: Path, precious: Path, kind: Callable[[Path, Path], None], name: str) -> None:
    """What is written whole takes the place of a link of either kind, as the name beneath which it grows does."""
    kind(precious, place / name)
    private.replace(str(place / "file"), b"data", partial=str(place / "file.part"))
    assert (precious.read_bytes(), (place / "file").read_bytes()) == (PRECIOUS, b"data")
    assert not (place / "file").is_symlink()


def test_no_second_name_is_written_to(place: Path, precious: Path) -> None:
    """A hard link to somebody's file gets no line of ours."""
    os.link(precious, place / "record")
    with pytest.raises(OSError, match="second name"):
        append(place / "record")
    assert precious.read_bytes() == PRECIOUS


@pytest.mark.parametrize("make", [append, lock])
def test_a_pipe_stops_nobody(place: Path, make: Callable[[Path], None]) -> None:
    """A pipe in a file's place is refused at once."""
    os.mkfifo(place / "pipe")
    with pytest.raises(OSError, match=r"regular|No such device"):
        make(place / "pipe")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a file of another user")
@pytest.mark.parametrize(("folder", "refused"), [(0o1777, True), (0o777, True), (0o775, False), (0o2770, False)])
def test_files_of_others(place: Path, folder: int, refused: bool) -> None:
    """In a folder that all may write to a file of another user is refused; in one of a group it is shared."""
    (place / "record").write_bytes(b"planted ")
    os.chown(place / "record", 12345, -1)
    (place / "record").chmod(0o666)
    place.chmod(folder)
    if refused:
        with pytest.raises(OSError, match="another user"):
            append(place / "record")
    else:
        append(place / "record")
    assert (place / "record").read_bytes() == (b"planted " if refused else b"planted more")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a folder of another user")
@pytest.mark.parametrize(("make", "follows"), [(append, True), (lock, True), (make_folder, True), (create, False)])
def test_owner_of_what_root_makes(place: Path, make: Callable[[Path], None], follows: bool) -> None:
    """What root makes in a quarantine is its folder's owner's and closed; an index or a report stays root's own."""
    os.chown(place, 12345, 2345)
    make(place / "new")
    status = (place / "new").stat()
    assert (status.st_uid, status.st_gid, mode(place / "new") & 0o077) == ((12345, 2345, 0) if follows else (0, 0, 0))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a folder of another user")
@pytest.mark.parametrize(("parent", "expected"), [(0o755, 0o755), (0o2770, 0o2770), (0o700, 0o700), (0o1777, 0o755)])
def test_a_folder_that_is_made_again(place: Path, umask: int, parent: int, expected: int) -> None:
    """A folder that restore makes again has the owner and the rights of the folder above it, but not for all to
    write."""
    os.chown(place, 12345, 2345)
    place.chmod(parent)
    make_synced_folders(str(place / "a" / "b"), closed=False)
    made = [(path.stat().st_uid, path.stat().st_gid, mode(path)) for path in (place / "a", place / "a" / "b")]
    assert made == [(12345, 2345, expected)] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a file of another user")
def test_server_that_makes_us_somebody_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what we make is another user's, as on a server that trusts no administrator, it is ours all the same."""
    real = private.create_file

    def squashed(path: str, **more: Any) -> int:
        descriptor = real(path, **more)
        os.fchown(descriptor, 65534, -1)
        return descriptor

    monkeypatch.setattr(private, "create_file", squashed)
    place.chmod(0o777)
    os.chown(place, 12345, -1)
    append(place / "record")
    append(place / "record")
    assert (place / "record").read_bytes() == b"moremore"
    assert [path.name for path in place.iterdir()] == ["record"]


def test_parents_may_be_links(place: Path) -> None:
    """A folder on the way to a file may be a link, as of a disk that is mounted elsewhere."""
    (place / "disk").mkdir()
    (place / "data").symlink_to(place / "disk")
    append(place / "data" / "record")
    private.make_folders(str(place / "data" / "a"))
    assert sorted(path.name for path in (place / "disk").iterdir()) == ["a", "record"]


def test_a_full_disk_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that could not be written whole is not there, and the old one is as it was."""
    (place / "file").write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        replace(place / "file")
    assert [(path.name, path.read_bytes()) for path in place.iterdir()] == [("file", b"old")]


@pytest.mark.parametrize("name", [LOCK_NAME, QUARANTINE_MARKER, RECORD_NAME, MANIFEST_NAME])
def test_links_in_a_quarantine(place: Path, precious: Path, name: str) -> None:
    """None of the files of a quarantine is reached through a link that somebody put there."""
    folder = place / "q"
    folder.mkdir()
    (folder / name).symlink_to(precious)
    if name == LOCK_NAME:
        with pytest.raises(OSError, match="symbolic link"), lock_folders([str(folder)]):
            pass
    elif name == QUARANTINE_MARKER:
        prepare_quarantine(str(folder))
    else:
        with pytest.raises(OSError, match="symbolic link"):
            append(folder / name)
    assert precious.read_bytes() == PRECIOUS
