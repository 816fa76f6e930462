"""Where the machine code of the kernel is kept between runs, and how it is loaded: half a second, and some seconds
where it must be compiled first.

Decision: a folder named after the kernel's source. Numba asks only whether the file of the outermost function has
changed, and would go on with the machine code of an older `indexer.pixels.bits`.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SOURCES = ("bits.py", "components.py", "kernel.py")


def load_search(warm_up: Callable[[Callable[..., Any]], None]) -> Callable[..., Any] | None:
    """`indexer.pixels.kernel.search` after `warm_up` has called it once, or None where there is no numba for this
    Python or no place for what it makes."""
    try:
        import numba

        numba.config.CACHE_DIR = str(_folder(numba.config.CACHE_DIR))
        from indexer.pixels.kernel import search as found

        search: Callable[..., Any] = found
        warm_up(search)
    except (ImportError, OSError, RuntimeError):
        return None
    return search


def _folder(chosen: str) -> Path:
    """The folder for the machine code: below the one that NUMBA_CACHE_DIR names, else beside the source if that may be
    written, else in the user's cache."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    beside = here / "__pycache__"
    if chosen:
        place = Path(chosen)
    elif os.access(beside if beside.exists() else here, os.W_OK):
        place = beside
    else:
        place = _users_cache() / "indexer"
    return place / f"kernel-{digest}"


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
