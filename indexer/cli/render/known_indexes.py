"""The indexes that a person used, as text for the error that there is none at the default path."""

from collections.abc import Sequence

from indexer.errors import NoIndexError
from indexer.escaping import quoted
from indexer.files.known_indexes import KnownIndex, index_exists

_MAX_LISTED = 10
_MAX_FOLDERS = 3


def name_known_indexes(problem: NoIndexError, known: Sequence[KnownIndex]) -> NoIndexError:
    """The error that there is no index, extended by those that exist elsewhere, each with what to type."""
    indexes = [index for index in known if index_exists(index.address)]
    if not indexes:
        return problem
    more = [f"  and {len(indexes) - _MAX_LISTED} more"] if len(indexes) > _MAX_LISTED else []
    extended = NoIndexError(f"{problem}, or go on with the one that was used last: --db {quoted(indexes[0].address)}")
    extended.lines = (
        "Indexes that were made before, the last used first (times are UTC):",
        *map(_line, indexes[:_MAX_LISTED]),
        *more,
    )
    return extended


def _line(index: KnownIndex) -> str:
    more = len(index.folders) - _MAX_FOLDERS
    folders = ", ".join([*index.folders[:_MAX_FOLDERS], *([f"and {more} more"] if more > 0 else [])])
    used = f"last used {index.last_used:%Y-%m-%d %H:%M:%S}"
    return f"  --db {quoted(index.address)}   {used}   {folders or 'no folder yet'}"
