"""What is known of a video file: plain values, and when its recording began.

The module reads no file. `indexer.imaging.video` gives the facts; names and folders are read by `indexer.domain.names`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VIDEO_EXTENSIONS = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".flv", ".ts", ".mts", ".m2ts", ".m2t", ".mpg"}
    | {".mpeg"}
)
_EARLIEST_YEAR = 2000  # a container says 1904 or 1970 where the camera has no clock
_TOLERANCE_S = 5.0
_SHORTEST_WITH_END_S = 10.0
_CREATION_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)


class Sampling(StrEnum):
    """Which frames are decoded: `auto` is `keyframes` where these are close enough, else `all`."""

    AUTO = "auto"
    KEYFRAMES = "keyframes"
    ALL = "all"


class VideoState(StrEnum):
    """The state of a video file; of a `partial` one the part before its damage was read."""

    READ = "read"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class VideoFacts:
    """The header of a video.

    Attributes
    ----------
    container, codec : str
        As FFmpeg calls them, such as `mov,mp4,m4a,3gp,3g2,mj2` and `h264`.
    width, height : int
        Of a frame as shown, after rotation.
    duration_s : float or None
        As the header says, which may be wrong; None if it says nothing.
    creation_time : str or None
        As the container says.
    """

    container: str
    codec: str
    width: int
    height: int
    duration_s: float | None
    creation_time: str | None


@dataclass(frozen=True)
class VideoReading:
    """How the reading of a video ended.

    Attributes
    ----------
    state : VideoState
        `read` or `partial`.
    reason : str or None
        Why it is partial, or why some of its times may be wrong.
    sampling : Sampling
        What was decoded: keyframes, or all frames.
    interval_s : float
        Seconds from one frame that was looked at to the next: that of the person, or that of the keyframes.
    duration_s : float
        Seconds from the first frame to the end of the last one that is there; of a video whose rest was not read, to
        the end as the header says.
    damaged_packets : int
        Pieces of the stream that could not be decoded.
    """

    state: VideoState
    reason: str | None
    sampling: Sampling
    interval_s: float
    duration_s: float
    damaged_packets: int = 0


@dataclass(frozen=True)
class RecordingStart:
    """When the first frame was taken: aware, UTC, and where that comes from.

    `source` is 'pattern', 'name', 'container' or 'mtime'.
    """

    at: datetime
    source: str


@dataclass(frozen=True)
class EarlierReading:
    """What was read before of the file that was at a video's path: when it began, and its end, aware, UTC."""

    start: RecordingStart
    ended_at: datetime


def continued_start(start: RecordingStart, *, earlier: EarlierReading | None) -> RecordingStart:
    """When a recording began of which an earlier part may have been read: at the time of that, if it is the same one.

    A file that grows is written in pieces, so its time is a little before or after the end of what can be read then.
    Two recordings are not taken for one: they would overlap.
    """
    if earlier is None or start.source != "mtime" or earlier.start.source != "mtime":
        return start
    most = min(timedelta(seconds=_TOLERANCE_S), (earlier.ended_at - earlier.start.at) / 2)
    return earlier.start if abs(start.at - earlier.start.at) <= most else start


def recording_start(
    *,
    named_at: datetime | None,
    named_source: str | None,
    creation_time: str | None,
    duration_s: float,
    mtime_ns: int,
) -> RecordingStart:
    """When a recording began, by the first source that says so: its path, the container, the file's time.

    Parameters
    ----------
    named_at, named_source : datetime and 'pattern' or 'name'
        What the path says; both None if it says nothing.
    creation_time : str or None
        As the container says; text without an offset is UTC. It is the start, or the end if it is that of the file and
        the recording lasts longer than 10 s. A time before 2000, or more than a day after that of the file, is ignored.
    duration_s : float, at least 0
    mtime_ns : int
        Time of the file: the end of the recording.
    """
    if named_at is not None and named_source is not None:
        return RecordingStart(named_at.astimezone(UTC), named_source)
    ended_at = _file_time(mtime_ns)
    created_at = parse_creation_time(creation_time)
    if created_at is not None and created_at.year >= _EARLIEST_YEAR and created_at <= ended_at + timedelta(days=1):
        to_end_s = (ended_at - created_at).total_seconds()
        is_start = abs(to_end_s - duration_s) <= _TOLERANCE_S
        is_end = abs(to_end_s) <= _TOLERANCE_S and duration_s > _SHORTEST_WITH_END_S
        return RecordingStart(created_at if is_start or not is_end else _before(created_at, duration_s), "container")
    return RecordingStart(_before(ended_at, duration_s), "mtime")


def parse_creation_time(text: str | None) -> datetime | None:
    """The time that a container says: aware, UTC; None if there is none, or if it cannot be read."""
    match = _CREATION_TIME.match((text or "").strip())
    if match is None:
        return None
    *numbers, fraction, offset = match.groups()
    zone = "+00:00" if offset in {None, "Z", "UTC"} else offset
    date, clock = "-".join(numbers[:3]), ":".join(numbers[3:])
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}.{(fraction or '0')[:6].ljust(6, '0')}{zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _file_time(mtime_ns: int) -> datetime:
    """The time of a file; times beyond the calendar become its limits."""
    try:
        return EPOCH + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if mtime_ns > 0 else datetime.min.replace(tzinfo=UTC)


def _before(moment: datetime, seconds: float) -> datetime:
    try:
        return moment - timedelta(seconds=seconds)
    except OverflowError:
        return moment
