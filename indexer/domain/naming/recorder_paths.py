"""Paths that only one recorder writes: the camera stands between the parts of the time."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from indexer.domain.naming.moments import make_moment

_FRIGATE = re.compile(
    r"(?P<above>.*)/(?P<date>\d{4}-\d\d-\d\d)/(?P<hour>[01]\d|2[0-3])/"
    r"(?P<camera>(?![0-9]+/)[^/]+)/(?P<minute>[0-5]\d)(?P<sign>[-_.])(?P<second>[0-5]\d)(?P<extension>\.[^./]+)",
    re.ASCII | re.DOTALL,
)
STEM_LENGTH = 5
"""Of the names that `read_recorder_path` reads, without their extension."""


class RecorderPath(NamedTuple):
    """What such a path says. `folder`: that of the camera, without the parts of the time; `moment`: aware, UTC,
    for a video of Frigate; else naive."""

    folder: str
    moment: datetime


def read_recorder_path(path: str) -> RecorderPath | None:
    """What a path, absolute and with slashes, says if a recorder wrote it; None for any other one.

    Frigate writes `YYYY-MM-DD/HH/<camera>/MM.SS.mp4`, in UTC; others write images or videos in the same way.
    """
    match = _FRIGATE.fullmatch(path)
    if match is None:
        return None
    clock = (int(match[name]) for name in ("hour", "minute", "second"))
    moment = make_moment(*map(int, match["date"].split("-")), *clock)
    if moment is None:
        return None
    is_frigate = match["extension"] == ".mp4" and match["sign"] == "."
    folder = f"{match['above']}/{match['date']}/{match['camera']}"
    return RecorderPath(folder, moment.replace(tzinfo=UTC) if is_frigate else moment)
