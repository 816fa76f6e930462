"""How text of unknown origin is shown: file names, camera names, what a person typed. It loads nothing heavy."""

import re

_PASSWORDS = re.compile(r"""(://[^\s'"/:@]*:)[^\s'"]*(?=@)|([?&]\w*password=)[^\s'"&]*""", re.IGNORECASE)


def printable(text: str) -> str:
    """Text that is safe to show: what does not print (newlines, escapes, direction marks, lone bytes) is escaped."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def without_passwords(text: str) -> str:
    """Text without the passwords of the database addresses in it, wherever it quotes one."""
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}***", text)
