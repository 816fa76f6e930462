"""Camera and capture time of an image after its file was renamed or moved.

What a person set once (`--camera`, `--pattern`) holds until a person sets something else. What was read from a name
holds as long as the file has that name. Of modification times the first one counts.
"""

import unicodedata
from dataclasses import replace

from indexer.domain.names import USER_SOURCES, Naming


def naming_with_options(known: Naming, requested: Naming) -> Naming:
    """The naming of a known file after a run with `--camera` or `--pattern`: only what these options set changes."""
    naming = known
    if requested.camera_source in USER_SOURCES:
        naming = replace(naming, camera=requested.camera, camera_source=requested.camera_source)
    if requested.captured_at_source in USER_SOURCES:
        naming = replace(naming, captured_at=requested.captured_at, captured_at_source=requested.captured_at_source)
    return naming


def naming_by_rule(
    known: Naming, read: Naming, *, is_new_rules: bool, is_new_zone: bool, forgets_rules: bool = False
) -> Naming:
    """The naming of a known file after a person changed how its folder is named.

    What the options say themselves changes as in `naming_with_options`. With `is_new_rules`, names are read by the
    rules of today: so changes what no person said. With `is_new_zone`, times from names and EXIF without an offset
    change. With `forgets_rules`, what a person said of the folder before counts no more.
    """
    if forgets_rules:
        is_mtime = known.captured_at_source == read.captured_at_source == "mtime"
        is_lost = known.captured_at_source == "exif" and read.captured_at_source in {"mtime", None}
        time = known if is_mtime or is_lost else read
        return replace(read, captured_at=time.captured_at, captured_at_source=time.captured_at_source)
    naming = naming_with_options(known, read)
    if is_new_rules and naming.camera_source not in USER_SOURCES:
        naming = replace(naming, camera=read.camera, camera_source=read.camera_source)
    is_reread = (is_new_rules and naming.captured_at_source not in USER_SOURCES) or (
        is_new_zone and naming.captured_at_source == read.captured_at_source
    )
    if is_reread and read.captured_at_source in {"name", "exif"}:
        naming = replace(naming, captured_at=read.captured_at, captured_at_source=read.captured_at_source)
    return naming


def naming_after_move(known: Naming, parsed: Naming) -> Naming:
    """The naming of a known content at another path: `parsed`, except for what a person set and the first mtime.

    If the camera's name is the same in NFC, the known name stays: an earlier version did not normalise names.
    """
    naming = parsed
    is_same_camera = known.camera != parsed.camera == unicodedata.normalize("NFC", known.camera)
    if (is_same_camera or known.camera_source in USER_SOURCES) and parsed.camera_source not in USER_SOURCES:
        naming = replace(naming, camera=known.camera, camera_source=known.camera_source)
    is_time_from_user = known.captured_at_source in USER_SOURCES and parsed.captured_at_source not in USER_SOURCES
    if is_time_from_user or (known.captured_at_source == "mtime" and parsed.captured_at_source in {"mtime", None}):
        naming = replace(naming, captured_at=known.captured_at, captured_at_source=known.captured_at_source)
    return naming
