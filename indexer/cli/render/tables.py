"""Tables and lists for people: long ones are cut, and a sentence says how many more there are and how to see them.

An index may have thousands of cameras. A person reads the first of them and the sums; a program reads `--json`, which
is never cut.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.escaping import printable

SHOWN = 100
"""Rows of a table that is about cameras; of one with more the first are shown."""
_SENTENCES = 10


def table(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    what: str,
    totals: Sequence[Sequence[Any]] = (),
    most: int = SHOWN,
) -> None:
    """Prints a table, of a long one the first rows; `totals` stand below whatever is cut. `what` the rows are is said
    of how many there are."""
    console.print(grid(heads, [*rows[:most], *totals]))
    if len(rows) > most:
        console.print(f"These are {most} of {len(rows)} {what}; --json has all of them.")


def sentences(console: Console, said: Sequence[str]) -> None:
    """Prints sentences of one kind, the first few of many."""
    for one in said[:_SENTENCES]:
        console.print(one)
    if len(said) > _SENTENCES:
        console.print(f"  and {len(said) - _SENTENCES} more like these; --json has all of them")


def grid(heads: Iterable[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table; numbers to the right."""
    listed = [list(row) for row in rows]
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads):
        numeric = bool(listed) and all(isinstance(row[place], (int, float, type(None))) for row in listed)
        made.add_column(Text(printable(head)), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        made.add_row(*(Text(cell(value)) for value in row))
    return made


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4g}"
    return printable(str(value))
