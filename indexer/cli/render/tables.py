"""Tables and lists for people: they fit the terminal, and a sentence says how many rows there are and how to see them.

An index may have thousands of cameras. A person reads the first of them and the sums; a program reads `--json`, which
is never cut. Where a table is wider than the terminal, each row has one or two lines, with the columns that matter
most; without such an order it becomes a block of lines. A file or a pipe gets the whole table.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.cli.render.narrow_rows import pad, plan_rows, print_rows
from indexer.cli.word_wrap import wrap_words
from indexer.domain.zones import local_time
from indexer.escaping import printable

MAX_ROWS = 100
"""The most rows that a table about cameras shows."""
MAX_LISTED = 10
"""The most files that are listed before "and so many more"."""
ALL_ROWS = "all of these"
_MAX_SAME_REASON = 3
"""Up to so many files with one reason are listed each."""
_MAX_SENTENCES = 10
_MIN_FOLDED = 24  # cells that a folded column has at least
_UNLIMITED = 100_000  # cells: wider than any table


def print_table(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    what: str,
    totals: Sequence[Sequence[Any]] = (),
    most: int = MAX_ROWS,
    first: Sequence[str] = (),
    paths: Sequence[str] = (),
    of_one_run: bool = False,
) -> None:
    """Prints a table, at most its first `most` rows; `totals` are always printed below them.

    `what` names the rows in the sentence that says how many there are; the others are as `print_fitting` says.
    """
    print_fitting(console, heads, [*rows[:most], *totals], first=first, paths=paths, of_one_run=of_one_run)
    if len(rows) > most:
        console.print(f"These are {most} of {len(rows)} {what}; {_who_has_all(of_one_run=of_one_run)} of them.")


def print_fitting(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    first: Sequence[str] = (),
    paths: Sequence[str] = (),
    folded: str | None = None,
    of_one_run: bool = False,
) -> None:
    """Prints all rows: as a table; if it is too wide, one or two lines for each; without `first`, as blocks of lines.

    `first` are the heads of the columns that matter most, the most important one first, and `paths` those of columns
    of paths. Absolute ones begin at the folder that holds all of them where the table is too wide. `folded`: the head
    of the column whose values may take several lines, if this makes the table fit. `of_one_run`: the rows say what this
    run did, so the same command does not show them again.
    """
    table = make_table(heads, rows)
    if _width(console, table) <= console.width or _fold(console, table, folded):
        console.print(table)
    elif first:
        _print_narrow(console, heads, rows, first=first, paths=paths, of_one_run=of_one_run)
    else:
        for row in rows:
            _print_block(console, heads, row)


def _fold(console: Console, table: Table, folded: str | None) -> bool:
    """Whether a table fits if one column takes several lines; if so, it alone is broken when the table is printed."""
    wide = [column for column in table.columns if folded == str(column.header)]
    if not wide:
        return False
    for column in table.columns:
        column.no_wrap = column not in wide
    wide[0].max_width = wide[0].min_width = _MIN_FOLDED
    fits = _width(console, table) <= console.width
    wide[0].max_width = None
    return fits


def _who_has_all(*, of_one_run: bool) -> str:
    return "the next run with --json shows all" if of_one_run else "--json has all"


def _print_narrow(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    first: Sequence[str],
    paths: Sequence[str],
    of_one_run: bool,
) -> None:
    """Prints one or two lines for each row, with the columns that matter most."""
    columns = {number for number, head in enumerate(heads) if head in paths}
    folder = common_folder(row[number] for row in rows for number in columns if row[number])
    if folder is not None:
        console.print(f"All paths lie below {printable(folder)}")
        rows = [
            [
                os.path.relpath(value, folder) if value and number in columns else value
                for number, value in enumerate(row)
            ]
            for row in rows
        ]
    texts = [[format_cell(value) for value in row] for row in rows]
    plan = plan_rows(
        heads,
        lambda: texts,
        first=first,
        paths=columns,
        widths=[max(map(cell_len, column)) for column in zip(heads, *texts, strict=True)],
        numeric=[_is_numeric(row[column] for row in rows) for column in range(len(heads))],
        available_cells=console.width - 1,
    )
    assert plan is not None  # there is a first column
    in_order = replace(plan, short=tuple(sorted(plan.short)))
    who = _who_has_all(of_one_run=of_one_run)
    print_rows(console, in_order, texts, all_of_it=f"{who[0].upper()}{who[1:]} of it.")


def _print_block(console: Console, heads: Sequence[str], row: Sequence[Any]) -> None:
    """Prints the first value of a row, and below it a line for each other one that is not empty, with its head."""
    console.print(format_cell(row[0]))
    cells = [(printable(head), format_cell(value)) for head, value in zip(heads[1:], row[1:], strict=True)]
    width = max((cell_len(head) for head, text in cells if text), default=0)
    for head, text in cells:
        if text:
            lines = wrap_words(text, max(console.width - width - 4, _MIN_FOLDED)).split("\n")
            console.print(f"  {pad(head, width, right=False)}  " + f"\n{' ' * (width + 4)}".join(lines))


def _width(console: Console, table: Table) -> int:
    """How many cells wide a table is if nothing limits it."""
    return console.measure(table, options=console.options.update(max_width=_UNLIMITED)).maximum


def without_zeros(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], *, optional: Sequence[str]
) -> tuple[list[str], list[list[Any]]]:
    """The heads and rows without those of the optional columns in which every value is 0, or empty."""
    shown = [column for column, head in enumerate(heads) if head not in optional or any(row[column] for row in rows)]
    return [heads[column] for column in shown], [[row[column] for column in shown] for row in rows]


def common_folder(paths: Iterable[str]) -> str | None:
    """The innermost folder that holds all these absolute paths; None if there is none but the root."""
    listed = list(paths)
    if not listed or not all(os.path.isabs(path) for path in listed):
        return None
    folder = os.path.commonpath([os.path.dirname(path) for path in listed])
    return None if folder == os.sep else folder


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
        numeric = bool(listed) and _is_numeric(row[column] for row in listed)
        result.add_column(Text(printable(head)), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        result.add_row(*(Text(format_cell(value)) for value in row))
    return result


def _is_numeric(values: Iterable[Any]) -> bool:
    return all(isinstance(value, int | float | None) for value in values)


def format_cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4g}"
    return printable(str(value))


def list_files(console: Console, files: Sequence[tuple[str, str]]) -> None:
    """Prints files, each with its reason; at most the first few. A reason that many files share stands once."""
    numbers = Counter(reason for _, reason in files)
    rows: dict[object, tuple[str, str, int]] = {}
    for row, (path, reason) in enumerate(files):
        is_shared = numbers[reason] > _MAX_SAME_REASON
        rows.setdefault(reason if is_shared else row, (path, reason, numbers[reason] if is_shared else 1))
    listed = list(rows.values())
    for path, reason, number in listed[:MAX_LISTED]:
        others = f" and {number - 1} more" if number > 1 else ""
        console.print(f"  {printable(path)}{others}: {printable(reason)}")
    rest = sum(number for *_, number in listed[MAX_LISTED:])
    if rest:
        console.print(f"  and {rest} more; --json names them all")


def format_local_time(time: datetime | None, *, timezone: str | None, local: bool) -> str:
    """A time for people: in the zone stored for its folder, else with `local` in that of this machine, else in UTC."""
    return format_time(None if time is None else local_time(time, timezone=timezone, local=local))


def zone_name(timezone: str | None, *, local: bool) -> str:
    """The name of the zone that `format_local_time` shows a time in."""
    return timezone or ("local time" if local else "UTC")


def format_utc(time: datetime | None) -> str:
    """A time in UTC for people, with the name of this zone."""
    return "unknown" if time is None else f"{format_time(time)} UTC"


def format_time(time: datetime | None) -> str:
    """A time for people, in its own zone."""
    return "unknown" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


_ORIGINS = {
    "exif": "EXIF",
    "mtime": "its modification time",
    "option": "an option",
    "pattern": "a pattern",
    "container": "the header of the video",
}


def name_of_source(source: str | None) -> str:
    """Where a camera or a time was read from, in words."""
    return _ORIGINS.get(source or "", f"its {source}")
