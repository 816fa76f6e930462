"""What is exported of an image, and the names that files get in an exported tree. Plain values; nothing is opened."""

import os
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Status = Literal["kept", "removed"]
MAX_NAME_BYTES = 200
"""A longer name is cut, so that every disk can hold it."""
_ALWAYS_ESCAPED = {"/", "\\", "%"}


class ExportedImage(NamedTuple):
    """One image with its decision. `file`: where its bytes are now; None if they were deleted.

    `path` is where the image is or was. Of a removed image `keeper_path` is the image that stands for it; of a kept one
    it is None. `score` and `max_score` are in reference pixels; the score is None where none decided. Times are aware
    UTC. `mtime_ns`: the time of the file as the index knows it.
    """

    image_id: int
    path: str
    file: str | None
    camera: str
    captured_at: datetime | None
    width: int | None
    height: int | None
    size_bytes: int
    content_hash: str
    status: Status
    reason: str
    keeper_path: str | None
    score: float | None
    max_score: float
    profile: str
    decided_by: str
    decided_at: datetime
    mtime_ns: int


@dataclass
class ExportNames:
    """Gives each file of a tree a path of its own, `CAMERA/NAME`, that every disk and every reader can hold.

    No two paths differ only in letter case or in how accents are written. The same images in the same order get the
    same paths.
    """

    _used: set[str] = field(default_factory=set)

    def add(self, image: ExportedImage) -> str:
        """The path of an image below the tree: UTF-8, relative, with two parts, never hidden."""
        folder, name = safe_name(image.camera), safe_name(os.path.basename(image.path))
        stem, suffix = os.path.splitext(name)
        path, number = f"{folder}/{name}", 0
        while _folded(path) in self._used:
            path = f"{folder}/{stem}-{image.image_id}{f'-{number}' if number else ''}{suffix}"
            number += 1
        self._used.add(_folded(path))
        return path


def safe_name(name: str) -> str:
    """The name as one part of a path: what cannot be shown, a separator, `%` and a leading dot are written as `%XX`.

    Two names give two results, unless they are so long that they are cut.
    """
    escaped = "".join(_escaped(char) if char in _ALWAYS_ESCAPED or not char.isprintable() else char for char in name)
    if escaped.startswith((".", "_")):  # hidden, or left out by readers of data sets
        escaped = _escaped(escaped[0]) + escaped[1:]
    stem, suffix = os.path.splitext(escaped or "%")
    while len(os.fsencode(stem + suffix)) > MAX_NAME_BYTES:
        stem, suffix = (stem[:-1], suffix) if stem else (suffix[:-1], "")
    return stem + suffix


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(char))


def _folded(path: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
