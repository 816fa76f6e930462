"""Which paths lie below a folder. Paths are absolute, with slashes; `indexer.store.columns` says the same in SQL."""


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
