"""Paths made to fit a column: shortened in the middle, so that they end with the file name and no two become one."""

import os
from collections.abc import Callable, Iterable
from functools import partial

from indexer.cli.word_wrap import cell_count

CUT = "…"
"""What stands for the part of a value that is not shown."""
Shorten = Callable[[str], str]


def choose_shortening(read_paths: Callable[[], Iterable[str]], width: int) -> Shorten | None:
    """How to show paths in `width` cells, so that different paths stay different; None if no way does.

    `read_paths` gives them, once for each way that is tried. Memory: two numbers per path.
    """
    for way in (_keep_end, _keep_beginning, keep_both_ends):
        shorten = partial(way, width=width)
        shown = dict[int, int]()
        if all(shown.setdefault(hash(shorten(path)), hash(path)) == hash(path) for path in read_paths()):
            return shorten
    return None


def _keep_end(path: str, *, width: int) -> str:
    """The file name with as many folders above it as fit: `…/2024-05-01/gate_12-30-45.jpg`."""
    if cell_count(path) <= width:
        return path
    *folders, name = path.split("/")
    shown = f"{CUT}/{name}" if folders else name
    if cell_count(shown) > width:
        return keep_both_ends(name, width=width)
    while folders and cell_count(longer := f"{CUT}/{folders[-1]}{shown[len(CUT) :]}") <= width:
        shown = longer
        folders.pop()
    return shown


def _keep_beginning(path: str, *, width: int) -> str:
    """The file name after as much of the beginning as fits: `north/2024-0…/0001.jpg`."""
    if cell_count(path) <= width:
        return path
    folder, name = os.path.split(path)
    free = width - cell_count(f"{CUT}/{name}")
    return keep_both_ends(path, width=width) if free < 1 else f"{_first_cells(folder, free)}{CUT}/{name}"


def keep_both_ends(text: str, *, width: int) -> str:
    """A third from the beginning and the rest from the end: the end of a file name has its time, or its number."""
    if cell_count(text) <= width:
        return text
    free = max(width - cell_count(CUT), 1)
    beginning = _first_cells(text, free // 3)
    return f"{beginning}{CUT}{_first_cells(text[::-1], free - cell_count(beginning))[::-1]}"


def cut_text(text: str, width: int) -> str:
    """The beginning of a text in at most `width` cells; what is cut off ends with `CUT`."""
    return text if cell_count(text) <= width else f"{_first_cells(text, max(width - 1, 0)).rstrip()}{CUT}"


def _first_cells(text: str, cells: int) -> str:
    """As many signs from the beginning as take no more than so many cells."""
    first = text[:cells]
    while cell_count(first) > cells:
        first = first[:-1]
    return first
