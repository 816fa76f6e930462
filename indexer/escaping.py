"""How text of unknown origin is shown: file names, camera names, what a person typed; passwords
are left out. It loads nothing heavy.

Decision: every command that a message proposes is made by `command_line`, as people paste it into a shell, and what a
file or camera is called must not run there. Enforced by tests/test_architecture.py and tests/e2e/test_pasting.py.
"""

import os
import re
import shlex
from collections.abc import Sequence

PROGRAM = "manage.py"
_NOT_IN_QUOTES = {"\\", "'", "!"}  # in bash's $'…', where ! asks older shells for a command of their history
_SPECIAL = set('"$`\\!')  # what bash looks for between double quotes
_PASSWORDS = re.compile(r"""(://[^\s'"/:@]*:)[^\s'"]*(?=@)|([?&]\w*password=)[^\s'"&]*""", re.IGNORECASE)


def printable(text: str) -> str:
    """Text that is safe to show: what does not print (newlines, escapes, direction marks, lone bytes) is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def command_line(*words: str, names: Sequence[str] = ()) -> str:
    """A command of ours as it can be pasted into bash: `manage.py` and its words, then names of files or images.

    Each word arrives exactly as it is; what does not print is written as `$'\\x1b'`. A name that begins with a dash is
    no option. All of it prints, so that `printable` leaves it alone.
    """
    dashes = ["--"] if any(name.startswith("-") for name in names) else []
    return " ".join([PROGRAM, *map(quoted, [*words, *dashes, *names])])


def quoted(word: str) -> str:
    """A word as bash reads it, exactly and as one word; all of it prints."""
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
    except UnicodeEncodeError:  # half of a pair, which no path holds
        data = char.encode("utf-8", "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in data)


def without_passwords(text: str) -> str:
    """Text without the passwords of the database addresses in it, wherever it quotes one."""
    return _PASSWORDS.sub(lambda match: f"{match[1] or match[2]}***", text)
