"""The server process that forks workers, and what each forked worker does first; for the process pool and the guard.

It promises that

- workers do not inherit the threads and locks of this process;
- Ctrl-C does not reach them; and
- they end with this process.

It does not know what the workers do.
"""

import gc
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

_STARTING = threading.Lock()


def start_forkserver(modules: Sequence[str]) -> None:
    """Starts the process that forks workers, if there is none; it then imports `modules`, once for all workers.

    SIGINT and SIGTERM are blocked in it from the start, because a terminal sends Ctrl-C, and a service manager SIGTERM,
    to the whole process group. Several threads may call it at once.
    """
    with _STARTING:  # the environment and the list of modules are those of the whole process
        forkserver.set_forkserver_preload(list(modules))
        resource_tracker.ensure_running()  # first, because it unblocks both again
        with _blocked(signal.SIGINT, signal.SIGTERM), _same_import_path():
            forkserver.ensure_running()


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Blocks SIGINT for processes that are started in the block: a terminal sends Ctrl-C to all, but only this process
    must react."""
    with _blocked(signal.SIGINT):
        yield


@contextmanager
def _blocked(*numbers: signal.Signals) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set(numbers))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _same_import_path() -> Iterator[None]:
    """Gives a new process the import path of this one, and keeps the current folder out of it.

    Up to Python 3.11 at least, the server takes its path only from the environment.
    """
    variables = {"PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def follow_parent() -> None:
    """Makes a worker ignore Ctrl-C and end with its parent, also in the middle of work that never ends.

    SIGTERM ends it, unless it ignores that signal already: a pool ends its workers so.
    """
    gc.freeze()  # objects of the libraries are never garbage, and scanning them took a third of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def limit_memory(memory_bytes: int | None) -> None:
    """Lets the address space of this worker grow by `memory_bytes`; None does not limit it.

    The limit is set once, with the first item: by then the libraries are loaded, which on a machine with many cores
    reserve gigabytes that they never use.
    """
    if memory_bytes is not None and resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        limit = address_space_bytes() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def address_space_bytes() -> int:
    """The size of the address space of this process; 0 if the system does not tell."""
    return _memory_pages("self")[0] * resource.getpagesize()


def resident_bytes(process_id: int | None) -> int:
    """The memory of a process that is not paged out; 0 if the system does not tell."""
    return _memory_pages(str(process_id))[1] * resource.getpagesize()


def _memory_pages(process: str) -> tuple[int, int]:
    """The pages of a process: all, and the resident ones."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0, 0
    return int(pages[0]), int(pages[1])


def describe_exit(exit_code: int | None) -> str:
    """How a process ended: by which signal, or with which exit code."""
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {signal.Signals(-exit_code).name}"
