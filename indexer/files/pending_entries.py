"""A file of entries that wait to be done: lines of JSON that are only ever appended.

It promises that

- an entry that `append` returned from survives a crash;
- a line that a crash cut off is passed over; and
- two processes never have one such file.

It does not know what an entry means.
"""

import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from indexer.errors import FolderError
from indexer.files import private

_DONE = "done"


class PendingEntries:
    """The entries that wait, in the order in which they came, by number; may be used from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._waiting = dict[int, Mapping[str, Any]]()
        self._last = 0
        for line in _read_all(descriptor).split(b"\n"):
            self._take(line)

    @property
    def waiting(self) -> dict[int, Mapping[str, Any]]:
        """A copy of what waits."""
        with self._lock:
            return dict(self._waiting)

    def append(self, entry: Mapping[str, Any]) -> int:
        """Adds an entry, which is on the disk on return; its number. Raises `OSError` if the disk refuses."""
        with self._lock:
            number = self._last + 1
            self._write({"number": number, "entry": entry})
            self._last = number
            self._waiting[number] = entry
            return number

    def finish(self, number: int) -> None:
        """Notes that an entry is done. When none is left, the file becomes empty."""
        with self._lock:
            self._waiting.pop(number, None)
            if self._waiting:
                self._write({_DONE: number})
            else:
                os.ftruncate(self._descriptor, 0)
                os.fsync(self._descriptor)

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            if _DONE in record:
                self._waiting.pop(record[_DONE], None)
            else:
                self._waiting[record["number"]] = record["entry"]
                self._last = max(self._last, record["number"])
        except (ValueError, TypeError, KeyError):  # cut off by a crash
            return

    def _write(self, record: Mapping[str, Any]) -> None:
        # The first line end closes a line that a crash cut off.
        data = b"\n" + json.dumps(record).encode() + b"\n"
        os.lseek(self._descriptor, 0, os.SEEK_END)
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)


@contextmanager
def open_pending_entries(path: str) -> Iterator[PendingEntries]:
    """The entries in a file, which is made if it is missing, and deleted at the end if nothing waits.

    Raises
    ------
    FolderError
        If another process has the file, or if it cannot be made.
    """
    descriptor = _open_locked(path)
    try:
        entries = PendingEntries(descriptor)
        yield entries
        if not entries.waiting:
            os.unlink(path)
    finally:
        os.close(descriptor)


@contextmanager
def no_pending_entries() -> Iterator[PendingEntries]:
    """No entries, for one that will add none: no other process is kept from the file, and nothing is written there."""
    with tempfile.TemporaryFile(buffering=0) as file:
        yield PendingEntries(file.fileno())


def _open_locked(path: str) -> int:
    """The descriptor of the file at a path, which no other process has; raises as `open_pending_entries`."""
    while True:
        try:
            private.make_folders(os.path.dirname(path) or os.curdir)
            descriptor = private.open_file(path, flags=os.O_RDWR)
        except OSError as problem:
            raise FolderError(
                f"the file {path!r} cannot be written: {problem.strerror}; check the rights there"
            ) from problem
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise FolderError(
                "another review of this index runs on this machine; open its page: several people can use "
                "it at the same time"
            ) from None
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # who had it before deleted it: what is written there, nobody reads again


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)
