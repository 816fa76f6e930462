"""Writes the result of a query row by row, as a table for people, as CSV, or as the one JSON document.

A result may be far larger than the text that a console holds in memory, so nothing here collects its rows. For people a
very long value is cut; JSON has all of it.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import IO, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from indexer.cli.json_output import to_json
from indexer.cli.render.tables import format_cell
from indexer.cli.streams import redirect_to_devnull
from indexer.escaping import printable
from indexer.store.query_result import QueryResult

_LONGEST_CELL = 10_000  # the most characters of one value that a person sees
_GAP = "   "


def write_rows(console: Console, table: QueryResult) -> None:
    """Writes a result as a table: numbers to the right, columns as wide as their widest value or as fits."""
    heads = [printable(column)[:_LONGEST_CELL] for column in table.columns]
    widths, numeric = _column_widths(table, heads, console.width)
    right = [is_number and len(table) > 0 for is_number in numeric]
    for line in _row_lines(console, heads, widths, right):
        console.print(Text(f"{line}", style="bold"))
    console.print(" " + "─" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    try:
        for row in table:
            for line in _row_lines(console, [_format_value(value) for value in row], widths, right):
                console.file.write(f"{line}\n")
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


def write_json(stream: IO[str], table: QueryResult) -> None:
    """Writes a result as one document: its columns, and its rows as they are read."""
    try:
        stream.write(f'{{\n  "columns": {json.dumps(table.columns)},\n  "rows": [')
        for number, row in enumerate(table):
            stream.write(f"{',' if number else ''}\n    {json.dumps(to_json(row))}")
        stream.write(f'\n  ],\n  "complete": {json.dumps(table.complete)},\n  "total": {json.dumps(table.total)}\n}}\n')
        stream.flush()
    except BrokenPipeError:
        redirect_to_devnull(stream)


def write_csv(stream: IO[str], table: QueryResult) -> None:
    """Writes a result as CSV (RFC 4180 with plain line ends): its columns, and its rows as they are read."""
    try:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table)
        stream.flush()
    except BrokenPipeError:
        redirect_to_devnull(stream)


def describe_cut(table: QueryResult) -> str | None:
    """That a limit cut the result, and how many rows there are; None if it is complete."""
    if table.complete:
        return None
    if table.total is None:
        return f"these are the first {len(table)} rows, and there may be more; a larger limit=N shows them"
    return f"these are {len(table)} of {table.total} rows; limit={table.total} shows all of them, and so does --csv"


def _column_widths(table: QueryResult, heads: Sequence[str], available_cells: int) -> tuple[list[int], list[bool]]:
    """The width of each column, in cells of a terminal, and whether it holds only numbers."""
    widths, numeric = list(map(cell_len, heads)), [True] * len(heads)
    for row in table:
        for column, value in enumerate(row):
            widths[column] = max(widths[column], _width(_format_value(value)))
            numeric[column] = numeric[column] and isinstance(value, int | float | None)
    return _fit_widths(widths, available_cells - len(_GAP) * (len(widths) - 1) - 2), numeric


def _fit_widths(widths: list[int], available_cells: int) -> list[int]:
    """Widths that fit, the widest reduced first; each is at least 1, even if that does not fit."""
    most = max(widths)
    if sum(widths) > available_cells:
        most = next(
            (
                most
                for most in range(max(available_cells, 1), 1, -1)
                if sum(min(width, most) for width in widths) <= available_cells
            ),
            1,
        )
    return [min(width, most) for width in widths]


def _row_lines(console: Console, cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    """Yields the lines of a row: more than one if a value is wider than its column."""
    folded = [_wrap(console, text, width) for text, width in zip(cells, widths, strict=True)]
    for pieces in zip_longest(*folded, fillvalue=""):
        padded = (_pad(*cell) for cell in zip(pieces, widths, right, strict=True))
        yield f" {_GAP.join(padded)}".rstrip()


def _wrap(console: Console, text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")]


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _format_value(value: Any) -> str:
    if not isinstance(value, str):
        return format_cell(value)
    more = len(value) - _LONGEST_CELL
    return format_cell(value[:_LONGEST_CELL]) + (f"… ({more} more characters; --json has them)" if more > 0 else "")


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
