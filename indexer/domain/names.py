"""Which camera took an image and when, read from its name.

All functions here are pure functions of text and numbers. None raises on any input, except `compile_pattern`, which
tells a person what is wrong with a pattern. They do not read files: the path is text that may hold the lone surrogates
of `os.fsdecode`, and the values of EXIF and the disk are arguments.

In the file name (without its last extension) the first readable time counts:

- 13 digits: milliseconds since 1970, in the years 1990 to 2100 (``c10-1623871098865``);
- a date and a time to the second, with or without ``-``, ``_`` or ``.`` between the parts; between date and time
  ``-``, ``_``, ``.``, a space, two of them, or ``T``; then optionally 3 or 6 digits of a fraction
  (``c21_2021_03_27__12_53_37``, ``gate 2-20210327-125337.250``). UTC, unless an offset follows a form with ``T``.

The camera is the text before the time. After the time only a word with a number counts (``20210327_125337_cam4``):
words alone (``_MOTION``, ``_edited``) and numbers alone (``_2``) mean something else. A word for the kind of file
(``IMG_20210327_125337``) is not a camera: all cameras of that make would become one. Names of cameras are in NFC,
however the path is written.

Ten digits are not a time in a file name: 2021032712 may be an hour as well as a number of seconds since 1970.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from indexer.errors import UsageError

Value = TypeVar("Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_YEARS = range(1990, 2101)
_EARLIEST_NS, _LATEST_NS = -(2**63), 2**63 - 1
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
_EXIF = re.compile(
    r"""
    (?P<year>[0-9]{4}) [:/.-] [ ]?(?P<month>[0-9]{1,2}) [:/.-] [ ]?(?P<day>[0-9]{1,2}) (?: T | [ ]{1,2} )
    (?P<hour>[0-9]{1,2}) : [ ]?(?P<minute>[0-9]{1,2}) : [ ]?(?P<second>[0-9]{1,2}) (?: [.,] (?P<fraction>[0-9]+) )?
    [ ]? (?P<half>[AP]\.?M\.?)? [ ]? (?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})(?P<fraction>[0-9]{3})?"
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2})[-:.]?(?P<minutes>[0-9]{2})")
_ISO_TO_THE_MINUTE = re.compile(r"[0-9W-]{7,10}[T ][0-9]{2}:?[0-9]{2}", re.IGNORECASE)
_WORD_AND_NUMBER = re.compile(r"(?P<word>[A-Za-z]+)[-_ ]?[0-9]{1,3}")
_KIND_OF_FILE = re.compile(
    r"(?:img|image|mvimg|pxl|dsc|dscf|dscn|photo|pic|picture|snapshot|screenshot|frame|copy)[-_ ]?[0-9]*",
    re.IGNORECASE,
)


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
    return max(_EARLIEST_NS, min(mtime_ns, _LATEST_NS))


def compile_pattern(text: str) -> re.Pattern[str]:
    """A person's pattern, compiled.

    Raises
    ------
    UsageError
        If it is no regular expression, or has neither a group `camera` nor a group `timestamp`.
    """
    example = r"write for example --pattern '(?P<camera>[^/]+)/(?P<timestamp>\d{14})[^/]*$'"
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as problem:
        raise UsageError(f"The pattern {text!r} is no regular expression ({problem}); {example}.") from None
    if not {"camera", "timestamp"} & set(pattern.groupindex):
        raise UsageError(f"The pattern {text!r} has no group named 'camera' or 'timestamp'; {example}.")
    return pattern


def matches_pattern(path: str, *, root: str, pattern: re.Pattern[str]) -> bool:
    """Whether the pattern matches anywhere in the path relative to the root, written with slashes."""
    return pattern.search(_relative_path(path, root=root)) is not None


def name_image(
    path: str,
    *,
    root: str,
    mtime_ns: int,
    exif_time: str | None = None,
    exif_offset: str | None = None,
    camera: str | None = None,
    pattern: re.Pattern[str] | None = None,
) -> Naming:
    """Camera and capture time of an image, each from the first source that has one.

    Camera: the option, the pattern's group, the file name, the folder's name. Time: the pattern's group, the file name,
    EXIF (read as UTC without a readable offset), mtime. The pattern's `timestamp` may be 10 digits (seconds since
    1970), 13 digits (milliseconds), 14 or 17 digits YYYYMMDDhhmmss[mmm] with any separators, or ISO 8601 with or
    without an offset; any other text counts as missing.
    """
    relative = _relative_path(path, root=root)
    match = pattern.search(relative) if pattern else None
    groups = match.groupdict() if match else {}
    name_camera, name_time = _read_file_name(relative.rpartition("/")[2])
    chosen_camera, camera_source = _first_nonempty(
        (
            (_storable_text(camera), "option"),
            (_storable_text(groups.get("camera")), "pattern"),
            (_storable_text(name_camera), "name"),
            (_storable_text(_folder_name(relative, root=root)) or "camera", "folder"),
        )
    )
    captured_at, captured_at_source = _first_nonempty(
        (
            (_read_timestamp(groups.get("timestamp")), "pattern"),
            (name_time, "name"),
            (_read_exif(exif_time, offset=exif_offset), "exif"),
            (_read_mtime(mtime_ns), "mtime"),
        )
    )
    return Naming(chosen_camera or "camera", camera_source or "folder", captured_at, captured_at_source)


