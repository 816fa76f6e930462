"""Which indexes keep files in a quarantine: lines of its marker, for a person who comes by with another index.

It promises that a line is added once, and that lines that a cut spoiled, or that others wrote, are left out. What it
says is for people: no removal depends on it.
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
    """An index that removes images of a folder, and where it is: the path of its database, or its address without a
    password."""

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
    """Add the owner to the marker of a quarantine, unless it is named there. A cut leaves a part of its line, or none.

    As well as it can be: where the marker cannot be read or written, nothing is done.
    """
    with suppress(OSError):
        if owner.line not in _read_marker(quarantine):
            io_steps.append(os.path.join(quarantine, QUARANTINE_MARKER), owner.line)


def read_owners(quarantine: str) -> Iterator[Owner]:
    """The owners that a marker names, the first first; none where there is no marker. Raises `OSError`."""
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
