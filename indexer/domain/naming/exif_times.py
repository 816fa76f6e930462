"""The time that EXIF has, in all forms that cameras and programs write it."""

import re
from datetime import datetime

from indexer.domain.naming.moments import clock_hour, has_offset, make_moment

_EXIF = re.compile(
    r"""
    (?P<year>[0-9]{4}) [:/.-] [ ]?(?P<month>[0-9]{1,2}) [:/.-] [ ]?(?P<day>[0-9]{1,2}) (?: T | [ ]{1,2} )
    (?P<hour>[0-9]{1,2}) : [ ]?(?P<minute>[0-9]{1,2}) : [ ]?(?P<second>[0-9]{1,2}) (?: [.,] (?P<fraction>[0-9]+) )?
    [ ]? (?P<half>[AP]\.?M\.?)? [ ]? (?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def read_exif(text: str | None, *, offset: str | None) -> datetime | None:
    """The time of an EXIF text, naive without an offset; None if it is unreadable.

    The standard form is `2021:03:27 13:53:37`. Others put `-`, `/` or `.` between the parts of the date, or `T` between
    date and time. They omit leading zeros or write spaces for them, use a 12-hour clock, or add a fraction or an
    offset. Such an offset has priority over `offset`, that of the EXIF tag.
    """
    parts = _EXIF.fullmatch((text or "").strip(" \t\r\n\0"))
    if parts is None or int(parts["hour"]) == 24:
        return None
    hour = clock_hour(int(parts["hour"]), parts["half"])
    if hour is None:
        return None
    year, month, day, minute, second = (int(parts[name]) for name in ("year", "month", "day", "minute", "second"))
    stated = parts["offset"] or (offset if has_offset(offset) else None)
    return make_moment(year, month, day, hour, minute, second, fraction=parts["fraction"] or "", offset=stated)
