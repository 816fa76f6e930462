"""Which indexes keep files in a quarantine: lines in its marker, for a person who comes to it with another index.

It promises that a line is added once, and that lines that are damaged by a crash or written by others are left out. The
lines inform people: no removal depends on them.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from indexer.files import io_steps
from indexer.files.markers import QUARANTINE_MARKER

_MAX_BYTES = 1 << 24


@dataclass(frozen=True)
class Owner:
    """An index that removes images of a folder.

    `database` says where it is: the path of its database, or its address without a password.
    """

    index_id: str
    root: str
    database: str
    username: str
    hostname: str

    @property
    def line(self) -> bytes:
        """The line of the marker, with a line break before and after it."""
        return f"\n{json.dumps(asdict(self))}\n".encode("ascii")


def add_owner(quarantine: str, owner: Owner) -> None:
    """Adds the owner to the marker of a quarantine, unless it is there already.

    If the marker cannot be read or written, nothing is done. A crash leaves the line, a part of it, or nothing.
    """
    with suppress(OSError):
        if owner.line not in _read_marker(quarantine):
            io_steps.append(os.path.join(quarantine, QUARANTINE_MARKER), owner.line)


def read_owners(quarantine: str) -> Iterator[Owner]:
    """The owners that a marker names, in its order; none without a marker. Raises `OSError` if it cannot be read."""
    for line in _read_marker(quarantine).split(b"\n"):
        try:
            owner = Owner(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        if all(isinstance(word, str) for word in asdict(owner).values()):
            yield owner


def _read_marker(quarantine: str) -> bytes:
    try:
        descriptor = io_steps.open_to_read(os.path.join(quarantine, QUARANTINE_MARKER))
    except FileNotFoundError:
        return b""
    try:
        return io_steps.read_bytes(descriptor, most=_MAX_BYTES)
    finally:
        os.close(descriptor)
