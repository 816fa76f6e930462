"""Column types that keep what the database would lose: time zones, the bytes of paths, the order of text, large ids.

It promises the same values and the same order on every database. Text is compared byte by byte, as SQLite does, also on
a server with another locale (`COLLATE "C"`): queries sort by paths and names, and select ranges of them. Another
collation would give other results, and the database index could not serve a range.

Decision 0024: ids of tables that grow with the images have 8 bytes on PostgreSQL.
"""

import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from sqlalchemy import BigInteger, ColumnElement, DateTime, Dialect, Integer, Text, or_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeDecorator

GROWING_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite only numbers an INTEGER PRIMARY KEY
BYTE_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")


NS_PER_S = 1_000_000_000


def to_ns(time: datetime) -> int:
    """A moment in nanoseconds since 1970, as the time of a file is stored; exact to the microsecond."""
    return round(time.timestamp() * 1_000_000) * 1000


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC without a zone and read back aware; naive values are refused.

    SQLite drops zones silently: 12:00+02:00 came back as a naive 12:00 (tests/store/test_columns.py).
    """

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as UTC without a zone; raises `ValueError` for a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored time, aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class PlainText(TypeDecorator[str]):
    """Text. A NUL becomes U+FFFD on every database: files and decoders may give it, and PostgreSQL cannot store it."""

    impl = BYTE_ORDERED
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that is stored, without NUL."""
        return None if value is None else storable(value)

    @property
    def python_type(self) -> type[Any]:
        """Text is str."""
        return str


class PathText(TypeDecorator[str]):
    """A path as `os.fsdecode` gives it, stored as text: as it is, or as a file URI if it is not valid UTF-8.

    RFC 8089 file URIs are reversible, readable, and never begin like an absolute path, so the two forms never collide.
    """

    impl = BYTE_ORDERED
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that is stored; raises `ValueError` as `stored_text`."""
        return None if value is None else stored_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The path as `os.fsdecode` gives it."""
        return None if value is None else path_from_text(value)

    @property
    def python_type(self) -> type[Any]:
        """Paths are str."""
        return str


def storable(text: str) -> str:
    """The text with U+FFFD in place of each NUL, so that every database can store it."""
    return text.replace("\0", "\ufffd")


def stored_text(path: str) -> str:
    """The text that a path is stored as; raises `ValueError` for a path that is neither UTF-8 nor absolute."""
    return path if _is_plain(path) else _uri(path)


def path_from_text(text: str) -> str:
    """The path that a stored text stands for."""
    return os.fsdecode(unquote_to_bytes(urlsplit(text).path)) if text.startswith("file://") else text


def stored_forms(folder: str) -> list[str]:
    """The prefixes of the stored paths below a folder: as plain text, and as a URI for names that are not UTF-8.

    Raises `ValueError` if the folder is not absolute.
    """
    uri = _uri(folder or "/").rstrip("/")
    return [folder, uri] if _is_plain(folder) else [uri]


def lies_below(column: InstrumentedAttribute[Any], folder: str) -> ColumnElement[bool]:
    """The SQL condition that the path in a column lies below a folder; a database index on the column serves it."""
    # Not LIKE: a path may hold % and _. The stored text is compared, as it is: `type_coerce` keeps it from being taken
    # for a path. "0" is the character after "/".
    text = type_coerce(column, BYTE_ORDERED)
    return or_(*((text >= f"{stored}/") & (text < f"{stored}0") for stored in stored_forms(folder.rstrip("/"))))


def _uri(path: str) -> str:
    # Not Path.as_uri: it drops `//` and `/./`, so the path would not be the same after reading.
    if not path.startswith("/"):
        raise ValueError(f"path {path!r} is not absolute")
    return "file://" + quote_from_bytes(os.fsencode(path))


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
