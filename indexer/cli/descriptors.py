"""How many files this process may open: checked before a command begins, so that none fails in the middle.

It promises that the soft limit is raised if the hard limit allows it, and else an error of one sentence.
"""

import os
import resource

from indexer.errors import LimitError

FOR_A_COMMAND = 40
"""Descriptors that a command opens at the same time, at most 17 measured, with some to spare."""
FOR_A_PROCESS, FOR_A_CLUSTER_WORKER = 4, 16
"""Descriptors that each worker adds: 3.6 measured in `report`, whose two pools overlap; sockets of a Dask worker."""


def require_descriptors(number: int) -> None:
    """Makes sure that this process may open `number` more files; raises `LimitError` if it may not."""
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
    """The number of open files; the soft limit if no descriptor is left to count them with."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # one of them is the listing itself
    except FileNotFoundError:
        return 3
    except OSError:
        return soft
