"""How many files this process may open: asked before a command begins, so that none ends in the middle for it.

It promises that the soft limit is raised where the hard one allows it, and one sentence where that is not enough.
"""

import os
import resource

from indexer.errors import LimitError

FOR_A_COMMAND = 40
"""Descriptors that a command opens at the same time, at most 17 measured, with some to spare."""
FOR_A_PROCESS, FOR_A_CLUSTER_WORKER = 4, 16
"""Those that each worker adds: 3.6 measured in `report`, whose two pools overlap; sockets of a Dask worker."""


def require_descriptors(number: int) -> None:
    """Sees to it that this process may open so many files more; raises `LimitError` if it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _count_open(soft) + number
    if _allows(soft, needed):
        return
    if not _allows(hard, needed):
        raise LimitError(
            f"this process may open {hard} files at a time, and needs {needed}; "
            f"type: ulimit -n {max(1024, needed)} (or take fewer workers, if you asked for many)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _allows(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or needed <= limit


def _count_open(soft: int) -> int:
    """Files that are open; all that may be, where none is left to look at them by."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # the last one is what it is looked at by
    except FileNotFoundError:
        return 3
    except OSError:
        return soft