def _first_nonempty(candidates: Iterable[tuple[Value | None, str]]) -> tuple[Value | None, str | None]:
    return next(((value, source) for value, source in candidates if value), (None, None))


def _relative_path(path: str, *, root: str) -> str:
    """The path relative to the root, with slashes; a path outside the root stays as it is."""
    path, root = path.replace(os.sep, "/"), root.replace(os.sep, "/")
    return path.removeprefix(root.rstrip("/") + "/")


def _folder_name(relative: str, *, root: str) -> str:
    folder = relative.rpartition("/")[0] or root.replace(os.sep, "/")
    return folder.rstrip("/").rpartition("/")[2]


def _storable_text(text: str | None) -> str:
    """The text in a form that can be stored and shown; empty for None.

    It is in NFC, as macOS writes names in NFD and other systems do not. Bytes that are not UTF-8 become backslash
    escapes.
    """
    if text is None:
        return ""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that does not stand for a byte
        raw = text.encode("utf-8", "surrogatepass")
    return unicodedata.normalize("NFC", raw.decode("utf-8", "backslashreplace").strip())


def _read_file_name(name: str) -> tuple[str | None, datetime | None]:
    stem = os.path.splitext(name)[0]
    for stamp in _STAMP.finditer(stem):
        moment = _read_epoch(stamp["epoch_ms"]) if stamp["epoch_ms"] else _read_parts(stamp, offset=stamp["offset"])
        if moment:
            return _camera_around(stem[: stamp.start()], stem[stamp.end() :]), moment
    return None, None


def _camera_around(before: str, after: str) -> str | None:
    before, after = before.rstrip(_SEPARATORS), after.lstrip(_SEPARATORS)
    if before and not _KIND_OF_FILE.fullmatch(before):
        return before
    if _WORD_AND_NUMBER.fullmatch(after) and not _KIND_OF_FILE.fullmatch(after):
        return after
    return None


def _read_timestamp(text: str | None) -> datetime | None:
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]{10}|[0-9]{13}", text):
        return _read_epoch(text.ljust(13, "0"))
    if digits := _DIGITS.fullmatch(re.sub(r"[-_:./,T\s]|Z$", "", text, flags=re.IGNORECASE)):
        return _read_parts(digits, offset=None)
    if not _ISO_TO_THE_MINUTE.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_exif(text: str | None, *, offset: str | None) -> datetime | None:
    """The time of an EXIF text, in all forms that cameras and programs write; None if it is unreadable.

    The standard form is `2021:03:27 13:53:37`. Others put `-`, `/` or `.` between the parts of the date, or `T` between
    date and time. They omit leading zeros or write spaces for them, use a 12-hour clock, or add a fraction or an
    offset. Such an offset has priority over `offset`, that of the EXIF tag.
    """
    parts = _EXIF.fullmatch((text or "").strip(" \t\r\n\0"))
    if parts is None:
        return None
    half, hour = (parts["half"] or "").upper()[:1], int(parts["hour"])
    if half and not (1 <= hour <= 12 or (half == "P" and hour > 12)):  # some write 13:53:37 PM
        return None
    if half and hour <= 12:
        hour = hour % 12 + 12 * (half == "P")
    return _read_parts(parts, offset=parts["offset"] or offset, hour=hour)


def _read_mtime(mtime_ns: int) -> datetime | None:
    if not _EARLIEST_NS < mtime_ns < _LATEST_NS:
        return None
    return _EPOCH + timedelta(microseconds=mtime_ns // 1000)


def _read_epoch(digits_ms: str) -> datetime | None:
    moment = _EPOCH + timedelta(milliseconds=int(digits_ms))
    return moment if moment.year in _EPOCH_YEARS else None


def _read_parts(parts: re.Match[str], *, offset: str | None, hour: int | None = None) -> datetime | None:
    """The time of a match with the groups year to second and fraction; None if the calendar does not have it.

    `hour` replaces the group of that name.
    """
    year, month, day, minute, second = (int(parts[name]) for name in ("year", "month", "day", "minute", "second"))
    hour = int(parts["hour"]) if hour is None else hour
    microsecond = int((parts["fraction"] or "0")[:6].ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, _zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(offset: str | None) -> timezone:
    """The zone of an offset such as +02:00; UTC for Z, for None, and for an offset that no time zone has."""
    parts = _OFFSET.fullmatch((offset or "").strip(" \0"))
    if not parts or int(parts["hours"]) > 14 or int(parts["minutes"]) > 59:
        return UTC
    utc_offset = timedelta(hours=int(parts["hours"]), minutes=int(parts["minutes"]))
    return timezone(utc_offset if parts["sign"] == "+" else -utc_offset)
