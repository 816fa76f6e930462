"""Where a stored frame lies below the folder of frames: the camera, the day, and a name that says both again.

`<camera>/<YYYY-MM-DD>/<camera>-<milliseconds since 1970>.jpg`, days in UTC. It promises that `indexer.domain.names`
reads camera and time from such a path again, so that an index which was lost is made again by `ingest`. The exceptions
are cameras whose name has a character that no file name may have, or reads as a time itself.
"""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNUSABLE = re.compile(r"[/\\:*?\"<>|\x00-\x1f\x7f]")
_LONGEST_NAME_BYTES = 200
_FIRST_EPOCH_YEAR, _LAST_EPOCH_YEAR = 1990, 2099  # digits are read as a time in these years alone


def frame_path(camera: str, captured_at: datetime) -> str:
    """The path of a frame below the folder of frames, with slashes; `captured_at` is aware."""
    moment = captured_at.astimezone(UTC)
    name = file_name_of_camera(camera)
    day = f"{moment.year:04}-{moment:%m-%d}"
    return f"{name}/{day}/{name}-{_time_text(moment)}.jpg"


def file_name_of_camera(camera: str) -> str:
    """The name of a camera as a file may be called: never empty, hidden, a path, or longer than 200 bytes."""
    name = _UNUSABLE.sub("_", camera).strip().lstrip(".") or "camera"
    while len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME_BYTES:
        name = name[:-1]
    return name.rstrip(" .") or "camera"


def next_millisecond(moment: datetime) -> datetime:
    """The beginning of the next millisecond: the time of a frame whose name is in use."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000) + timedelta(milliseconds=1)


def _time_text(moment: datetime) -> str:
    if _FIRST_EPOCH_YEAR <= moment.year <= _LAST_EPOCH_YEAR:
        return f"{(moment - _EPOCH) // timedelta(milliseconds=1):013}"
    return f"{moment.year:04}{moment:%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"
