"""How text of unknown origin is shown: file names, camera names, what a person typed. Passwords are left out.

This module imports nothing that is slow to load.

Decision 0006: every command that a message proposes is made by `command_line`.
"""

import os
import re
import shlex
from collections.abc import Sequence
from contextvars import ContextVar

PROGRAM = "manage.py"
_typed_options: ContextVar[tuple[str, ...]] = ContextVar("typed_options", default=())
_NOT_IN_QUOTES = {"\\", "'", "!"}  # in bash's $'…'; ! is history expansion in older shells
_SPECIAL = set('"$`\\!')  # what bash expands between double quotes
_PASSWORDS = re.compile(r"""(://[^\s'"/:@]*:)[^\s'"]*(?=@)|([?&]\w*password=)[^\s'"&]*""", re.IGNORECASE)


def printable(text: str) -> str:
    """Text that is safe to show: unprintable characters (newline, escape, direction mark, lone byte) are escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def command_line(*words: str, names: Sequence[str] = ()) -> str:
    """A command of this program, ready to be pasted into bash: `manage.py`, `words`, then `names` of files or images.

    The shell passes on each word exactly as it is. A word with unprintable characters is written as `$'\\x1b'`. If a
    name begins with a dash, `--` stands before the names. The result is printable, so `printable` does not change it.
    The options of `repeat_options` stand before the words, unless these name an index themselves.
    """
    options = () if words[:1] == ("--db",) else _typed_options.get()
    dashes = ["--"] if any(name.startswith("-") for name in names) else []
    return " ".join([PROGRAM, *map(quoted, [*options, *words, *dashes, *names])])


def repeat_options(*words: str) -> None:
    """Makes `command_line` repeat the options that a person typed before the command, so that it has the same index."""
    _typed_options.set(words)


def quoted(word: str) -> str:
    """The word, quoted so that bash reads exactly this one word. The result has printable characters only."""
    if not word.isprintable():
        return f"$'{''.join(map(_in_quotes, word))}'"
    if "'" in word and not _SPECIAL & set(word):
        return f'"{word}"'
    return shlex.quote(word)


def _in_quotes(char: str) -> str:
    if char.isprintable() and char not in _NOT_IN_QUOTES:
        return char
    try:
        data = os.fsencode(char)
    except UnicodeEncodeError:  # half of a surrogate pair, which no path holds
        data = char.encode("utf-8", "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in data)


def without_passwords(text: str) -> str:
    """The text, with `***` in place of the password in every database address in it."""
    return _PASSWORDS.sub(lambda match: f"{match[1] or match[2]}***", text)
