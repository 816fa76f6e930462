"""The camera and the time of an image as they are stored. `indexer.domain.names` reads them from a name.

The two modules are apart so that commands which only ask the index start without loading the regular expressions.
"""

from dataclasses import dataclass
from datetime import datetime

USER_SOURCES = frozenset({"option", "pattern"})
"""The sources of a camera or a time that a person said."""

EARLIEST_NS, LATEST_NS = -(2**63), 2**63 - 1
"""The limits of a modification time, in nanoseconds since 1970."""


@dataclass(frozen=True)
class Naming:
    """Camera and capture time of an image, each with its source."""

    camera: str
    """Never empty, printable as UTF-8, no white space around it."""
    camera_source: str
    """'option', 'pattern', 'name' or 'folder'."""
    captured_at: datetime | None
    """UTC, aware; None when no source gives a valid time."""
    captured_at_source: str | None
    """'pattern', 'name', 'exif' or 'mtime'; None without a time."""


def clamped_mtime(mtime_ns: int) -> int:
    """A modification time as stored and compared: nanoseconds since 1970 in 64 bits, so in the years 1677 to 2262.

    File systems can hold times outside, which a camera with a broken clock writes; they become the nearest limit.
    """
    return max(EARLIEST_NS, min(mtime_ns, LATEST_NS))
