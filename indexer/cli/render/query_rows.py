"""Writes the result of a query row by row, as a table for people, as CSV, or as the one JSON document.

A result may be far larger than the text that a console holds in memory, so nothing here collects its rows. For people a
very long value is cut; JSON has all of it.
"""

import json
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import IO, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from indexer.cli.json_output import to_json
from indexer.cli.render.narrow_rows import GAP, brief, is_path, is_time, pad, plan_rows, print_rows, print_rule
from indexer.cli.render.short_paths import choose_shortening
from indexer.cli.render.tables import format_cell
from indexer.cli.streams import redirect_to_devnull
from indexer.cli.word_wrap import wrap_words
from indexer.domain.csv_lines import CsvLines
from indexer.domain.paths import lies_below
from indexer.escaping import printable
from indexer.store.query_result import QueryResult

_LONGEST_CELL = 10_000  # the most characters of one value that a person sees
_HOURS_AND_DAYS = {"hour", "day"}  # columns of ready-made queries
_SHORT_PAIR = 40  # the most cells of a head and a value that share a line with others in a paragraph
_MIN_VALUE = 20  # cells that a value of a paragraph has at least, however long the heads are


def write_rows(console: Console, table: QueryResult) -> None:
    """Writes a result as a table: numbers to the right, columns as wide as their widest value.

    On a terminal that is too narrow for it each row gets one or two lines, with the columns that matter most; paths
    begin at the folder that holds all of them. If a person's own query has too many columns, each row is written as a
    paragraph. In a file or a pipe the widest columns are broken.
    """
    heads = [printable(column)[:_LONGEST_CELL] for column in table.columns]
    texts = _TextRows(table, heads)
    try:
        if console.is_terminal and not _fit(texts.widths, console.width):
            shown = _write_narrow(console, table, heads)
        else:
            shown = _write_table(console, texts)
        if texts.times & {*shown}:
            console.print("Times are UTC.")
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


class _TextRows:
    """The rows of a result as text, with the width of each column, and whether it holds only numbers, or times.

    `is_brief`: paths begin at `folder`, the innermost one that holds all of them, and times and hashes are short.
    """

    def __init__(self, table: QueryResult, heads: Sequence[str], *, is_brief: bool = False) -> None:
        self._table = table
        self.heads = heads
        self._is_brief = is_brief
        self.folder = _common_folder(table) if is_brief else None
        self.widths, self.numeric = list(map(cell_len, heads)), [len(table) > 0] * len(heads)
        self.times = {number for number, head in enumerate(heads) if table.main_columns and head in _HOURS_AND_DAYS}
        for row in table:  # one reader at a time
            for column, (value, text) in enumerate(zip(row, self._cells(row), strict=True)):
                self.widths[column] = max(self.widths[column], _width(text))
                self.numeric[column] = self.numeric[column] and isinstance(value, int | float | None)
                self.times |= {column} if is_time(text) else set()

    def __iter__(self) -> Iterator[list[str]]:
        return map(self._cells, self._table)

    def _cells(self, row: Sequence[Any]) -> list[str]:
        return [self._text(column, value) for column, value in zip(self._table.columns, row, strict=True)]

    def _text(self, column: str, value: Any) -> str:
        if not self._is_brief:
            return _format_value(value)
        if self.folder is not None and _is_path(column, value) and lies_below(value, self.folder):
            value = value[len(self.folder) + 1 :]
        return brief(column, _format_value(value))


def _write_table(console: Console, texts: _TextRows) -> Sequence[int]:
    """Writes all columns, and returns their numbers."""
    widths = _fit_widths(texts.widths, console.width - len(GAP) * (len(texts.widths) - 1) - 2)
    for line in _row_lines(console, texts.heads, widths, texts.numeric):
        console.print(Text(f"{line}", style="bold"))
    print_rule(console, sum(widths) + len(GAP) * (len(widths) - 1))
    for cells in texts:
        for line in _row_lines(console, cells, widths, texts.numeric):
            console.file.write(f"{line}\n")
    return range(len(widths))


def _write_narrow(console: Console, table: QueryResult, heads: Sequence[str]) -> Sequence[int]:
    """Writes each row as one or two lines, or as a paragraph; returns the numbers of the columns that are shown."""
    if len(table) == 0:
        console.print("No rows.")
        return ()
    texts = _TextRows(table, heads, is_brief=True)
    if texts.folder is not None:
        console.print(f"All paths lie below {printable(texts.folder)}")
    rows = plan_rows(
        heads,
        lambda: texts,
        first=table.main_columns,
        paths={number for number, head in enumerate(heads) if is_path(head)},
        widths=texts.widths,
        numeric=texts.numeric,
        available_cells=console.width - 1,
    )
    if rows is None:
        _write_paragraphs(console, texts)
        return range(len(heads))
    print_rows(console, rows, texts, all_of_it="--csv and --json have all of it.")
    return rows.shown


def _write_paragraphs(console: Console, texts: _TextRows) -> None:
    """Writes each row as lines of heads and values, without those that are empty; short ones share a line."""
    paths = [number for number, head in enumerate(texts.heads) if is_path(head)]
    room = console.width - max((_width(texts.heads[number]) + 2 for number in paths), default=0)
    shorten = choose_shortening(lambda: (cells[number] for cells in texts for number in paths), room)
    for cells in texts:
        if shorten is not None:
            cells = [shorten(text) if number in paths else text for number, text in enumerate(cells)]
        for line in _paragraph_lines(texts.heads, cells, width=console.width):
            console.file.write(f"{line}\n")
        console.file.write("\n")


def _paragraph_lines(heads: Sequence[str], cells: Sequence[str], *, width: int) -> Iterator[str]:
    """Yields the lines of one row; a value that is long has its line to itself, and goes on below its beginning."""
    together = ""
    for head, text in zip(heads, cells, strict=True):
        pair = f" {head} {text}"
        is_short = _width(pair) <= _SHORT_PAIR
        if together and not (is_short and _width(f"{together}{GAP}{pair}") <= width):
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


def _is_path(column: str, value: Any) -> bool:
    """Whether a value is an absolute path. One that is stored as a file URI stays as it is."""
    return is_path(column) and isinstance(value, str) and value.startswith("/")


def _common_folder(table: QueryResult) -> str | None:
    """The innermost folder that holds all paths that may be shown; None if there is none, or but the root."""
    shown = table.main_columns or table.columns
    columns = [number for number, column in enumerate(table.columns) if column in shown]
    folder: str | None = None
    for row in table:
        for number in columns:
            if _is_path(table.columns[number], row[number]):
                above = os.path.dirname(row[number])
                folder = above if folder is None else os.path.commonpath([folder, above])
    return None if folder in {None, "/"} else folder


def _fit(widths: Sequence[int], available_cells: int) -> bool:
    return sum(widths) + len(GAP) * (len(widths) - 1) + 2 <= available_cells


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
        lines = CsvLines()
        stream.write(lines.line(table.columns))
        for row in table:
            stream.write(lines.line(row))
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
        padded = (
            pad(text, width, right=is_number) for text, width, is_number in zip(pieces, widths, right, strict=True)
        )
        yield f" {GAP.join(padded)}".rstrip()


def _wrap(console: Console, text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")]


def _format_value(value: Any) -> str:
    if not isinstance(value, str):
        return format_cell(value)
    more = len(value) - _LONGEST_CELL
    return format_cell(value[:_LONGEST_CELL]) + (f"… ({more} more characters; --json has them)" if more > 0 else "")


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
