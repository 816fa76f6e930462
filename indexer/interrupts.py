"""Delays Ctrl-C where it would leave something half done: a transaction, the move of a file, the start or end of
workers.

It promises that an interrupt that arrives meanwhile is not lost: it is raised when the block ends. It does not know
what is protected.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C until the end of the block, then raises `KeyboardInterrupt`.

    Does nothing in other threads, as Ctrl-C only arrives in the main thread, nor where Ctrl-C has another handler.
    """
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
            raise KeyboardInterrupt  # also if the block failed: most often the interrupt was the cause
