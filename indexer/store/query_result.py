"""The result of a query: its rows are buffered in a temporary file, so that a result costs disk and not memory.

Decision 0027: a result is complete before its first row is shown.
"""

import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any

from indexer.errors import DatabaseError, IndexerError, UsageError

_MAX_DIGITS = 4_000  # Python refuses to print integers of more than 4 300


@dataclass(frozen=True)
class QueryBounds:
    """How large the result of a query may be, and how long the query may take.

    `size_bytes` is the size of all rows in the file; `row_bytes` that of one row, of which each column has an equal
    part.
    """

    rows: int = 100_000
    size_bytes: int = 100_000_000
    row_bytes: int = 16_000_000
    seconds: float = 30.0


BOUNDS = QueryBounds()


class QueryResult:
    """The column names of a result, and its rows of plain values. The rows can be read repeatedly until `close`.

    `complete`: whether these are all rows that there are. `total`: how many there are, if that is known; a limit that
    a ready-made query has cuts the others off. `main_columns`: those of a ready-made query that a person reads first.
    """

    def __init__(self, columns: tuple[str, ...], *, bounds: QueryBounds = BOUNDS) -> None:
        self.columns = columns
        self._bounds = bounds
        self._count = 0
        self.main_columns: tuple[str, ...] = ()
        self.complete = True
        self._total: int | None = None
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the result

    def add(self, row: tuple[Any, ...]) -> None:
        """Adds a row; raises `UsageError` if the result becomes larger than its bounds."""
        if self._count == self._bounds.rows:
            raise UsageError(f"the answer has more than {self._count} rows; count, group, or add LIMIT and OFFSET")
        stored = pickle.dumps(row)
        if self._file.tell() + len(stored) > self._bounds.size_bytes:
            raise UsageError(
                f"the answer is longer than {self._bounds.size_bytes} bytes; ask for fewer rows or columns"
            )
        self._file.write(stored)
        self._count += 1

    def mark_cut(self, total: int | None) -> None:
        """Says that a limit may have cut rows off; `total` is how many there are without it, None: unknown."""
        self.complete = total == self._count
        self._total = total

    @property
    def total(self) -> int | None:
        """How many rows there are without the limit; None: more than these, or just these, it took too long to tell."""
        return self._count if self.complete else self._total

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # what `add` wrote, into a file that nobody else can open

    def close(self) -> None:
        """Frees the disk space of the rows; they cannot be read any more."""
        self._file.close()

    def __enter__(self) -> "QueryResult":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def collect_result(
    columns: Iterable[str],
    rows: Iterable[tuple[Any, ...]],
    *,
    to_plain: Callable[[tuple[Any, ...]], tuple[Any, ...]],
    bounds: QueryBounds,
) -> QueryResult:
    """The result with these rows, each converted by `to_plain`. They are read one at a time, up to the bounds.

    Raises `UsageError` if the rows exceed the bounds; the result is then closed.
    """
    result = QueryResult(tuple(columns), bounds=bounds)
    try:
        for row in rows:
            result.add(to_plain(row))
    except BaseException:
        result.close()
        raise
    return result


def plain_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of a row as JSON types: None, str, int, float. Other values become text; bytes become their number."""
    return tuple(map(_plain_value, row))


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return format_byte_count(len(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, Decimal):
        return _plain_number(value)
    return str(value)


def _plain_number(value: Decimal) -> int | float | str:
    if not value.is_finite() or value != value.to_integral_value():
        return float(value)
    return int(value) if value.adjusted() < _MAX_DIGITS else f"{value.to_integral_value():f}"


def format_byte_count(size_bytes: int) -> str:
    """The text that is shown in place of this number of bytes."""
    return f"<{size_bytes} bytes>"


def read_only_error(message: str) -> UsageError:
    """The error for a query that would write."""
    return UsageError(f"audit --sql only reads, with one SELECT statement ({message})")


def invalid_query_error(message: str) -> UsageError:
    """The error for a query that the database cannot run."""
    return UsageError(f"the query cannot be run: {message}")


def value_too_long_error(size: int, unit: str) -> UsageError:
    """The error for a value longer than `size` of `unit` (bytes or characters)."""
    return UsageError(
        f"the query makes a value of more than {size} {unit}; use a part of the value, for example with substr()"
    )


def timeout_error(bounds: QueryBounds) -> IndexerError:
    """The error for a query that took too long."""
    return DatabaseError(f"the query took longer than {bounds.seconds:g} s; select fewer rows")
