"""Sentences on a narrow terminal: broken between words, commands whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.cli.word_wrap import cell_count, wrap_words


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("as long as the line", ["as long as the line"]),
        ("words that do not fit into one line", ["words that do not", "fit into one line"]),
        ("  an indented line that goes on", ["  an indented line", "  that goes on"]),
        ("Next: manage.py prune --dry-run --camera x", ["Next:", "manage.py prune --dry-run --camera x"]),
        ("Undo: python manage.py a --to b", ["Undo:", "python manage.py a --to b"]),
        ("Undo: manage.py a b   Free: manage.py c", ["Undo: manage.py a b", "Free: manage.py c"]),
        ("路路路路路 路路路路路", ["路路路路路", "路路路路路"]),
        ("two\nlines that are long enough", ["two", "lines that are long", "enough"]),
    ],
)
def test_lines_break_between_words(text: str, lines: list[str]) -> None:
    """A line breaks where a word ends, goes on as far in as it began, and a command stays whole."""
    assert wrap_words(text, 20).split("\n") == lines


@given(st.text(alphabet="ab 路\n", max_size=80), st.integers(4, 30))
def test_no_word_is_lost_or_broken(text: str, width: int) -> None:
    """The words are those of the text, in its order, and only a word that is too long makes a line too long."""
    wrapped = wrap_words(text, width)
    assert wrapped.split() == text.split()
    assert all(cell_count(line) <= width or len(line.split()) == 1 for line in wrapped.split("\n") if line.strip())
