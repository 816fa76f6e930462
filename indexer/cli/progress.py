"""The progress bars of a command, on a terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_BAR = 20  # cells: with a camera's name before it and four figures behind it a line has 80


@contextmanager
def progress_bars(file: TextIO | None = None) -> Iterator[Progress]:
    """Progress bars on the terminal behind stderr, or on another file, shown until the end of the block."""
    # A descriptor of its own: decoders write to descriptor 2, which is redirected while they run.
    with os.fdopen(os.dup(2), "w") if file is None else nullcontext(file) as terminal:
        console = Console(file=terminal, markup=False, force_terminal=True)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(_BAR), MofNCompleteColumn(), _Rate())
        with Progress(*columns, _TimeLeft(), console=console) as bars:
            yield bars


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
