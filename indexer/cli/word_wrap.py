"""Sentences for a terminal: broken between words, never inside a command that a person may paste.

A terminal by itself breaks a long line at its edge, in the middle of a word. A command that is longer than a line is
left to it: a line end within a command would be typed as Enter. It imports nothing that is slow to load.
"""

import re
from unicodedata import combining, east_asian_width

from indexer.escaping import program_name


def wrap_words(text: str, width: int) -> str:
    """The text in lines of at most `width` cells of a terminal; a line that goes on is indented as it began."""
    return "\n".join(part for line in text.split("\n") for part in _wrap_line(line, width))


def _wrap_line(line: str, width: int) -> list[str]:
    if cell_count(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")))
    lines, current = list[str](), ""
    end = len(indent)
    for match in _units().finditer(line):
        gap = line[end : match.start()] if current else indent
        end = match.end()
        if current and cell_count(current + gap + match[0]) > width:
            lines.append(current)
            current = indent + match[0]
        else:
            current += gap + match[0]
    return [*lines, current]


def _units() -> re.Pattern[str]:
    """What is never broken: a command of this program up to its end, or a word."""
    return re.compile(rf"(?:python )?{re.escape(program_name())} .*?(?=   |$)|\S+")


def cell_count(text: str) -> int:
    """How many cells of a terminal a text takes: wide signs take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
