"""Column types that keep what the database would lose: time zones and the bytes of paths."""

import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC without a zone and read back aware; naive values are refused.

    SQLite drops zones silently: 12:00+02:00 came back as a naive 12:00 (tests/store/test_columns.py).
    """

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as UTC without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored time, aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class PathText(TypeDecorator[str]):
    """A path as `os.fsdecode` gives it, stored as text: as it is, or as a file URI if it is not valid UTF-8.

    RFC 8089 file URIs are reversible, readable, and never begin like an absolute path, so the two forms cannot meet.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that is stored."""
        return None if value is None else stored_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The path, ready for the operating system."""
        return None if value is None else path_from_text(value)

    @property
    def python_type(self) -> type[Any]:
        """Paths are str."""
        return str


def stored_text(path: str) -> str:
    """The text that a path is stored as."""
    return path if _is_plain(path) else _uri(path)


def path_from_text(text: str) -> str:
    """The path that a stored text stands for."""
    return os.fsdecode(unquote_to_bytes(urlsplit(text).path)) if text.startswith("file://") else text


def stored_forms(folder: str) -> list[str]:
    """How the stored paths below a folder begin: plain ones, and those of names that are not UTF-8."""
    uri = _uri(folder or "/").rstrip("/")
    return [folder, uri] if _is_plain(folder) else [uri]


def _uri(path: str) -> str:
    # Not Path.as_uri: it would drop `//` and `/./`, and the path would come back as another.
    if not path.startswith("/"):
        raise ValueError(f"path {path!a} is not absolute")
    return "file://" + quote_from_bytes(os.fsencode(path))


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
