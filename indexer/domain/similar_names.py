"""Camera names that look the same to a person but are different cameras in an index."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def list_similar_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Sorted groups of names that differ only in letter case or in how accents are written (NFC, NFD)."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        groups[_folded(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _folded(name: str) -> str:
    # Decomposed before and after: some capitals fold into a letter and an accent.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
