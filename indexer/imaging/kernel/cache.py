"""Where the machine code of the kernel is kept between runs, and how it is loaded: half a second, and some seconds
where it must be compiled first.

Decision: a folder named after the kernel's source. Numba asks only whether the file of the outermost function has
changed, and would go on with the machine code of an older `indexer.imaging.kernel.bits`. The folder is closed to
others, and one that somebody else made or may write to is refused: what lies in it is run.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_SOURCES = ("bits.py", "components.py", "llvm.py", "search.py")


def load_search(warm_up: Callable[[Callable[..., Any]], None]) -> Callable[..., Any] | None:
    """`indexer.imaging.kernel.search.search` after `warm_up` has called it once, or None where there is no numba for
    this Python or no place for what it makes."""
    try:
        import numba

        folder = _cache_folder(numba.config.CACHE_DIR)
        _make_private_folder(folder)
        numba.config.CACHE_DIR = str(folder)
        from indexer.imaging.kernel.search import search as compiled_search

        search: Callable[..., Any] = compiled_search
        warm_up(search)
    except (ImportError, OSError, RuntimeError):
        return None
    return search


def _cache_folder(chosen: str) -> Path:
    """The folder for the machine code: below the one that NUMBA_CACHE_DIR names, else beside the source if that may be
    written, else in the user's cache."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    beside = here / "__pycache__"
    if chosen:
        parent = Path(chosen)
    elif os.access(beside if beside.exists() else here, os.W_OK):
        parent = beside
    else:
        parent = _users_cache() / "indexer"
    return parent / f"kernel-{digest}"


def _make_private_folder(folder: Path) -> None:
    """Makes the folder, and those above it that are missing, closed to others; raises `OSError` if it is not ours."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with suppress(FileExistsError):
            missing.mkdir(0o700)
    status = folder.lstat()
    trusted = {os.geteuid(), 0, Path(__file__).stat().st_uid}  # who may change the source may change what comes of it
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted or status.st_mode & stat.S_IWOTH:
        raise PermissionError(f"{folder} is not ours")


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
