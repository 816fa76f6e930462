"""How version 0.0.1 read camera and time from a path: from the file's own name, else from its own folder's.

A folder that it ingested keeps these rules until a person asks for those of today: else its cameras would be split
between old images and new ones. Nothing here changes any more.
"""

import os
import re
from datetime import datetime

from indexer.domain.naming.camera_words import storable_text
from indexer.domain.naming.moments import make_moment, read_epoch

_SEPARATORS = "-_. "
_STAMP = re.compile(
    r"""
    (?: (?<![0-9A-Z]) (?P<epoch_ms>[0-9]{13})
    |   (?<![0-9])
        (?P<year>19[7-9][0-9]|20[0-9]{2}|2100) (?P<dash>[-_.])? (?P<month>0[1-9]|1[0-2]) (?(dash)(?P=dash))
        (?P<day>0[1-9]|[12][0-9]|3[01])
        (?: (?P<t>T) | [-_. ]{1,2} | (?(dash)(?!)) )
        (?P<hour>[01][0-9]|2[0-3]) (?P<colon>[-_.:])? (?P<minute>[0-5][0-9]) (?(colon)(?P=colon)) (?P<second>[0-5][0-9])
        (?: [-_.,]? (?P<fraction>[0-9]{3}(?:[0-9]{3})?) )?
        (?P<offset> Z | (?(t)[+-](?:0[0-9]|1[0-4])[-:.]?(?:00|15|30|45)|(?!)) )?
    ) (?![0-9A-Z])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORD_AND_NUMBER = re.compile(r"(?P<word>[A-Za-z]+)[-_ ]?[0-9]{1,3}")
_KIND_OF_FILE = re.compile(
    r"(?:img|image|mvimg|pxl|dsc|dscf|dscn|photo|pic|picture|snapshot|screenshot|frame|copy)[-_ ]?[0-9]*",
    re.IGNORECASE,
)


def read_earlier(path: str) -> tuple[str, str, datetime | None]:
    """The camera of a path, its source ('name' or 'folder'), and the time in the file name, naive without an offset."""
    folder, _, name = path.rpartition("/")
    stem = os.path.splitext(name)[0]
    for stamp in _STAMP.finditer(stem):
        moment = read_epoch(stamp["epoch_ms"]) if stamp["epoch_ms"] else _read_parts(stamp)
        if moment is not None:
            camera = storable_text(_camera_around(stem[: stamp.start()], stem[stamp.end() :]))
            return (camera, "name", moment) if camera else (_folder_camera(folder), "folder", moment)
    return _folder_camera(folder), "folder", None


def _folder_camera(folder: str) -> str:
    return storable_text(folder.rstrip("/").rpartition("/")[2]) or "camera"


def _read_parts(stamp: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (
        int(stamp[name]) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    fraction, offset = stamp["fraction"] or "", stamp["offset"]
    return make_moment(year, month, day, hour, minute, second, fraction=fraction, offset=offset)


def _camera_around(before: str, after: str) -> str | None:
    before, after = before.rstrip(_SEPARATORS), after.lstrip(_SEPARATORS)
    if before and not _KIND_OF_FILE.fullmatch(before):
        return before
    if _WORD_AND_NUMBER.fullmatch(after) and not _KIND_OF_FILE.fullmatch(after):
        return after
    return None
