"""Ctrl-C, kept out of where it would tear something: a transaction, one file on its way, the start or end of workers.

It promises that an interrupt that comes meanwhile is not lost: it is raised when the block ends. It knows nothing of
what is protected.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the block. Nothing to do where it would not arrive: in other threads."""
    arrived = False

    def remember(_number: int, _frame: FrameType | None) -> None:
        nonlocal arrived
        arrived = True

    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if arrived:
            raise KeyboardInterrupt  # also where the block failed: most often it failed of the interrupt
