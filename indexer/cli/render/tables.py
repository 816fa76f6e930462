"""Tables and lists for people: long ones are cut, and a sentence says how many rows there are and how to see them.

An index may have thousands of cameras. A person reads the first of them and the sums; a program reads `--json`, which
is never cut.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.domain.naming.rules import local_time
from indexer.escaping import printable

MAX_ROWS = 100
"""The most rows that a table about cameras shows."""
MAX_LISTED = 10
"""The most files that are listed before "and so many more"."""
ALL_ROWS = "all of these"
_MAX_SENTENCES = 10


def print_table(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    what: str,
    totals: Sequence[Sequence[Any]] = (),
    most: int = MAX_ROWS,
) -> None:
    """Prints a table, at most its first `most` rows; `totals` are always printed below them.

    `what` names the rows in the sentence that says how many there are.
    """
    console.print(make_table(heads, [*rows[:most], *totals]))
    if len(rows) > most:
        console.print(f"These are {most} of {len(rows)} {what}; --json has all of them.")


def print_sentences(console: Console, texts: Sequence[str]) -> None:
    """Prints sentences of one kind, at most the first few."""
    for text in texts[:_MAX_SENTENCES]:
        console.print(text)
    if len(texts) > _MAX_SENTENCES:
        console.print(f"  and {len(texts) - _MAX_SENTENCES} more like these; --json has all of them")


def make_table(heads: Iterable[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table; numbers are aligned to the right."""
    listed = [list(row) for row in rows]
    result = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column, head in enumerate(heads):
        numeric = bool(listed) and all(isinstance(row[column], (int, float, type(None))) for row in listed)
        result.add_column(Text(printable(head)), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        result.add_row(*(Text(format_cell(value)) for value in row))
    return result


def format_cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4g}"
    return printable(str(value))


def list_files(console: Console, files: Sequence[tuple[str, str]]) -> None:
    """Prints files, each with its reason; at most the first few."""
    for path, reason in files[:MAX_LISTED]:
        console.print(f"  {printable(path)}: {printable(reason)}")
    if len(files) > MAX_LISTED:
        console.print(f"  and {len(files) - MAX_LISTED} more; --json names them all")


def format_local_time(time: datetime | None, *, timezone: str | None, local: bool) -> str:
    """A time for people: in the zone stored for its folder, else with `local` in that of this machine, else in UTC."""
    return format_time(None if time is None else local_time(time, timezone=timezone, local=local))


def zone_name(timezone: str | None, *, local: bool) -> str:
    """The name of the zone that `format_local_time` shows a time in."""
    return timezone or ("local time" if local else "UTC")


def format_time(time: datetime | None) -> str:
    """A time for people, in its own zone."""
    return "unknown" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
