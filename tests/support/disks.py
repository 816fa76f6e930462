"""Kinds of disks, played by what the system would answer on them: each lacks a property that most disks have.

A kind replaces functions of `os` and `fcntl`, or of `indexer.files.io_steps` where an answer bears on paths alone,
until a test ends; the files themselves lie on the disk of the test.
"""

import errno
import fcntl
import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps

Play = Callable[[pytest.MonkeyPatch], None]
COARSE_NS = 2 * 10**9


@dataclass(frozen=True)
class Kind:
    """A kind of disk; `says`: what a command tells that cannot work there, None where it works."""

    play: Play
    says: str | None = None


def refusing(call: Callable[..., Any], number: int, *, within: bool = True) -> Callable[..., Any]:
    """A call of two paths that fails with an error number; `within`: also where both are in one folder."""

    def instead(source: Any, target: Any, **more: Any) -> Any:
        if not within and os.path.dirname(source) == os.path.dirname(target):
            return call(source, target, **more)
        raise OSError(number, os.strerror(number), source)

    return instead


def link_refused(number: int) -> Play:
    """No hard links, said by this number."""
    return lambda patch: patch.setattr(os, "link", refusing(os.link, number))


def together(*plays: Play) -> Play:
    """All at once."""

    def play(patch: pytest.MonkeyPatch) -> None:
        for one in plays:
            one(patch)

    return play


