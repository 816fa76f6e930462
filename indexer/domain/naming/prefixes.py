"""Names of one folder that number the same things in other letters: ``IMG_0001.JPG`` beside ``PICT0001.JPG``.

Cameras count from 1 on, and each writes letters of its own. So two cards that were copied into one folder have the same
numbers behind other letters, in another case, or before another extension. Where names have times nothing is to be seen
here: these tell more. Words that are cameras by themselves are left to `indexer.domain.naming.series`.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from indexer.domain.naming.columns import Column
from indexer.domain.naming.reading import find_time
from indexer.domain.naming.series import word_of

_NUMBER = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DERIVED = re.compile(
    r"thumb|preview|cop(?:y|ie|ia)|kopie|analyse|mask|small|resized|edited|annotated|(?-i:IMG_E)", re.IGNORECASE
)
"""Words of files that were made of others."""
_SINGLE_LETTER = re.compile(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
_AS_VALUE = r"<\g<0>>"
_MIN_SHARED = 2
"""So many numbers show that two spellings count the same things; one may be chance."""

_Spelling = tuple[str, str]
"""A name with ``*`` for each number, and its extension."""


def find_prefix_column(paths: Iterable[str]) -> Column | None:
    """The spellings of names that number the same things in one folder, as a column; None if there are not two."""
    by_numbers: dict[tuple[str, tuple[str, ...]], dict[_Spelling, str]] = defaultdict(dict)
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem, extension = os.path.splitext(name)
        numbers = tuple(_NUMBER.findall(stem))
        if numbers:
            by_numbers[folder, numbers][_NUMBER.sub("*", stem), extension] = path
    counts: Counter[_Spelling] = Counter()
    for spellings in by_numbers.values():
        if len(spellings) > 1:
            counts.update(_list_competing(spellings))
    shared = sorted(spelling for spelling, count in counts.items() if count >= _MIN_SHARED)
    return Column(tuple(sorted(map(_label, shared))), at_once=True) if len(shared) > 1 else None


def _list_competing(spellings: dict[_Spelling, str]) -> Iterable[_Spelling]:
    """Those of the spellings of the same numbers that may be of two cameras; each with a path that has it."""
    words = {
        spelling: word_of(path)
        for spelling, path in spellings.items()
        if _DERIVED.search(spelling[0]) is None and find_time(path) is None
    }
    if len({(_SINGLE_LETTER.sub("?", stem), extension) for stem, extension in words}) < len(words):
        return []  # columns tell these
    is_any_wordless = not all(words.values())
    return [one for one, word in words.items() if len(words) > 1 and (not word or is_any_wordless)]


def _label(spelling: _Spelling) -> str:
    """The label of a spelling, made of it alone: with all its letters, and the extension, as the value."""
    stem, extension = spelling
    return f"{_LETTERS.sub(_AS_VALUE, stem)}.<{extension.removeprefix('.')}>"
