"""What an image is called after its file was named again, or moved.

What a person said once (`--camera`, `--pattern`) holds until a person says something else; what was read from a name
holds as long as the file has that name; a modification time counts as first seen.
"""

import unicodedata
from dataclasses import replace

from indexer.domain.names import Naming

_SAID = {"option", "pattern"}


def renamed(known: Naming, asked: Naming) -> Naming:
    """The naming of a known file after a run with `--camera` or `--pattern`: only what these say changes."""
    naming = known
    if asked.camera_source in _SAID:
        naming = replace(naming, camera=asked.camera, camera_source=asked.camera_source)
    if asked.captured_at_source in _SAID:
        naming = replace(naming, captured_at=asked.captured_at, captured_at_source=asked.captured_at_source)
    return naming


def moved(known: Naming, read: Naming) -> Naming:
    """The naming of known bytes at another path: as read there, but for what a person said and the first seen mtime.

    A camera whose name is the same in NFC keeps the name that it has: an earlier version took names as they were.
    """
    naming = read
    same = known.camera != read.camera == unicodedata.normalize("NFC", known.camera)
    if (same or known.camera_source in _SAID) and read.camera_source not in _SAID:
        naming = replace(naming, camera=known.camera, camera_source=known.camera_source)
    said = known.captured_at_source in _SAID and read.captured_at_source not in _SAID
    if said or (known.captured_at_source == "mtime" and read.captured_at_source in {"mtime", None}):
        naming = replace(naming, captured_at=known.captured_at, captured_at_source=known.captured_at_source)
    return naming
