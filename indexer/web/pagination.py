"""Divides contents into pages before anything is rendered, so that any page can link to any other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_PART_MEMBERS = 400
"""The largest number of duplicates of one keeper in one part; the others are in further parts."""

_PAGE_BYTES = 800_000
_HEAD_BYTES, _MEMBER_BYTES = 4_000, 800  # upper bounds, in a strip, where names are shortened
_PAIR_BYTES, _PATH_CHAR_BYTES = 6_000, 24  # of a pair; a path character is on it twice and may be escaped
_CARD_BYTES = 5_200


@dataclass(frozen=True)
class GroupPart:
    """A keeper with all or some of its duplicates, as indexes in the list that was divided.

    `start` is the number of its duplicates in earlier parts, `total` that of all its duplicates.
    """

    head: int
    members: tuple[int, ...]
    start: int
    total: int


def divide_groups(groups: Iterable[tuple[int, Sequence[int]]]) -> Iterator[GroupPart]:
    """The parts of groups, given as (head, members), in order.

    A group with more than `MAX_PART_MEMBERS` members has several parts.
    """
    for head, members in groups:
        for start in range(0, max(1, len(members)), MAX_PART_MEMBERS):
            yield GroupPart(head, tuple(members[start : start + MAX_PART_MEMBERS]), start, len(members))


def strip_pages(parts: Iterable[GroupPart]) -> list[list[GroupPart]]:
    """The parts of groups on each page of a strip, in order."""
    listed = list(parts)
    ranges = paginate(_HEAD_BYTES + _MEMBER_BYTES * len(part.members) for part in listed)
    return [listed[page.start : page.stop] for page in ranges]


def pair_pages(path_lengths: Iterable[int]) -> list[range]:
    """The pairs on each page, as ranges of indexes. `path_lengths` has, for each pair, the characters of both paths."""
    return paginate(_PAIR_BYTES + _PATH_CHAR_BYTES * path_length for path_length in path_lengths)


def card_pages(count: int) -> list[range]:
    """The cameras on each page of the overview, as ranges of indexes."""
    return paginate(_CARD_BYTES for _ in range(count))


def paginate(sizes_bytes: Iterable[int], *, max_bytes: int = _PAGE_BYTES) -> list[range]:
    """Consecutive ranges of indexes. The sizes in a range add up to at most `max_bytes`, or it has one larger item."""
    pages, start, page_bytes, index = list[range](), 0, 0, -1
    for index, size_bytes in enumerate(sizes_bytes):
        if index > start and page_bytes + size_bytes > max_bytes:
            pages.append(range(start, index))
            start, page_bytes = index, 0
        page_bytes += size_bytes
    return [*pages, range(start, index + 1)] if index >= start else pages
