"""Column types that keep what the database would lose: time zones, the bytes of paths, the order of text, room for ids.

It promises the same values and the same order on every database. Text is compared byte by byte, as SQLite does, also on
a server of another locale (`COLLATE "C"`): queries order by paths and names, and look for ranges of them, so what a
collation makes of them would be another result, and the index could not answer a range.

Decision: ids of what grows with the images are 8 bytes on PostgreSQL. Ten cameras at a frame a second fill 4 bytes of
decisions within seven years, and to widen the columns later rewrites every table. SQLite's are 8 bytes anyway.
"""

import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

GROWING_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers the rows of an INTEGER PRIMARY KEY alone
BYTE_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")


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


class PlainText(TypeDecorator[str]):
    """Words; NUL, which decoders and files may say and PostgreSQL cannot store, becomes U+FFFD on every database."""

    impl = BYTE_ORDERED
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that is stored."""
        return None if value is None else storable(value)

    @property
    def python_type(self) -> type[Any]:
        """Words are str."""
        return str


class PathText(TypeDecorator[str]):
    """A path as `os.fsdecode` gives it, stored as text: as it is, or as a file URI if it is not valid UTF-8.

    RFC 8089 file URIs are reversible, readable, and never begin like an absolute path, so the two forms cannot meet.
    """

    impl = BYTE_ORDERED
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


def storable(text: str) -> str:
    """The text as every database can hold it."""
    return text.replace("\0", "\ufffd")


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
