"""The progress bars of a command, on a terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from indexer.cli.render.short_paths import keep_both_ends

_BAR = 10  # cells: with what is done before it and the figures behind it a line has 80
_FIGURES = 52  # cells of a bar and of figures with millions, 10:00:00 left, and spaces between


@contextmanager
def progress_bars(file: TextIO | None = None) -> Iterator[Progress]:
    """Progress bars on the terminal behind stderr, or on another file, shown until the end of the block."""
    # A descriptor of its own: decoders write to descriptor 2, which is redirected while they run.
    with os.fdopen(os.dup(2), "w") if file is None else nullcontext(file) as terminal:
        console = Console(file=terminal, markup=False, force_terminal=True)
        columns = (_Stage(max(console.width - _FIGURES, _BAR)), BarColumn(_BAR), MofNCompleteColumn(), _Rate())
        with Progress(*columns, _TimeLeft(), console=console) as bars:
            yield bars


class _Stage(ProgressColumn):
    """What is done, in at most so many cells: a long name of a camera is cut in its middle."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def render(self, task: Task) -> Text:
        """What is done, as text."""
        return Text(keep_both_ends(task.description, width=self._width))


class _TimeLeft(TimeRemainingColumn):
    """The time that is left, called so: a bare time may be that of the day, or the time so far."""

    def render(self, task: Task) -> Text:
        """The time left, as text; empty while there is nothing to reckon it from."""
        left = super().render(task)
        return Text("") if "-" in left.plain else left.append(" left")


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        """The rate so far, as text."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s")
