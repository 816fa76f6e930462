"""The standard streams of a command: closed ones are opened, and a reader that has left stops nothing."""

import io
import os
import sys
from typing import IO


def open_closed_streams() -> None:
    """Gives a process that was started without standard streams, as by some daemons, streams that lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - for the rest of the process


def escape_unencodable() -> None:
    """A terminal that cannot show a name still shows the report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def redirect_to_devnull(stream: IO[str]) -> None:
    """Lets a stream whose reader has left write to nowhere: the work is done all the same, and nobody is to be told."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
