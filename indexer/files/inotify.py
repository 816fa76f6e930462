"""Reports of the kernel about folders: a file was made, closed after it was written, renamed, deleted.

It promises that a report names the path that its folder has now, and that lost reports are reported themselves. It
knows no images, and it sees nothing that another host does to a network disk (`inotify(7)`). The calls are those of
the C library, through ctypes; elsewhere than on Linux they do not exist.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from indexer.domain.paths import lies_at_or_below

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_UNMOUNT, _OVERFLOW, _IGNORED = 0x2000, 0x4000, 0x8000
_ONLYDIR, _DONT_FOLLOW, _ISDIR = 0x1000000, 0x2000000, 0x40000000
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLYDIR | _DONT_FOLLOW
_HEAD = struct.Struct("iIII")
_BUFFER_BYTES = 2**18
_MAX_READS = 100


class EventKind(Enum):
    """What happened; a renamed file is `GONE` at its old path and `CLOSED` at the new one."""

    CREATED = auto()
    CLOSED = auto()
    GONE = auto()
    FOLDER_MADE = auto()
    FOLDER_GONE = auto()
    REPORTS_LOST = auto()


_KINDS = {
    True: ((_MOVED_FROM | _DELETE, EventKind.FOLDER_GONE), (_CREATE | _MOVED_TO, EventKind.FOLDER_MADE)),
    False: (
        (_CLOSE_WRITE | _MOVED_TO, EventKind.CLOSED),
        (_CREATE, EventKind.CREATED),
        (_MOVED_FROM | _DELETE, EventKind.GONE),
    ),
}
"""What the bits of a report mean, by whether it is about a folder; the first that fits."""


class FileEvent(NamedTuple):
    """One report; the path of lost reports is empty."""

    kind: EventKind
    path: str


class Inotify:
    """A queue of reports. Raises `OSError` if the system gives none: not on Linux, or too many."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._library, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._descriptor = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, folder: str) -> bool:
        return folder in self._numbers

    def add(self, folder: str) -> None:
        """Asks for reports about a folder; its path must be absolute.

        Raises
        ------
        OSError
            `ENOSPC` if this user may not watch more folders; else if the folder is gone or cannot be read.
        """
        number = self._call("inotify_add_watch", self._descriptor, os.fsencode(folder), _MASK)
        before = self._numbers.get(folder, number)
        if before != number:  # another folder had this path, and may be elsewhere now
            self._remove(before)
        self._drop(number)  # the same folder, by the name that it had before
        self._folders[number], self._numbers[folder] = folder, number

    def remove_below(self, folder: str) -> None:
        """Asks for no more reports about a folder and all below it."""
        for number in [number for path, number in self._numbers.items() if lies_at_or_below(path, folder)]:
            self._remove(number)

    def iter_events(self) -> Iterator[FileEvent]:
        """The reports that are there, in their order; it does not wait. It ends also if more and more arrive."""
        for _ in range(_MAX_READS):
            try:
                data = os.read(self._descriptor, _BUFFER_BYTES)
            except BlockingIOError:
                return
            offset = 0
            while offset < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, offset)
                name = data[offset + _HEAD.size : offset + _HEAD.size + length].rstrip(b"\0")
                offset += _HEAD.size + length
                yield from self._events(number, mask, os.fsdecode(name))

    def fileno(self) -> int:
        """The descriptor, which is readable when there are reports."""
        return self._descriptor

    def close(self) -> None:
        """Ends all reports."""
        os.close(self._descriptor)

    def _events(self, number: int, mask: int, name: str) -> Iterator[FileEvent]:
        if mask & _OVERFLOW:
            yield FileEvent(EventKind.REPORTS_LOST, "")
            return
        folder = self._folders.get(number)
        if folder is None:
            return
        if mask & (_IGNORED | _UNMOUNT):
            self._drop(number)
            yield FileEvent(EventKind.FOLDER_GONE, folder)
            return
        path = os.path.join(folder, name)
        kind = next((kind for bits, kind in _KINDS[bool(mask & _ISDIR)] if mask & bits), None)
        if kind is EventKind.FOLDER_GONE:
            self.remove_below(path)
        if kind is not None:
            yield FileEvent(kind, path)

    def _remove(self, number: int) -> None:
        """Asks for no more reports about a folder, by its number; what it reported already is passed over."""
        self._drop(number)
        self._library.inotify_rm_watch(self._descriptor, number)  # fails if the kernel dropped it already

    def _drop(self, number: int) -> None:
        """Forgets a folder by its number: its path may be that of another folder by now."""
        folder = self._folders.pop(number, None)
        if folder is not None and self._numbers.get(folder) == number:
            del self._numbers[folder]

    def _call(self, name: str, *arguments: object) -> int:
        result: int = getattr(self._library, name)(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
