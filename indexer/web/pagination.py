"""How much fits on a page, decided before anything is rendered, so that any page can link to any other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_PART_MEMBERS = 400
"""Duplicates of one keeper that stand together on a page; more go on after it."""

_PAGE_BYTES = 800_000
_HEAD_BYTES, _MEMBER_BYTES = 4_000, 800  # at most, in a strip, where names are shortened
_PAIR_BYTES, _PATH_CHAR_BYTES = 6_000, 24  # at most, of a pair; a sign of a path is on it twice, and may be escaped
_CARD_BYTES = 5_200


@dataclass(frozen=True)
class GroupPart:
    """A keeper with all or some of its duplicates, by their places in the list that was divided.

    `start` counts those on earlier parts.
    """

    head: int
    members: tuple[int, ...]
    start: int
    total: int


def divide_groups(groups: Iterable[tuple[int, Sequence[int]]]) -> Iterator[GroupPart]:
    """The parts of families, given as head and members; a family larger than `MAX_PART_MEMBERS` has several."""
    for head, members in groups:
        for start in range(0, max(1, len(members)), MAX_PART_MEMBERS):
            yield GroupPart(head, tuple(members[start : start + MAX_PART_MEMBERS]), start, len(members))


def strip_pages(parts: Iterable[GroupPart]) -> list[list[GroupPart]]:
    """Families on pages of a strip."""
    listed = list(parts)
    ranges = paginate(_HEAD_BYTES + _MEMBER_BYTES * len(part.members) for part in listed)
    return [listed[page.start : page.stop] for page in ranges]


def pair_pages(path_lengths: Iterable[int]) -> list[range]:
    """Pairs on pages, as ranges of their places; given are the lengths of the paths of each pair together."""
    return paginate(_PAIR_BYTES + _PATH_CHAR_BYTES * path_length for path_length in path_lengths)


def card_pages(count: int) -> list[range]:
    """Cameras on pages of the overview, as ranges of their places."""
    return paginate(_CARD_BYTES for _ in range(count))


def paginate(sizes_bytes: Iterable[int], *, max_bytes: int = _PAGE_BYTES) -> list[range]:
    """Consecutive ranges whose sizes add up to at most so much, or that hold one item alone."""
    pages, start, page_bytes, index = list[range](), 0, 0, -1
    for index, size_bytes in enumerate(sizes_bytes):
        if index > start and page_bytes + size_bytes > max_bytes:
            pages.append(range(start, index))
            start, page_bytes = index, 0
        page_bytes += size_bytes
    return [*pages, range(start, index + 1)] if index >= start else pages
