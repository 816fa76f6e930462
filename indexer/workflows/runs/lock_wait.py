"""How long a command waits for the writer lock that another command has.

A batch of a long run waits as long as it takes, and reports once whom it waits for. Any other command is refused at
once, unless the holder is a batch of a long run, which releases the lock soon.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TypeVar

from indexer.errors import IndexInUseError

Entered = TypeVar("Entered")
_ASKED_EACH_S = 0.2
_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_BATCH_PAUSE_S = 0.05
"""The longest pause while the holder is a long run: one with much to do has the lock again a moment later."""


def _report_nothing(_holder: str) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class LockWait:
    """How long to wait for the lock of an index that another command has.

    `limit_s`: so many seconds; None: as long as it takes. `batch_limit_s`: the same, where a long run has the lock for
    a batch of its work. `on_wait` is called once for each holder that is waited for longer than a second, with the text
    for it. `pauses_s`: between two attempts, or less for a batch; the last is repeated. `is_over`: asked several times
    a second; True ends the waiting before its limit, as where the command is to stop.
    """

    limit_s: float | None = 0.0
    batch_limit_s: float | None = 10.0
    on_wait: Callable[[str], None] = _report_nothing
    pauses_s: tuple[float, ...] = _PAUSES_S
    is_over: Callable[[], bool] | None = None

    def enter(self, stack: ExitStack, make: Callable[[], AbstractContextManager[Entered]]) -> Entered:
        """Enters the context of a lock on `stack` and returns what it gives.

        Raises `IndexInUseError` if the lock was not free within the limit, or until `is_over`.
        """
        start_s, attempts, reported = time.monotonic(), 0, set[str]()
        while True:
            pause_s = self.pauses_s[min(attempts, len(self.pauses_s) - 1)]
            try:
                return stack.enter_context(make())
            except IndexInUseError as problem:
                pause_s = min(pause_s, _BATCH_PAUSE_S) if problem.is_batch else pause_s
                limit_s = self.batch_limit_s if problem.is_batch else self.limit_s
                waited_s = time.monotonic() - start_s
                if (limit_s is not None and waited_s >= limit_s) or (self.is_over is not None and self.is_over()):
                    raise
                if waited_s > 1.0 and problem.holder not in reported:
                    reported.add(problem.holder)
                    self.on_wait(problem.holder)
            self._sleep(pause_s)
            attempts += 1

    def _sleep(self, pause_s: float) -> None:
        """Waits; not longer than until `is_over`."""
        end_s = time.monotonic() + pause_s
        while (left_s := end_s - time.monotonic()) > 0 and not (self.is_over is not None and self.is_over()):
            time.sleep(left_s if self.is_over is None else min(left_s, _ASKED_EACH_S))


FOREVER = LockWait(limit_s=None, batch_limit_s=None)
"""As long as it takes."""
