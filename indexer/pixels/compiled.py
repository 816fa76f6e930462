"""Where the machine code of the kernel is kept between runs, and how it is loaded: once a process, when it has met
enough pairs to earn the second that this takes.

Decision: a folder named after the kernel's source. Numba asks only whether the file of the outermost function has
changed, and would go on with the machine code of an older `indexer.pixels.bits`.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SOURCES = ("bits.py", "components.py", "kernel.py")


def load_search() -> Callable[..., Any] | None:
    """`indexer.pixels.kernel.search`, or None where there is no numba for this Python or no place for what it makes."""
    try:
        import numba

        numba.config.CACHE_DIR = str(_folder(numba.config.CACHE_DIR))
        from indexer.pixels.kernel import search as found
    except (ImportError, OSError, RuntimeError):
        return None
    search: Callable[..., Any] = found
    return search


def _folder(chosen: str) -> Path:
    """The folder for the machine code: below the one that NUMBA_CACHE_DIR names, else beside the source if that may be
    written, else in the user's cache."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    places = [Path(chosen)] if chosen else [here / "__pycache__", _users_cache() / "indexer"]
    for place in places[:-1]:
        if os.access(place if place.exists() else place.parent, os.W_OK):
            return place / f"kernel-{digest}"
    return places[-1] / f"kernel-{digest}"


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
