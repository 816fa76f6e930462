"""The lock of a folder: one command at a time, whatever index it came by, and nobody fooled by a lock file."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from indexer.files import filesystems, folder_lock, io_steps
from indexer.files.folder_lock import LOCK_NAME, lock_folders

HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of a folder until the end of the block."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, folder / LOCK_NAME], stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_another_command_waits(tmp_path: Path) -> None:
    """While another process holds one of the locks nobody gets them; when it ends, they are free."""
    (tmp_path / "b").mkdir()
    with held_elsewhere(tmp_path / "b") as other:
        with pytest.raises(TimeoutError), lock_folders([str(tmp_path), str(tmp_path / "b")], timeout_s=0.1):
            pass
        with held_elsewhere(tmp_path):  # what was taken before the other one refused is free again
            pass
        other.kill()
        other.wait()
        with lock_folders([str(tmp_path / "b")]) as locks:
            assert locks.exclusive
            locks.require()


def test_locks_end_with_their_block(tmp_path: Path) -> None:
    """After the block another process has the lock at once; its file stays, for its owner alone."""
    with ExitStack() as stack:
        stack.enter_context(lock_folders([str(tmp_path)]))
        descriptor = next(
            fd for fd in Path("/proc/self/fd").iterdir() if os.path.basename(os.readlink(fd)) == LOCK_NAME
        )
        assert not os.get_inheritable(int(descriptor.name))
    with held_elsewhere(tmp_path):
        assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600


def test_removed_lock_is_noticed(tmp_path: Path) -> None:
    """A holder whose lock file was removed, and made again by others, gets an error before it goes on."""
    with lock_folders([str(tmp_path)]) as locks:
        (tmp_path / LOCK_NAME).unlink()
        with pytest.raises(OSError, match="was removed while it was held"):
            locks.require()
        with held_elsewhere(tmp_path), pytest.raises(OSError, match="was removed while it was held"):
            locks.require()


def test_waiting_for_a_file_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who got the lock of a file that was removed meanwhile takes the lock of the file that is there."""
    real, removed = io_steps.take_lock, []

    def taking(descriptor: int) -> bool:
        if not removed:
            removed.append((tmp_path / LOCK_NAME).unlink())
        return real(descriptor)

    monkeypatch.setattr(io_steps, "take_lock", taking)
    with lock_folders([str(tmp_path)]) as locks:
        locks.require()
        with pytest.raises(TimeoutError), lock_folders([str(tmp_path)], timeout_s=0.01):
            pass


def test_one_folder_by_two_names_is_locked_once(tmp_path: Path) -> None:
    """A folder that is named twice, by a link or by a path that another mount leads to, does not wait for itself."""
    (tmp_path / "q").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("q")
    with lock_folders([str(tmp_path / "q")]):
        pass
    os.link(tmp_path / "q" / LOCK_NAME, tmp_path / "other" / LOCK_NAME)  # one file in two folders, as a mount shows it
    with lock_folders([str(tmp_path / name) for name in ("q", "link", "other")], timeout_s=0.1) as locks:
        locks.require()


def test_folders_are_locked_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are named, folders are locked in one order, each once: no two commands wait in a circle."""
    opened: list[str] = []
    real = io_steps.open_lock
    monkeypatch.setattr(io_steps, "open_lock", lambda path: (opened.append(path), real(path))[1])
    folders = [tmp_path / name for name in ("b", "c", "a")]
    for folder in folders:
        folder.mkdir()
    (tmp_path / "z").symlink_to("a")
    orders = []
    for named in ([str(tmp_path / "z"), *map(str, folders)], [*map(str, folders[::-1])]):
        opened.clear()
        with lock_folders(named):
            orders.append([*opened])
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == [str(tmp_path / name / LOCK_NAME) for name in "abc"]


def link(path: Path) -> None:
    """A link in the place of the lock."""
    path.symlink_to(path.with_name("precious"))


def pipe(path: Path) -> None:
    """A pipe there."""
    os.mkfifo(path)


@pytest.mark.parametrize("obstacle", [link, pipe, Path.mkdir])
def test_what_is_no_lock_is_refused(tmp_path: Path, obstacle: object) -> None:
    """A link, a pipe or a folder in its place is refused at once; what the link leads to is not touched."""
    (tmp_path / "precious").write_bytes(b"the only copy")
    obstacle(tmp_path / LOCK_NAME)  # type: ignore[operator]
    with pytest.raises(OSError), lock_folders([str(tmp_path)]):  # noqa: PT011 - the number differs between systems
        pass
    assert (tmp_path / "precious").read_bytes() == b"the only copy"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_closed_folder_is_left_out_where_that_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A folder that may not be written to is refused, or left out; the locks exclude nobody then."""

    def refusing(path: str) -> int:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(io_steps, "open_lock", refusing)
    with pytest.raises(OSError, match=os.strerror(number)), lock_folders([str(tmp_path)]):
        pass
    with lock_folders([str(tmp_path)], skip_unwritable=True) as locks:
        assert not locks.exclusive


@pytest.mark.parametrize("reason", ["no locks", "network"])
def test_locks_that_other_hosts_do_not_see_exclude_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Where the system knows no locks, or other hosts write to the disk, the locks say so."""

    def refusing(_descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    if reason == "no locks":
        monkeypatch.setattr(io_steps, "take_lock", refusing)
    else:
        monkeypatch.setattr(folder_lock, "is_shared", lambda _folder: True)
    with lock_folders([str(tmp_path)]) as locks:
        assert not locks.exclusive


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw - nfs4 nas:/x rw
31 30 8:17 / /mnt/nas/local\\040disk rw - xfs /dev/sdb1 rw
32 22 0:50 / /mnt/far rw - fuse.sshfs me@far: rw
33 22 8:33 / /mnt/usb rw - fuseblk /dev/sdc1 rw
34 22 8:1 /srv /mnt/bind rw - ext4 /dev/sda1 rw
"""


def test_kinds_of_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest mount shows whether other hosts may write; a bind mount is a mount point."""
    (tmp_path / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr(filesystems, "MOUNTS", tmp_path / "mountinfo")
    places = ["/srv", "/mnt/nas/a", "/mnt/nas/local disk/a", "/mnt/far", "/mnt/usb/a", "/mnt/nasty"]
    monkeypatch.setattr(os, "stat", lambda _path: os.stat_result(range(10)))
    assert [filesystems.is_shared(place) for place in places] == [False, True, False, True, False, False]
    assert [filesystems.is_mount_point(place) for place in ("/mnt/bind", "/mnt/bind/a", "/srv")] == [True, False, False]
    monkeypatch.setattr(filesystems, "MOUNTS", tmp_path / "no such file")
    assert not filesystems.is_shared("/mnt/nas/b")
