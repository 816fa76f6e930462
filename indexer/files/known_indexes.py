"""The indexes that a person used recently: a small file for each, in the person's own state folder.

It promises that the files are closed to others, hold no password, and are not many; that no link is followed; and that
a problem with the folder or with a file loses only the information in it, and is no error. Each file is whole or does
not exist. The module opens no index.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from indexer.files.private import make_folders

_MAX_INDEXES = 100
_MAX_FOLDERS = 20
_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[0-9a-f]{32}\.json")
_OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class KnownIndex:
    """An index: where it is (a path, or an address without a password), what it ingested, and when it was used.

    `folders`: the folders ingested last, the newest first.
    """

    address: str
    index_id: str
    folders: tuple[str, ...]
    last_used: datetime
    username: str
    hostname: str


def index_exists(address: str) -> bool:
    """Whether a SQLite index has a file that is not empty. An index on a server counts as existing; it is not asked."""
    try:
        return "://" in address or os.path.getsize(address) > 0
    except (OSError, ValueError):
        return False


class KnownIndexes:
    """The list of used indexes in a folder. Without a folder it is always empty."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    def list_indexes(self) -> list[KnownIndex]:
        """All listed indexes, the last used first. The database of one may be gone: see `index_exists`."""
        indexes: list[KnownIndex] = []
        with suppress(OSError, ValueError), self._open_folder() as descriptor:
            indexes += (index for name in _list_names(descriptor) if (index := _read(name, descriptor)) is not None)
        return sorted(indexes, key=lambda index: index.last_used, reverse=True)

    def record_use(self, index: KnownIndex) -> None:
        """Puts an index on the list, with the folders listed before. Of more than a hundred, the oldest are dropped."""
        name = f"{hashlib.sha256(os.fsencode(index.address)).hexdigest()[:32]}.json"
        with suppress(OSError, ValueError):
            self._make_folder()
            with self._open_folder() as descriptor:
                previous = _read(name, descriptor)
                if previous is not None and previous.index_id == index.index_id:
                    index = replace(index, folders=(*index.folders, *previous.folders))
                folders = tuple(dict.fromkeys(index.folders))[:_MAX_FOLDERS]
                _write(name, replace(index, folders=folders), descriptor)
                _drop_oldest(descriptor)

    def _make_folder(self) -> None:
        """Makes the folder if it is missing, but not as an administrator in another user's home."""
        if self._folder is None or os.path.lexists(self._folder):
            return
        above = next(path for path in Path(self._folder).parents if path.exists())
        if os.geteuid() == 0 and above.stat().st_uid != 0:
            raise PermissionError(self._folder)
        make_folders(self._folder)

    @contextmanager
    def _open_folder(self) -> Iterator[int]:
        """Descriptor of the folder. Raises `OSError` if it is missing, or another user owns it or may write to it."""
        if self._folder is None:
            raise FileNotFoundError
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | _OPEN_FLAGS)
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise PermissionError(self._folder)
            yield descriptor
        finally:
            os.close(descriptor)


def _list_names(folder: int) -> list[str]:
    return [name for name in os.listdir(folder) if _NAME.fullmatch(name)]


def _read(name: str, folder: int) -> KnownIndex | None:
    """The index in a file; None if it cannot be read, or is not as we write it."""
    try:
        with os.fdopen(os.open(name, os.O_RDONLY | _OPEN_FLAGS, dir_fd=folder), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            record = json.loads(file.read(_MAX_BYTES))
        last_used = datetime.fromisoformat(record.pop("last_used"))
        index = KnownIndex(folders=tuple(record.pop("folders")), last_used=last_used, **record)
        texts = [index.address, index.index_id, index.username, index.hostname, *index.folders]
        os.fsencode("".join(texts))  # raises if one is no text, or cannot be a path
        return index if last_used.tzinfo is not None and all(map(os.path.isabs, index.folders)) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _write(name: str, index: KnownIndex, folder: int) -> None:
    """Writes a file, or replaces the one with that name; a link with that name stays, and nothing is written."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return
    record = asdict(index) | {"last_used": index.last_used.isoformat()}
    partial = f"{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(partial, dir_fd=folder)  # left by an interrupted command
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_FLAGS, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(record).encode("ascii"))
        os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(partial, dir_fd=folder)
        raise


def _drop_oldest(folder: int) -> None:
    """Removes the files that were written longest ago, beyond the largest number."""
    names = _list_names(folder)
    if len(names) > _MAX_INDEXES:
        mtimes_ns = {name: os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns for name in names}
        for name in sorted(names, key=lambda name: mtimes_ns[name])[:-_MAX_INDEXES]:
            os.unlink(name, dir_fd=folder)
