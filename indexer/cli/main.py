"""The one place that turns an error into a sentence and an exit code.

0 done, 1 a known problem, 2 usage, 3 unexpected (traceback to a log file), 130 interrupted. It loads nothing heavy.

Decision 0002: commands are invoked here and not through Typer's own `main`.
"""

import gc
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import typer

from indexer.cli.json_output import unfinished_document
from indexer.cli.options import find_function
from indexer.cli.shell_completion import answer_shell
from indexer.cli.streams import escape_unencodable, open_closed_streams, print_line, redirect_to_devnull
from indexer.cli.usage_errors import describe_usage_error
from indexer.errors import IndexerError, lacks_descriptors
from indexer.escaping import program_name, without_passwords
from indexer.files import private

LOG_NAME = "indexer.log"
_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000  # with Python's 700, the collector runs all through the import of libraries

ErrorPrinter = Callable[[str, int], int]
"""Prints a sentence and returns the exit code."""


def main(app: typer.Typer, arguments: Sequence[str]) -> int:
    """The exit code of the command that these arguments call; an error is printed first.

    The options that a person typed for it are forgotten afterwards: the next command of this process has its own.
    """
    return copy_context().run(_main, app, arguments)


def _main(app: typer.Typer, arguments: Sequence[str]) -> int:
    print_error = partial(_print_error, as_json="--json" in arguments)
    try:
        open_closed_streams()
        escape_unencodable()
        gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
        _invoke(app, arguments)
        return 0
    except typer.Exit as end:
        return end.exit_code
    except IndexerError as problem:
        for line in problem.lines:
            print_line(line)
        return print_error(str(problem), problem.exit_code)
    except KeyboardInterrupt as interrupt:
        # A run says itself what it did until then.
        sentence = str(interrupt) or "interrupted; nothing is half done, and the same command can be typed again"
        return print_error(sentence, 130)
    except Exception as problem:
        if lacks_descriptors(problem):
            return print_error(
                "no more files may be open at the same time here; type ulimit -n 1024, and this once more", 1
            )
        if isinstance(problem, OSError):
            file_part = f": {problem.filename!r}" if problem.filename else ""
            return print_error(f"{problem.strerror or problem}{file_part}", 1)
        return (
            _print_usage_error(problem, arguments, print_error)
            if hasattr(problem, "format_message")
            else _print_unexpected(problem, arguments, print_error)
        )


def _invoke(app: typer.Typer, arguments: Sequence[str]) -> None:
    try:
        if answer_shell(app, os.environ):
            return
        with typer.main.get_command(app).make_context(program_name(), list(arguments)) as context:
            context.command.invoke(context)
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            redirect_to_devnull(sys.stdout)


def _print_usage_error(problem: Exception, arguments: Sequence[str], print_error: ErrorPrinter) -> int:
    """Prints a usage error with the usage line; prints the help if no command was given."""
    message = problem.format_message()  # type: ignore[attr-defined]
    if message.startswith("Usage:"):
        print(message, file=sys.stderr)  # noqa: T201 - what people read
        return print_error("no command was given", 2)
    context = getattr(problem, "ctx", None)
    if context is not None:
        print(context.get_usage(), file=sys.stderr)  # noqa: T201
    return print_error(describe_usage_error(problem, arguments, find_function=find_function), 2)


def _print_unexpected(problem: Exception, arguments: Sequence[str], print_error: ErrorPrinter) -> int:
    log = _write_log(arguments)
    return print_error(f"unexpected: {type(problem).__name__}: {problem} (the traceback is in {log})", 3)


def _print_error(sentence: str, code: int, *, as_json: bool) -> int:
    """Prints one sentence for people on stderr, and for programs on stdout if they asked for JSON."""
    sentence = without_passwords(sentence)
    print_line(f"indexer: {sentence}")
    if as_json:
        with suppress(OSError):
            document = (unfinished_document.get() or {}) | {"error": sentence, "exit_code": code}
            print(json.dumps(document), flush=True)  # noqa: T201
    return code


def _write_log(arguments: Sequence[str]) -> Path:
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    text = without_passwords(f"{stamp} {' '.join(map(repr, arguments[:1]))}\n{traceback.format_exc()}\n")
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
    """Writes the text to a file of its own, if neither log can be written to."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="indexer-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
    except OSError:
        return Path(os.devnull)
    return Path(name)