def rename_refused(number: int) -> Play:
    """No rename from one folder to another, and no link."""

    def play(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(os, "link", refusing(os.link, number))
        patch.setattr(os, "rename", refusing(os.rename, number, within=False))

    return play


def folder_sync_refused(number: int) -> Play:
    """A folder cannot be synced; a file can."""
    real = os.fsync

    def instead(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    return lambda patch: patch.setattr(os, "fsync", instead)


def flock_refused(number: int) -> Play:
    """No flock."""

    def instead(descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    return lambda patch: patch.setattr(io_steps, "take_lock", lambda descriptor: instead(descriptor, fcntl.LOCK_EX))


def _with_inode(status: os.stat_result, inode: int) -> os.stat_result:
    """A status with another inode number."""
    _, (_, plain) = status.__reduce__()  # type: ignore[misc]
    numbers = list(status)
    numbers[1] = inode
    return os.stat_result(numbers, plain)


def numbers_of_paths(patch: pytest.MonkeyPatch) -> None:
    """The inode number is a hash of the path, as of mergerfs and rclone."""
    lstat, plain_stat, fstat = os.lstat, os.stat, os.fstat

    def numbered(path: Any, status: os.stat_result) -> os.stat_result:
        if not stat.S_ISREG(status.st_mode):
            return status
        return _with_inode(
            status,
            zlib.crc32(os.fsencode(os.path.realpath(os.path.dirname(path)))) << 20
            ^ zlib.crc32(os.fsencode(os.path.basename(path))),
        )

    def of_path(real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def instead(path: Any, **more: Any) -> os.stat_result:
            status = real(path, **more)
            return numbered(os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else path, status)

        return instead

    patch.setattr(os, "lstat", of_path(lstat))
    patch.setattr(os, "stat", of_path(plain_stat))
    patch.setattr(os, "fstat", of_path(fstat))


def numbers_change_with_links(patch: pytest.MonkeyPatch) -> None:
    """A link copies the file up first: it and its second name have another number then, as on some overlays."""
    real = os.link

    def instead(source: str, target: str, **more: Any) -> None:
        up = f"{source}.copied-up"
        status = os.lstat(source)
        Path(up).write_bytes(Path(source).read_bytes())
        os.chmod(up, stat.S_IMODE(status.st_mode))
        os.utime(up, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.replace(up, source)
        real(source, target, **more)

    patch.setattr(os, "link", instead)


def only_new_name_is_renumbered(patch: pytest.MonkeyPatch) -> None:
    """A link is a copy with a number of its own; the old name keeps the old one, as a rootless container shows it."""

    def instead(source: str, target: str, **_more: Any) -> None:
        status = os.lstat(source)
        with Path(target).open("xb") as copy:
            copy.write(Path(source).read_bytes())
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))

    patch.setattr(os, "link", instead)


def coarse_times(patch: pytest.MonkeyPatch) -> None:
    """No links, and a time is cut to two seconds when the file is renamed, as on FAT; nothing finer can be set."""
    real_rename, real_utime = os.rename, os.utime

    def cut(path: Any) -> None:
        status = os.lstat(path)
        mtime_ns = status.st_mtime_ns // COARSE_NS * COARSE_NS
        real_utime(path, ns=(status.st_atime_ns, mtime_ns), follow_symlinks=False)

    def rename(source: str, target: str, **more: Any) -> None:
        real_rename(source, target, **more)
        cut(target)

    def utime(path: Any, *given: Any, **more: Any) -> None:
        real_utime(path, *given, **more)
        cut(path)

    link_refused(errno.EPERM)(patch)
    patch.setattr(os, "rename", rename)
    patch.setattr(os, "utime", utime)


def times_lost_by_rename(patch: pytest.MonkeyPatch) -> None:
    """No links, and a time is cut when the file is renamed; it can be set again."""
    real = os.rename

    def rename(source: str, target: str, **more: Any) -> None:
        real(source, target, **more)
        status = os.lstat(target)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns // COARSE_NS * COARSE_NS))

    link_refused(errno.EPERM)(patch)
    patch.setattr(os, "rename", rename)


def utime_refused(patch: pytest.MonkeyPatch) -> None:
    """Times cannot be set."""

    def instead(path: Any, *_given: Any, **_more: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    patch.setattr(os, "utime", instead)


def unlink_put_off(patch: pytest.MonkeyPatch) -> None:
    """A file whose name goes stays in its folder under a hidden name, as somebody has it open: NFS and FUSE."""
    real, number = os.unlink, iter(range(10**6))

    def instead(path: Any, **more: Any) -> None:
        if ".indexer-" in os.path.basename(path):
            real(path, **more)
            return
        os.rename(path, os.path.join(os.path.dirname(path), f".nfs{next(number):024x}"))

    patch.setattr(os, "unlink", instead)


def unlink_refused(patch: pytest.MonkeyPatch) -> None:
    """Names of images can be added and not taken away."""
    real = os.unlink

    def instead(path: Any, **more: Any) -> None:
        # What was just put there may be taken back: the quarantine is the user's own.
        if "/.indexer-quarantine/" in str(path):
            real(path, **more)
            return
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    patch.setattr(os, "unlink", instead)


_EXDEV = rename_refused(errno.EXDEV)
_NUMBERS = [errno.EIO, errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS]
KINDS: dict[str, Kind] = {
    **{f"link: {errno.errorcode[number]}": Kind(link_refused(number)) for number in _NUMBERS},
    **{
        f"link and rename: {errno.errorcode[number]}": Kind(rename_refused(number))
        for number in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
    },
    "link and rename: EIO": Kind(rename_refused(errno.EIO), "neither links nor renames this file"),
    **{
        f"fsync of a folder: {errno.errorcode[number]}": Kind(folder_sync_refused(number))
        for number in (errno.ENOTTY, errno.EINVAL, errno.EACCES, errno.ENOSYS)
    },
    "fsync of a folder: EIO": Kind(folder_sync_refused(errno.EIO), "does not tell whether new names are stored"),
    **{
        f"flock: {errno.errorcode[number]}": Kind(flock_refused(number))
        for number in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.EBADF)
    },
    "numbers of paths": Kind(numbers_of_paths),
    "numbers of paths, no links": Kind(together(numbers_of_paths, link_refused(errno.EPERM))),
    "numbers of paths, copies": Kind(together(numbers_of_paths, _EXDEV)),
    "numbers change with links": Kind(numbers_change_with_links),
    "only the new name is renumbered": Kind(only_new_name_is_renumbered),
    "coarse times": Kind(coarse_times),
    "times lost by rename": Kind(times_lost_by_rename),
    "no utime": Kind(utime_refused),
    "no utime, copies": Kind(together(_EXDEV, utime_refused), "does not keep the time of a file"),
    "unlink put off": Kind(unlink_put_off),
    "no unlink": Kind(unlink_refused, "does not let a file be deleted (unlink)"),
}
