"""Delays Ctrl-C where it would leave something half done: a transaction, the move of a file, the start or end of
workers. Lets a command that works without end finish what it has in hand when it is to stop.

It promises that an interrupt that arrives meanwhile is not lost: it is raised when the block ends. It does not know
what is protected.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C until the end of the block, then raises `KeyboardInterrupt`.

    It does nothing in other threads, because Ctrl-C only arrives in the main thread. It also does nothing if Ctrl-C has
    another handler than the usual one or that of `stop_on_signals`.
    """
    arrived = False

    def remember(_number: int, _frame: FrameType | None) -> None:
        nonlocal arrived
        arrived = True

    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield
    elif isinstance(owner := getattr(usual, "__self__", None), StopRequest):
        with owner.delayed():
            yield
    elif usual is not signal.default_int_handler:
        yield
    else:
        signal.signal(signal.SIGINT, remember)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)
            if arrived:
                raise KeyboardInterrupt  # also if the block failed: most often the interrupt was the cause


class StopRequest:
    """Whether a command is to stop, and by which signal; `select` wakes when it is.

    `signal_number`: None as long as it may go on.
    """

    def __init__(self, *, within_s: float) -> None:
        self.signal_number: int | None = None
        self._within_s = within_s
        self._depth, self._is_overdue = 0, False
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """The descriptor, which is readable when the command is to stop."""
        return self._reader

    def close(self) -> None:
        """Ends the waiting for signals."""
        os.close(self._reader)
        os.close(self._writer)

    def ask(self, number: int) -> None:
        """Asks to stop, as if this signal had arrived."""
        self.signal_number = number
        with suppress(OSError):
            os.write(self._writer, b"!")

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        """Handles a signal: the first one asks to stop, a later one, or the end of the time for it, interrupts."""
        if self.signal_number is None:
            self.ask(number)
            signal.setitimer(signal.ITIMER_REAL, self._within_s)
        elif self._depth:
            self._is_overdue = True
        else:
            raise KeyboardInterrupt

    @contextmanager
    def delayed(self) -> Iterator[None]:
        """Delays the interrupt until the end of the block."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._is_overdue and not self._depth:
                self._is_overdue = False
                raise KeyboardInterrupt


@contextmanager
def stop_on_signals(*, within_s: float) -> Iterator[StopRequest]:
    """Until the end of the block, Ctrl-C and SIGTERM ask to stop, and interrupt only after so many seconds more.

    A command that is interrupted after SIGTERM ends with the exit code 0. To be called in the main thread.
    """
    request = StopRequest(within_s=within_s)
    numbers = (*_STOP_SIGNALS, signal.SIGALRM)
    usual = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, request.note)
    try:
        yield request
    except KeyboardInterrupt:
        if request.signal_number != signal.SIGTERM:
            raise
        raise SystemExit(0) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in usual.items():
            signal.signal(number, handler)
        request.close()
