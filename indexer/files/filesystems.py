"""The kind of disk that a folder is on: where mounts begin, whether other hosts may write there, how much is free.

It reads Linux's list of mounts; on a system without one, it uses what `os` knows. It changes nothing.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from indexer.domain.paths import lies_below
from indexer.errors import lacks_descriptors

MOUNTS = Path("/proc/self/mountinfo")
_LOCAL_FUSE = {"fuseblk", "fuse.portal"}
_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "drvfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "overlay", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
}  # fmt: skip


def is_mount_point(path: str) -> bool:
    """Whether something is mounted at this very path: a disk, or a folder or file that has another path, too."""
    real = os.path.realpath(path)
    mount_points = {mount_point for mount_point, _ in _iter_mounts()}
    if real in mount_points:
        return True
    # An overlay reports other devices for its files than for its folders, and Python takes such a file for a mount.
    return not (mount_points and os.path.isfile(real)) and os.path.ismount(real)


def is_shared(folder: str) -> bool:
    """Whether others may write to this folder without seeing a lock here: other hosts, or programs below an overlay.

    A file system in user space counts as shared, because nothing tells what is behind it. Raises `OSError` if the
    folder cannot be read.
    """
    return _is_shared(os.path.realpath(folder), os.stat(folder).st_dev)


def is_remote(folder: str) -> bool:
    """Whether programs elsewhere may write to this folder, of which the kernel here reports nothing.

    Raises `OSError` if the folder cannot be read.
    """
    return is_shared(folder) and _filesystem_type(os.path.realpath(folder)) != "overlay"


def find_remote(folder: str) -> str | None:
    """A folder of which the kernel here does not see all that happens: the folder itself, or a mount below it; None if
    there is none.

    Raises `OSError` if the folder cannot be read.
    """
    if is_remote(folder):
        return folder
    real = os.path.realpath(folder)
    mounts = dict(_iter_mounts())  # of two mounts at one path the later one is visible
    return next(
        (path for path, kind in mounts.items() if lies_below(path, real) and _is_network(kind) and kind != "overlay"),
        None,
    )


@lru_cache(maxsize=1024)
def _is_shared(real: str, _device: int) -> bool:
    """As `is_shared`, for a real path. The device is an argument so that the cache notices another mount."""
    return _is_network(_filesystem_type(real))


def _is_network(kind: str) -> bool:
    return kind in _NETWORK or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)


def free_bytes(folder: str) -> int:
    """The bytes that this user may still write to the disk of a folder. Raises `OSError` if it cannot be read."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _filesystem_type(real: str) -> str:
    """The type of the file system of a real path; empty if there is no list of mounts."""
    enclosing_mounts = [
        (mount_point, kind)
        for mount_point, kind in _iter_mounts()
        if os.path.commonpath([mount_point, real]) == mount_point
    ]
    # Of two mounts at one path the later one is visible.
    return (
        max(enumerate(enclosing_mounts), key=lambda numbered_mount: (len(numbered_mount[1][0]), numbered_mount[0]))[1][
            1
        ]
        if enclosing_mounts
        else ""
    )


def _iter_mounts() -> Iterator[tuple[str, str]]:
    """Path and type of each mount, in the order in which they were made."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as problem:
        if lacks_descriptors(problem):
            raise  # else a shared disk would be taken for a local one
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        mount_point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
        yield mount_point, after.split(" ")[0]
