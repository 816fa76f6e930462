"""What may not leave the door: signs that do not print (`indexer.escaping`), and passwords. It loads nothing heavy."""

import re

from indexer.escaping import printable as printable

_PASSWORDS = re.compile(r"""(://[^\s'"/:@]*:)[^\s'"]*(?=@)|([?&]\w*password=)[^\s'"&]*""", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """Text without the passwords of the database addresses in it, wherever it quotes one."""
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}***", text)
