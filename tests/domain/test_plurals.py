"""Numbers with their nouns; and no sentence of the program that counts by itself."""

import re
from pathlib import Path

import pytest

from indexer.domain.plurals import counted

NOUNS = "files|images|cameras|rows|runs|removals|pairs|labels|verdicts|names|lines|problems|folders|pages"
COUNTS_BY_ITSELF = re.compile(rf"""["'{{ ]\{{(?!counted)[^{{}}]*\}} (?:{NOUNS})\b""")
ALLOWED = ("at a time", "other", "of {", "more than", "longer than", "limit", "the first")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 files are"), (1, "1 file is"), (2, "2 files are"), (1000, "1000 files are")]
)
def test_counted(number: int, words: str) -> None:
    """One is singular, every other number is plural, with the verb."""
    assert counted(number, "file is", "files are") == words


def test_an_s_is_added() -> None:
    """Without a plural of its own a noun gets an s."""
    assert (counted(1, "row"), counted(3, "row")) == ("1 row", "3 rows")


def test_reports_count_with_it() -> None:
    """No report puts a number before a plural by itself."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((Path(__file__).parents[2] / "indexer" / "cli").rglob("*.py"))
        for line in path.read_text().splitlines()
        if COUNTS_BY_ITSELF.search(line)
    ]
    assert [line for line in found if not any(words in line for words in ALLOWED)] == []
