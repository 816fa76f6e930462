"""The cache of the kernel's machine code between runs. Loading it takes half a second, compiling it some seconds.

Decision 0015: the name of the cache folder contains a digest of the kernel's source.
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
    """`indexer.imaging.kernel.search.search`, after `warm_up` has called it once.

    None if there is no numba for this Python, or no usable folder for its machine code.
    """
    try:
        import numba

        folder = cache_folder(numba.config.CACHE_DIR)
        _make_private_folder(folder)
        numba.config.CACHE_DIR = str(folder)
        from indexer.imaging.kernel.search import search as compiled_search

        search: Callable[..., Any] = compiled_search
        warm_up(search)
    except (ImportError, OSError, RuntimeError):
        return None
    return search


def is_compiled() -> bool:
    """Whether machine code of this kernel was kept by an earlier run; else loading it takes some seconds."""
    return any(cache_folder(os.environ.get("NUMBA_CACHE_DIR", "")).rglob("*.nbc"))


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
        parent = _users_cache() / "indexer"
    return parent / f"kernel-{digest}"


def _make_private_folder(folder: Path) -> None:
    """Makes the folder and its missing parents, closed to other users; raises `OSError` if it cannot be trusted."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with suppress(FileExistsError):
            missing.mkdir(0o700)
    status = folder.lstat()
    trusted = {os.geteuid(), 0, Path(__file__).stat().st_uid}  # who may change the source may change its machine code
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted or status.st_mode & stat.S_IWOTH:
        raise PermissionError(f"{folder} is not ours")


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
