"""What may not leave the door: signs that do not print (`indexer.escaping`), and passwords. It loads nothing heavy."""

import os
import re
import shlex

from indexer.escaping import printable as printable

_PASSWORDS = re.compile(r"""(://[^\s'"/:@]*:)[^\s'"]*(?=@)|([?&]\w*password=)[^\s'"&]*""", re.IGNORECASE)


def shell_word(text: str) -> str:
    """A path or an address as it can be typed into a shell, also one with signs that do not print."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = (
        sign if sign.isprintable() else _bytes_of(sign) for sign in text.replace("\\", "\\\\").replace("'", "\\'")
    )
    return f"$'{''.join(escaped)}'"


def _bytes_of(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(sign))


def without_passwords(text: str) -> str:
    """Text without the passwords of the database addresses in it, wherever it quotes one."""
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}***", text)
