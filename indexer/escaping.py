"""How text of unknown origin is shown: file names, camera names, what a person typed. Passwords are left out.

What can be shown is shown as it is, in whatever alphabet; all other characters are escaped. `str.isprintable` is the
one rule for that. It holds for a text alone on its line (`printable`), for a name in quotes within a sentence, which
is `{name!r}` everywhere, and for a word of a proposed command (`quoted`). A stream that cannot encode a character
escapes it, too (`indexer.cli.streams`).

This module imports nothing that is slow to load.

Decision 0006: every command that a message proposes is made by `command_line`.
"""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextvars import ContextVar

_OWN_MODULE = os.path.join(os.path.dirname(__file__), "__main__.py")
_typed_options: ContextVar[tuple[str, ...]] = ContextVar("typed_options", default=())
_NOT_IN_QUOTES = {"\\", "'", "!"}  # in bash's $'…'; ! is history expansion in older shells
_SPECIAL = set('"$`\\!')  # what bash expands between double quotes
_USERS = re.compile(
    r"""(?P<scheme>\w[\w+.-]*)://(?:(?P<user>[^\s'"/:]*):[^\s'"]*(?=@)|(?P<other>[^/\n]*)(?=@))""", re.IGNORECASE
)
_PASSWORDS = re.compile(r"""([?&]\w*password=)[^\s&]*?(?=['")\]]*[;:,.]*(?:[\s&]|$))""", re.IGNORECASE)
_OF_CAMERAS = ("rtsp", "rtsps", "http", "https")  # where the user alone may be a token


def printable(text: str) -> str:
    """Text that is safe to show: unprintable characters (newline, escape, direction mark, lone byte) are escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def program_name() -> str:
    """The words that started this program: `manage.py`, `indexer` (the installed script) or `python -m indexer`.

    It is `manage.py` wherever something else started this process, such as a test or a worker of Dask.
    """
    typed = sys.argv[0] if sys.argv else ""
    if typed == _OWN_MODULE:
        return "python -m indexer"
    return "indexer" if os.path.basename(typed) == "indexer" else "manage.py"


def command_line(*words: str, names: Sequence[str] = ()) -> str:
    """A command of this program, ready to be pasted into bash: its name, `words`, then `names` of files or images.

    The shell passes on each word exactly as it is. A word with unprintable characters is written as `$'\\x1b'`. If a
    name begins with a dash, `--` stands before the names. The result is printable, so `printable` does not change it.
    The options of `repeat_options` stand before the words, unless these name an index themselves.
    """
    options = () if words[:1] == ("--db",) else _typed_options.get()
    dashes = ["--"] if any(name.startswith("-") for name in names) else []
    return " ".join([program_name(), *map(quoted, [*options, *words, *dashes, *names])])


def page_command(*words: str) -> str:
    """A command of this program for a page that others may read: without the options that `command_line` repeats, which
    name an index, its host and its folder."""
    return " ".join([program_name(), *map(quoted, words)])


def with_interpreter(command: str) -> str:
    """A result of `command_line`, with `python` before a script that no search path has, for who never typed it."""
    return f"python {command}" if command.startswith("manage.py") else command


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
    """The text, with `***` in place of the password in every address in it; of a camera also in place of the user."""
    return _PASSWORDS.sub(r"\1***", _USERS.sub(_hidden_user, text))


def without_secrets_of(address: str) -> str:
    """One address, which is all of the text, with `***` in place of the password and of the query.

    More than the password is hidden where it is not clear what the password is.
    """
    scheme, mark, rest = address.partition("://")
    user, sign, place = rest.rpartition("@")
    host, question, _ = place.partition("?")
    shown_user = ""
    if sign and scheme.lower() not in _OF_CAMERAS:
        name, colon, _ = user.partition(":")
        shown_user = f"{name}{':***' if colon else ''}@" if not set("/?") & set(name) else "***@"
    elif sign:
        shown_user = "***@"
    return f"{scheme}{mark}{shown_user}{host}{'?***' if question else ''}"


def _hidden_user(match: re.Match[str]) -> str:
    scheme = match["scheme"]
    user, colon, _ = (match["user"], ":", "") if match["other"] is None else match["other"].partition(":")
    if scheme.lower() in _OF_CAMERAS:
        return f"{scheme}://***"
    return f"{scheme}://{user}{':***' if colon else ''}"
