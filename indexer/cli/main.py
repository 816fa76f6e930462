"""One place that turns what went wrong into a sentence and an exit code.

0 done, 1 a known problem, 2 usage, 3 unexpected (traceback to a log file), 130 interrupted. It loads nothing heavy.

Decision: commands are invoked here and not through Typer's own `main`, which would answer Ctrl-C in silence and a
closed pipe with exit code 1 before anything could be said. Enforced by tests/cli/test_main.py.
"""

import gc
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

import typer

from indexer.errors import IndexerError, lacks_descriptors
from indexer.escaping import PROGRAM, printable, without_passwords
from indexer.files import private

LOG_NAME = "indexer.log"
_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000  # Python's 700 looks for cycles all through the loading of libraries

Say = Callable[[str, int], int]
"""Says a sentence and gives back the exit code."""


def run(app: typer.Typer, words: Sequence[str]) -> int:
    """The exit code of the command that these words ask for, after saying what went wrong if something did."""
    say = partial(_say, as_json="--json" in words)
    try:
        _open_what_is_closed()
        _admit_any_name()
        gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
        _invoke(app, words)
        return 0
    except typer.Exit as end:
        return end.exit_code
    except IndexerError as problem:
        for line in problem.lines:
            warn(line)
        return say(str(problem), problem.exit_code)
    except KeyboardInterrupt:
        return say("interrupted; what was done so far is kept, and the same command goes on from there", 130)
    except Exception as problem:
        if lacks_descriptors(problem):
            return say("no more files may be open at the same time here; type ulimit -n 1024, and this once more", 1)
        if isinstance(problem, OSError):
            place = f": {problem.filename!a}" if problem.filename else ""
            return say(f"{problem.strerror or problem}{place}", 1)
        return _say_usage(problem, say) if hasattr(problem, "format_message") else _say_unexpected(problem, words, say)


def _open_what_is_closed() -> None:
    """Gives a process that was started without standard streams, as by some daemons, streams that lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - for the rest of the process


def _admit_any_name() -> None:
    """A terminal that cannot show a name still shows the report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _invoke(app: typer.Typer, words: Sequence[str]) -> None:
    try:
        with typer.main.get_command(app).make_context(PROGRAM, list(words)) as context:
            context.command.invoke(context)
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            fall_silent(sys.stdout)


def fall_silent(stream: IO[str]) -> None:
    """Lets a stream whose reader has left write to nowhere: the work is done all the same, and nobody is to be told."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def _say_usage(problem: Exception, say: Say) -> int:
    """The command line's own complaints, with the line that shows how it goes; the help where no command was given."""
    message = problem.format_message()  # type: ignore[attr-defined]
    if message.startswith("Usage:"):
        print(message, file=sys.stderr)  # noqa: T201 - this is the door
        return say("no command was given", 2)
    context = getattr(problem, "ctx", None)
    if context is not None:
        print(context.get_usage(), file=sys.stderr)  # noqa: T201
    return say(message, 2)


def _say_unexpected(problem: Exception, words: Sequence[str], say: Say) -> int:
    log = _write_log(words)
    return say(f"unexpected: {type(problem).__name__}: {problem} (the traceback is in {log})", 3)


def warn(line: str) -> None:
    """Says one line to people on stderr."""
    with suppress(OSError):  # a stream that is full or gone changes nothing about how it went
        print(printable(without_passwords(line)), file=sys.stderr)  # noqa: T201


def _say(sentence: str, code: int, *, as_json: bool) -> int:
    """Says one sentence to people on stderr, and to programs on stdout where they asked for JSON."""
    sentence = without_passwords(sentence)
    warn(f"indexer: {sentence}")
    if as_json:
        with suppress(OSError):
            print(json.dumps({"error": sentence, "exit_code": code}), flush=True)  # noqa: T201
    return code


def _write_log(words: Sequence[str]) -> Path:
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    text = without_passwords(f"{stamp} {' '.join(map(ascii, words[:1]))}\n{traceback.format_exc()}\n")
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            descriptor = private.open_file(str(folder / LOG_NAME), flags=os.O_WRONLY | os.O_APPEND)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            continue
        return folder / LOG_NAME
    return _write_log_apart(text)


def _write_log_apart(text: str) -> Path:
    """The same in a file of its own, where both logs are somebody else's."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="indexer-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
    except OSError:
        return Path(os.devnull)
    return Path(name)
