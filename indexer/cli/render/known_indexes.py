"""How the indexes that a person used read where there is none at the default place."""

from collections.abc import Sequence

from indexer.errors import NoIndexProblem
from indexer.escaping import quoted
from indexer.files.known_indexes import KnownIndex, is_there

_NAMED = 10
_FOLDERS = 3


def with_known(problem: NoIndexProblem, known: Sequence[KnownIndex]) -> NoIndexProblem:
    """The problem that there is no index, with those that are elsewhere, each with what to type."""
    indexes = [index for index in known if is_there(index.address)]
    if not indexes:
        return problem
    more = [f"  and {len(indexes) - _NAMED} more"] if len(indexes) > _NAMED else []
    told = NoIndexProblem(f"{problem}, or go on with the one that was used last: --db {quoted(indexes[0].address)}")
    told.lines = (
        "Indexes that were made before, the last used first (times are UTC):",
        *map(_line, indexes[:_NAMED]),
        *more,
    )
    return told


def _line(index: KnownIndex) -> str:
    more = len(index.folders) - _FOLDERS
    folders = ", ".join([*index.folders[:_FOLDERS], *([f"and {more} more"] if more > 0 else [])])
    used = f"last used {index.last_used:%Y-%m-%d %H:%M:%S}"
    return f"  --db {quoted(index.address)}   {used}   {folders or 'no folder yet'}"
