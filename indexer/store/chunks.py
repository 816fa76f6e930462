"""Long lists of values, a few hundred at a time: a statement takes a bounded number of them."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_LENGTH = 500  # SQLite takes up to 32 766 bound values, older builds 999


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in order, at most so many at a time."""
    for start in range(0, len(values), _LENGTH):
        yield values[start : start + _LENGTH]
