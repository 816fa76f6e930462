"""Numbers with their nouns; and no sentence of the program that counts by itself."""

import re
from pathlib import Path

import pytest

from indexer.domain.plurals import counted

NOUNS = (
    "files|images|cameras|rows|runs|removals|pairs|labels|verdicts|names|lines|problems|folders|pages|thumbnails|"
    "previews|rectangles|keepers|pictures|copies|duplicates|frames|videos|areas"
)
COUNTS_BY_ITSELF = re.compile(rf"""["'{{ ]\{{(?!counted)[^{{}}]*(?<!!r)\}} (?:{NOUNS})\b|\{{["']s["'] if""")
ALLOWED = ("at a time", "other", "of {", "more than", "longer than", "limit", "the first", "names no", "planes of one")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 files are"), (1, "1 file is"), (2, "2 files are"), (1000, "1000 files are")]
)
def test_counted(number: int, words: str) -> None:
    """One is singular, every other number is plural, with the verb."""
    assert counted(number, "file is", "files are") == words


def test_an_s_is_added() -> None:
    """Without a plural of its own a noun gets an s."""
    assert (counted(1, "row"), counted(3, "row")) == ("1 row", "3 rows")


def test_sentences_count_with_it() -> None:
    """No sentence of the program, in a report or an error, puts a number before a plural by itself."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((Path(__file__).parents[2] / "indexer").rglob("*.py"))
        for line in path.read_text().splitlines()
        if COUNTS_BY_ITSELF.search(line)
    ]
    assert [line for line in found if not any(words in line for words in ALLOWED)] == []
