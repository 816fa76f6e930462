"""Which paths lie below a folder. Paths are absolute, with slashes; `indexer.store.columns` says the same in SQL."""

from bisect import bisect_left
from collections.abc import Sequence


def lies_below(path: str, folder: str) -> bool:
    """Whether a path lies below a folder; a folder does not lie below itself."""
    prefix = f"{folder.rstrip('/')}/"
    return path.startswith(prefix) and path != prefix


def relocated(path: str, *, old: str, new: str) -> str:
    """The path after the folder `old` became `new`; a path that is not in it stays."""
    return new + path[len(old) :] if lies_at_or_below(path, old) else path


def lies_at_or_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it."""
    return path == folder or lies_below(path, folder)


def list_below(ordered: Sequence[str], folder: str) -> Sequence[str]:
    """Those of sorted paths that lie below a folder; it costs no more than they are many."""
    prefix = f"{folder.rstrip('/')}/"
    start = bisect_left(ordered, prefix)
    below = ordered[start : bisect_left(ordered, f"{prefix[:-1]}0", start)]  # 0 is the sign after the slash
    return below[1:] if below[:1] == [prefix] else below
