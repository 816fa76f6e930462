"""Rows of many columns on a terminal that is too narrow for them: one or two lines for each.

What matters most is shown first. Two wide values, as an image and its keeper, stand one below the other. Paths, and
names of cameras and profiles, are shortened in the middle; other wide values are cut at their end. A sentence below
says which columns are not shown.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from indexer.cli.render.short_paths import CUT, Shorten, choose_shortening, cut_text
from indexer.cli.word_wrap import wrap_words

GAP = "   "
_MOST_SHORT = 24  # cells of a value that has a column of its own
_WISHED = 44  # cells that a long file name gets, before less important columns get some
_MIN_WIDE = 20  # cells for other wide values
_LINES = 2  # of a row
_SHORT_HASH = 12  # signs of a hash, as in git
_NAMES = ("camera", "profile")  # heads of columns whose values are never mistaken for each other, as those of paths
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d{6}")

Cells = Sequence[str]


@dataclass(frozen=True)
class NarrowRows:
    """Which columns are shown, by their numbers, and how.

    `short` have a column each, as wide as `widths` says; `wide` stand one below the other in the last one, of `room`
    cells. `shorten` shows those of `distinct`, which are paths or names; None: whole, on as many lines as they need, as
    shortened they would be mistaken for each other.
    """

    heads: Cells
    short: tuple[int, ...]
    wide: tuple[int, ...]
    distinct: Collection[int]
    widths: Sequence[int]
    room: int
    numeric: Sequence[bool]
    shorten: Shorten | None

    @property
    def shown(self) -> tuple[int, ...]:
        """The columns that are shown."""
        return self.short + self.wide

    @property
    def hidden(self) -> list[str]:
        """The heads of the columns that are not shown."""
        return [head for number, head in enumerate(self.heads) if number not in self.shown]

    def head_lines(self) -> Iterator[str]:
        """Yields the lines of the heads."""
        return self._lines(self.heads, [[cut_text(self.heads[number], self.room)] for number in self.wide])

    def row_lines(self, cells: Cells) -> Iterator[str]:
        """Yields the lines of a row, whose values `brief` made short."""
        return self._lines(cells, [self._wide_lines(number, cells[number]) for number in self.wide])

    def _lines(self, cells: Cells, wide: Iterable[list[str]]) -> Iterator[str]:
        short = [pad(cells[number], self.widths[number], right=self.numeric[number]) for number in self.short]
        below = [line for lines in wide for line in lines if line] or [""]
        indent = " " * (sum(map(cell_len, short)) + len(GAP) * len(short))
        for number, line in enumerate(below):
            yield f" {GAP.join([*short, line]) if number == 0 else indent + line}".rstrip()

    def _wide_lines(self, number: int, text: str) -> list[str]:
        if number in self.distinct:
            if self.shorten is not None:
                return [self.shorten(text)]
            return chop_cells(text, self.room)
        lines = wrap_words(text, self.room).split("\n")
        most = _LINES // len(self.wide)
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1]} {' '.join(lines[most:])}"]
        return [cut_text(line, self.room) for line in lines]


def plan_rows(
    heads: Cells,
    read_rows: Callable[[], Iterable[Cells]],
    *,
    first: Cells,
    paths: Collection[int],
    widths: Sequence[int],
    numeric: Sequence[bool],
    available_cells: int,
) -> NarrowRows | None:
    """How rows fit; None if not all columns do, and `first` does not say which ones matter most.

    `read_rows` gives the rows, with values that `brief` made short; they are read a few times. `first` are heads, the
    most important one first. `paths` are the columns of paths, and `widths` the cells of the widest values.
    """
    order = [heads.index(head) for head in first if head in heads]
    rest = [number for number in range(len(heads)) if number not in order]
    is_wide = [not numeric[number] and width > _MOST_SHORT for number, width in enumerate(widths)]
    wide = tuple([number for number in order or rest if is_wide[number]][:_LINES])
    distinct = [number for number in wide if number in paths or heads[number] in _NAMES]
    names = (os.path.basename(cells[number]) for cells in read_rows() for number in wide if number in paths)
    whole = max((widths[number] for number in wide), default=0)
    longest = max((cell_len(name) for name in names), default=0) + len(f"{CUT}/")
    least = min(whole, max(longest, _MIN_WIDE), _WISHED)
    short, used = list[int](), 1
    for numbers, wished in ((order, least), (rest, max(least, whole) if order else least)):
        of_these = [number for number in numbers if not is_wide[number]]
        for number in of_these:
            if used + widths[number] + len(GAP) + wished <= available_cells:
                short.append(number)
                used += widths[number] + len(GAP)
        if not {*of_these} <= {*short}:
            break
    if not order and len(short) + len(wide) < len(heads):
        return None
    room = max(available_cells - used, _MIN_WIDE)
    shorten = choose_shortening(lambda: (cells[number] for cells in read_rows() for number in distinct), room)
    return NarrowRows(heads, tuple(short), wide, distinct, widths, room, numeric, shorten)


def print_rows(console: Console, rows: NarrowRows, texts: Iterable[Cells], *, all_of_it: str) -> None:
    """Prints the heads and one or two lines for each row; if something is not shown, also which columns, and what has
    all of it."""
    for line in rows.head_lines():
        console.print(Text(line, style="bold"))
    print_rule(console, console.width - 3)
    is_cut = False
    for cells in texts:
        for line in rows.row_lines(cells):
            is_cut = is_cut or CUT in line
            console.file.write(f"{line}\n")
    if rows.hidden:
        console.print(f"Not shown here: {', '.join(rows.hidden)}.")
    if rows.hidden or is_cut:
        console.print(all_of_it)


def print_rule(console: Console, width: int) -> None:
    """Prints the line below the heads."""
    console.print(Text(" " + ("-" if console.options.ascii_only else "─") * width))


def brief(head: str, text: str) -> str:
    """A value as a narrow table shows it: times to the second, the beginning of a hash."""
    if (time := _TIME.fullmatch(text)) is not None:
        return time[1]
    return f"{text[:_SHORT_HASH]}{CUT}" if head.endswith("_hash") and len(text) > _SHORT_HASH else text


def is_path(head: str) -> bool:
    """Whether a column has paths."""
    return head.endswith("path")


def is_time(text: str) -> bool:
    """Whether a value is a time as the result of a query has it; all of these are UTC."""
    return _TIME.fullmatch(text) is not None


def pad(text: str, width: int, *, right: bool) -> str:
    """The text with spaces up to so many cells, before it or after it."""
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
