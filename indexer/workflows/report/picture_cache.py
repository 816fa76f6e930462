"""Small pictures in memory, by the names that pages use for them.

It promises that no more than a number of bytes is held: what was not used for longest goes first. It may be used from
any thread.
"""

import threading
from collections import OrderedDict

MAX_BYTES = 48 * 2**20
"""About 2 000 pictures with their differences."""


class PictureCache:
    """A `PictureStore` in memory."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._size_bytes = max_bytes, 0
        self._data = OrderedDict[str, bytes]()
        self._lock = threading.Lock()

    def reuse(self, name: str) -> bool:
        """Whether there is such a picture; it counts as used just now."""
        return self.find(name) is not None

    def find(self, name: str) -> bytes | None:
        """The picture of that name; None if there is none."""
        with self._lock:
            if name in self._data:
                self._data.move_to_end(name)
            return self._data.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Keeps a picture."""
        with self._lock:
            self._size_bytes += len(data) - len(self._data.pop(name, b""))
            self._data[name] = data
            while self._size_bytes > self._max_bytes and len(self._data) > 1:
                _, dropped = self._data.popitem(last=False)
                self._size_bytes -= len(dropped)
