"""The cache of the kernel's machine code between runs. Loading it takes half a second, compiling it some seconds.

Decision 0015: the name of the cache folder contains a digest of the kernel's source.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer.imaging.private_cache import make_private_folder, users_cache

WarmUp = Callable[[Callable[..., Any]], None]
"""Calls a compiled function once."""

_SOURCES = ("bits.py", "components.py", "distances.py", "llvm.py", "search.py")


def load_search(warm_up: WarmUp) -> Callable[..., Any] | None:
    """`indexer.imaging.kernel.search.search`, after `warm_up` has called it once.

    None if there is no numba for this Python, or no usable folder for its machine code.
    """

    def imported() -> Callable[..., Any]:
        from indexer.imaging.kernel.search import search

        return search  # type: ignore[no-any-return]

    return _load(imported, warm_up)


def load_distances(warm_up: WarmUp) -> Callable[..., Any] | None:
    """`indexer.imaging.kernel.distances.distances`, as `load_search`."""

    def imported() -> Callable[..., Any]:
        from indexer.imaging.kernel.distances import distances

        return distances  # type: ignore[no-any-return]

    return _load(imported, warm_up)


def _load(imported: Callable[[], Callable[..., Any]], warm_up: WarmUp) -> Callable[..., Any] | None:
    try:
        import numba

        folder = cache_folder(numba.config.CACHE_DIR)
        make_private_folder(folder)
        numba.config.CACHE_DIR = str(folder)
        compiled = imported()
        warm_up(compiled)
    except (ImportError, OSError, RuntimeError):
        return None
    return compiled


def is_compiled() -> bool:
    """Whether machine code of this kernel was kept by an earlier run; else loading it takes some seconds."""
    return any(cache_folder(os.environ.get("NUMBA_CACHE_DIR", "")).rglob("*.nbc"))


def cache_folder(chosen: str) -> Path:
    """The folder for the machine code.

    It is in the folder `chosen` (NUMBA_CACHE_DIR), else beside the source if that is writable, else in the user's
    cache. If it is `chosen` itself, as after the first function was loaded, it stays that.
    """
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    beside = here / "__pycache__"
    name = f"kernel-{digest}"
    if chosen:
        parent = Path(chosen).parent if Path(chosen).name == name else Path(chosen)
    elif os.access(beside if beside.exists() else here, os.W_OK):
        parent = beside
    else:
        parent = users_cache() / "indexer"
    return parent / name
