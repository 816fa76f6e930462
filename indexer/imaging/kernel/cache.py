"""The functions of the kernel, ready to be called, and the folder in which their machine code is stored.

Decision 0015: the name of the cache folder contains a digest of the kernel's source.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from indexer.imaging.kernel import machine_code
from indexer.imaging.kernel.calls import ContrastCall, DistancesCall, SearchCall
from indexer.imaging.kernel.machine_code import load
from indexer.imaging.private_cache import users_cache

Call = TypeVar("Call")

_SOURCES = (
    "bits.py",
    "components.py",
    "contrast.py",
    "distances.py",
    "entry_points.py",
    "llvm.py",
    "machine_code.py",
    "search.py",
)
_NEEDED = ("search", "contrast")  # by all profiles but few


def load_search() -> SearchCall | None:
    """The search, compiled if necessary; None without numba, or without a usable folder for its machine code."""
    return _load("search", SearchCall)


def load_distances() -> DistancesCall | None:
    """The distances of features, as `load_search`."""
    return _load("distances", DistancesCall)


def load_contrast(*, compiles: bool) -> ContrastCall | None:
    """The local contrast, as `load_search`; without `compiles` None if its machine code is not stored."""
    return _load("contrast", ContrastCall, compiles=compiles)


def _load(name: str, call: Callable[[int], Call], *, compiles: bool = True) -> Call | None:
    try:
        address = load(name, folder=cache_folder(os.environ.get("NUMBA_CACHE_DIR", "")), compiles=compiles)
    except (ImportError, OSError, RuntimeError):
        return None
    return None if address is None else call(address)


def is_compiled() -> bool:
    """Whether the machine code that most profiles need was stored by an earlier run; else it takes some seconds."""
    return all(map(is_stored, _NEEDED))


def is_stored(name: str) -> bool:
    """Whether machine code of one function is stored for this machine: `search`, `distances` or `contrast`."""
    try:
        return machine_code.is_stored(name, folder=cache_folder(os.environ.get("NUMBA_CACHE_DIR", "")))
    except (ImportError, OSError, RuntimeError):
        return False


def cache_folder(chosen: str) -> Path:
    """The folder for the machine code.

    It is in the folder `chosen` (NUMBA_CACHE_DIR), else beside the source if that is writable, else in the user's
    cache.
    """
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    beside = here / "__pycache__"
    if chosen:
        parent = Path(chosen)
    elif os.access(beside if beside.exists() else here, os.W_OK):
        parent = beside
    else:
        parent = users_cache() / "indexer"
    return parent / f"kernel-{digest}"
