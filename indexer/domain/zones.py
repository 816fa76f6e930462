"""Time zones by their names, and times in them."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from indexer.errors import UsageError


def get_zone(name: str) -> tzinfo:
    """The time zone of that name, as Europe/Berlin; raises `UsageError` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone {name!r}; write for example --timezone Europe/Berlin (on a system without time "
            "zones: pip install tzdata)"
        ) from None


def local_time(moment: datetime, *, timezone: str | None, local: bool) -> datetime:
    """A time in the zone stored for its folder, else with `local` in that of this machine, else as it is."""
    if timezone is None and not local:
        return moment
    return moment.astimezone(None if timezone is None else get_zone(timezone))
