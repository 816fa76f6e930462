"""Folders for what can be made again, closed to other users: machine code, and the graph of the network.

It promises that what is read there is what this user, root or the owner of the source wrote, whole. It does not know
what is kept. It writes files itself, as this package knows none of `indexer.files`.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_DIGEST_BYTES = 32


def users_cache() -> Path:
    """The folder of this user for what can be made again. Raises `RuntimeError` if the user has no home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def make_private_folder(folder: Path) -> None:
    """Makes the folder and its missing parents, closed to other users; raises `OSError` if it cannot be trusted."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with suppress(FileExistsError):
            missing.mkdir(0o700)
    status = folder.lstat()
    trusted = {os.geteuid(), 0, Path(__file__).stat().st_uid}  # who may change the source may change what it makes
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted or status.st_mode & stat.S_IWOTH:
        raise PermissionError(f"{folder} is not ours")


def read_cached(path: Path) -> bytes | None:
    """The data of a file that `write_cached` wrote; None if there is none, or if it is not whole.

    Raises `OSError` if its folder cannot be trusted.
    """
    make_private_folder(path.parent)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return data if digest == hashlib.sha256(data).digest() else None


def write_cached(path: Path, data: bytes) -> None:
    """Writes a file, with a checksum, at once or not at all. Raises `OSError` as `read_cached`, or if the disk is
    full."""
    make_private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
