"""The standard streams of a command: closed ones are opened, and a reader that closed its end stops
nothing."""

import io
import os
import sys
from contextlib import suppress
from shutil import get_terminal_size
from typing import IO

from indexer.cli.word_wrap import wrap_words
from indexer.escaping import printable, without_passwords


def open_closed_streams() -> None:
    """Opens missing standard streams on the null device, as for a process that a daemon started without them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - for the rest of the process


def escape_unencodable() -> None:
    """Makes the output streams escape characters that the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_line(line: str) -> None:
    """Prints one line for people on stderr; on a terminal it is broken between words."""
    with suppress(OSError):  # a stream that is full or closed does not change the result
        text = printable(without_passwords(line))
        if sys.stderr.isatty():
            text = wrap_words(text, get_terminal_size().columns)
        print(text, file=sys.stderr)  # noqa: T201


def redirect_to_devnull(stream: IO[str]) -> None:
    """Redirects a stream whose reader is gone to the null device: the work goes on, and nobody reads the output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
