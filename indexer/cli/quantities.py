"""Sizes and durations as people type them."""

import re

from indexer.errors import UsageError

_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DURATIONS = {"": 1, "S": 1, "MIN": 60, "H": 3600, "D": 86_400}
_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)


def parse_size(text: str, *, option: str) -> int:
    """The bytes of a size as 500MB; raises `UsageError`."""
    return round(_parse(text, _SIZES, option=option, example="a size as 500MB or 2GB"))


def parse_duration(text: str, *, option: str) -> float:
    """The seconds of a duration as 30min, above 0; raises `UsageError`."""
    seconds = _parse(text, _DURATIONS, option=option, example="a time as 90s, 30min, 8h or 2d")
    if seconds <= 0:
        raise UsageError(f"{option} is {text!r}; give a time above 0")
    return seconds


def _parse(text: str, units: dict[str, int], *, option: str, example: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2].upper() not in units:
        raise UsageError(f"{option} is {text!r}; give {example}")
    return float(match[1]) * units[match[2].upper()]
