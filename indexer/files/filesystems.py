"""What kind of disk a folder is on: where mounts begin, whether other hosts may write there, how much is free.

It reads Linux's list of mounts; on a system without one only what `os` knows is told. It changes nothing.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from indexer.errors import lacks_descriptors

_MOUNTS = Path("/proc/self/mountinfo")
_LOCAL_FUSE = {"fuseblk", "fuse.portal"}
_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "drvfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "overlay", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
}  # fmt: skip


def is_mount_point(path: str) -> bool:
    """Whether something is mounted at this very path: a disk, or a folder or file under another name."""
    real = os.path.realpath(path)
    places = {place for place, _ in _mounts()}
    if real in places:
        return True
    # An overlay gives files of its layers other devices than its folders have, which Python takes for mounts.
    return not (places and os.path.isfile(real)) and os.path.ismount(real)


def is_shared(folder: str) -> bool:
    """Whether others may write to this folder by a way on which a lock here does not hold: other hosts, or an overlay.

    A file system in user space counts as one: what is behind it cannot be told.
    """
    return _is_shared(os.path.realpath(folder), os.stat(folder).st_dev)


@lru_cache(maxsize=1024)
def _is_shared(real: str, _device: int) -> bool:
    """The same of a real path; asked again when another device is mounted there."""
    kind = _kind(real)
    return kind in _NETWORK or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)


def free_bytes(folder: str) -> int:
    """Bytes that this user may still write to the disk of a folder."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _kind(real: str) -> str:
    """The type of the file system of a real path; empty where the system does not tell."""
    beneath = [(place, kind) for place, kind in _mounts() if os.path.commonpath([place, real]) == place]
    # Of two mounts at one place the later one is seen.
    return max(enumerate(beneath), key=lambda one: (len(one[1][0]), one[0]))[1][1] if beneath else ""


def _mounts() -> Iterator[tuple[str, str]]:
    """Place and type of each mount, in the order in which they were made."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as problem:
        if lacks_descriptors(problem):
            raise  # else a disk that others share would be taken for one that nobody does
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        place = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
        yield place, after.split(" ")[0]
