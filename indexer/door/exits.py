"""One place that turns what went wrong into a sentence and an exit code.

0 done, 1 a known problem, 2 usage, 3 unexpected (traceback to a log file), 130 interrupted. It loads nothing heavy.
"""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import IndexerError

LOG_NAME = "indexer.log"


def run(command: Callable[[], object]) -> int:
    """The exit code of a command, after saying what went wrong if something did."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name still shows the report
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except IndexerError as problem:
        return _say(str(problem), problem.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted; what was done so far is kept, and the same command goes on from there", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nobody is there to be told
        return 0
    except OSError as problem:
        return _say(f"{problem.strerror or problem}: {problem.filename!a}" if problem.filename else str(problem), 1)
    except Exception as problem:
        return _say_unexpected(problem)


def _say_unexpected(problem: Exception) -> int:
    """Usage problems of the command line speak for themselves; anything else goes to the log."""
    show = getattr(problem, "format_message", None)
    if show is not None:
        context = getattr(problem, "ctx", None)
        usage = f"{context.get_usage()}\n" if context is not None else ""
        return _say(show(), getattr(problem, "exit_code", 2), before=usage)
    if type(problem).__name__ == "Abort":
        return _say("stopped; nothing was changed", 130)
    log = _write_log()
    return _say(f"unexpected: {type(problem).__name__}: {problem} (the traceback is in {log})", 3)


def _say(sentence: str, code: int, *, before: str = "") -> int:
    """Says one sentence to people on stderr, and to programs on stdout where they asked for JSON."""
    print(f"{before}indexer: {sentence}", file=sys.stderr)  # noqa: T201 - this is the door
    if "--json" in sys.argv:
        print(json.dumps({"error": sentence, "exit_code": code}))  # noqa: T201
    return code


def _write_log() -> Path:
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    text = f"{stamp} {' '.join(map(ascii, sys.argv[1:2]))}\n{traceback.format_exc()}\n"
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            with (folder / LOG_NAME).open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            continue
        return folder / LOG_NAME
    return Path(os.devnull)
