"""Paths of videos that only one recorder writes: the camera stands between the parts of the time."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

_FRIGATE = re.compile(
    r"(?P<above>.*)/(?P<date>\d{4}-\d\d-\d\d)/(?P<hour>[01]\d|2[0-3])/"
    r"(?P<camera>(?![0-9]+/)[^/]+)/(?P<time>[0-5]\d\.[0-5]\d)\.mp4",
    re.ASCII | re.DOTALL,
)


class RecorderPath(NamedTuple):
    """What such a path says. `folder`: that of the camera, without the parts of the time; `moment`: aware, UTC."""

    folder: str
    moment: datetime


def read_recorder_path(path: str) -> RecorderPath | None:
    """What a path, absolute and with slashes, says if a recorder wrote it; None for any other one.

    Frigate writes `YYYY-MM-DD/HH/<camera>/MM.SS.mp4`, in UTC.
    """
    match = _FRIGATE.fullmatch(path)
    if match is None:
        return None
    try:
        moment = datetime.strptime(f"{match['date']} {match['hour']}.{match['time']}", "%Y-%m-%d %H.%M.%S")
    except ValueError:
        return None
    return RecorderPath(f"{match['above']}/{match['date']}/{match['camera']}", moment.replace(tzinfo=UTC))
