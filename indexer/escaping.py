"""How text of unknown origin is shown: file names, camera names, what a person typed. It loads nothing heavy."""


def printable(text: str) -> str:
    """Text that is safe to show: what does not print (newlines, escapes, direction marks, lone bytes) is escaped."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
