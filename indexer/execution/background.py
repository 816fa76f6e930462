"""Work that goes on while the process that started it does other things, such as waiting for an executor.

It promises that its descriptor is readable as soon as the work has ended, whatever ended it, and that no signal for
this process is handled by its thread. The work must look itself whether it is over.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")

_JOIN_S = 3.0  # less than what a stopped watch may take in all
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}


class BackgroundWork(Generic[Result]):
    """Work in a thread of its own. `work` is called with a function that says whether it is to end early."""

    def __init__(self, work: Callable[[Callable[[], bool]], Result]) -> None:
        self._work, self._is_over, self._future = work, threading.Event(), Future[Result]()
        self._given_up_s = 0.0
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, daemon=True)
        try:
            self._thread.start()
        except BaseException:
            os.close(self._reader)
            os.close(self._writer)
            raise

    def fileno(self) -> int:
        """The descriptor, which is readable when the work has ended."""
        return self._reader

    @property
    def is_done(self) -> bool:
        """Whether the work has ended."""
        return self._future.done()

    def result(self) -> Result:
        """What the work returned; raises what it raised. It waits until there is one of both."""
        return self._future.result()

    def give_up(self) -> None:
        """Lets the work end early."""
        if not self._is_over.is_set():
            self._given_up_s = time.monotonic()
            self._is_over.set()

    def close(self) -> None:
        """Lets the work end early, and waits until it has, but not longer than a few seconds after it was given up."""
        self.give_up()
        self._thread.join(max(0.0, self._given_up_s + _JOIN_S - time.monotonic()))
        os.close(self._reader)

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # they are for the main thread, which they wake
        try:
            self._future.set_result(self._work(self._is_over.is_set))
        except BaseException as problem:
            self._future.set_exception(problem)
        finally:
            os.close(self._writer)  # its reader sees the end
