"""Writes the result of a query row by row, as a table for people, as CSV, or as the one JSON document.

A result may be far larger than the text that a console holds in memory, so nothing here collects its rows. For people a
very long value is cut; JSON has all of it.
"""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import IO, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from indexer.cli.json_output import to_json
from indexer.cli.render.tables import format_cell
from indexer.cli.streams import redirect_to_devnull
from indexer.cli.word_wrap import wrap_words
from indexer.escaping import printable
from indexer.store.query_result import QueryResult

_LONGEST_CELL = 10_000  # the most characters of one value that a person sees
_GAP = "   "
_SHORT_PAIR = 40  # the most cells of a head and a value that share a line with others in a paragraph
_MIN_VALUE = 20  # cells that a value of a paragraph has at least, however long the heads are


def write_rows(console: Console, table: QueryResult) -> None:
    """Writes a result as a table: numbers to the right, columns as wide as their widest value.

    On a terminal that is too narrow for it paths begin at the folder that holds all of them; if that is not enough,
    each row is written as a paragraph. In a file or a pipe the widest columns are broken.
    """
    heads = [printable(column)[:_LONGEST_CELL] for column in table.columns]
    folder = None
    widths, numeric = _column_widths(table, heads)
    if console.is_terminal and not _fit(widths, console.width):
        folder = _common_folder(table)
        widths, numeric = _column_widths(table, heads, folder=folder)
        if folder is not None:
            console.print(f"All paths lie below {printable(folder)}")
        if not _fit(widths, console.width):
            _write_paragraphs(console, table, heads, folder=folder)
            return
    widths = _fit_widths(widths, console.width - len(_GAP) * (len(widths) - 1) - 2)
    right = [is_number and len(table) > 0 for is_number in numeric]
    for line in _row_lines(console, heads, widths, right):
        console.print(Text(f"{line}", style="bold"))
    line = "-" if console.options.ascii_only else "─"
    console.print(Text(" " + line * (sum(widths) + len(_GAP) * (len(widths) - 1))))
    try:
        for row in table:
            for line in _row_lines(console, _cells(table, row, folder=folder), widths, right):
                console.file.write(f"{line}\n")
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


def _write_paragraphs(console: Console, table: QueryResult, heads: Sequence[str], *, folder: str | None) -> None:
    """Writes each row as lines of heads and values, without those that are empty; short ones share a line."""
    if len(table) == 0:
        console.print("No rows.")
    try:
        for row in table:
            for line in _paragraph_lines(heads, _cells(table, row, folder=folder), width=console.width):
                console.file.write(f"{line}\n")
            console.file.write("\n")
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


def _paragraph_lines(heads: Sequence[str], cells: Sequence[str], *, width: int) -> Iterator[str]:
    """Yields the lines of one row; a value that is long has its line to itself, and goes on below its beginning."""
    together = ""
    for head, text in zip(heads, cells, strict=True):
        pair = f" {head} {text}"
        is_short = _width(pair) <= _SHORT_PAIR
        if together and not (is_short and _width(f"{together}{_GAP}{pair}") <= width):
            yield together
            together = ""
        if is_short and text:
            together = f"{together}  {pair}" if together else pair
        elif text:
            begin = _width(head) + 2
            first, *more = wrap_words(text, max(width - begin, _MIN_VALUE)).split("\n")
            yield f" {head} {first}"
            yield from (f"{' ' * begin}{line}" for line in more)
    if together:
        yield together


def _cells(table: QueryResult, row: Sequence[Any], *, folder: str | None) -> list[str]:
    """The values of a row as text; paths from `folder` on."""
    return [
        _format_value(value[len(folder) + 1 :] if folder is not None and _is_path(column, value) else value)
        for column, value in zip(table.columns, row, strict=True)
    ]


def _is_path(column: str, value: Any) -> bool:
    """Whether a value is an absolute path. One that is stored as a file URI stays as it is."""
    return column.endswith("path") and isinstance(value, str) and value.startswith("/")


def _common_folder(table: QueryResult) -> str | None:
    """The innermost folder that holds all paths of a result; None if there is none, or but the root."""
    folder: str | None = None
    for row in table:
        for column, value in zip(table.columns, row, strict=True):
            if _is_path(column, value):
                above = os.path.dirname(value)
                folder = above if folder is None else os.path.commonpath([folder, above])
    return None if folder in {None, "/"} else folder


def _fit(widths: Sequence[int], available_cells: int) -> bool:
    return sum(widths) + len(_GAP) * (len(widths) - 1) + 2 <= available_cells


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


def _column_widths(
    table: QueryResult, heads: Sequence[str], *, folder: str | None = None
) -> tuple[list[int], list[bool]]:
    """The width of each column, in cells of a terminal, and whether it holds only numbers."""
    widths, numeric = list(map(cell_len, heads)), [True] * len(heads)
    for row in table:
        for column, (value, text) in enumerate(zip(row, _cells(table, row, folder=folder), strict=True)):
            widths[column] = max(widths[column], _width(text))
            numeric[column] = numeric[column] and isinstance(value, int | float | None)
    return widths, numeric


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
