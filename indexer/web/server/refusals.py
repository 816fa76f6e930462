"""Lines about refused requests, which whoever can send requests can cause: they are shown, and not without bound."""

import time
from collections.abc import Callable

MAX_LINES, PERIOD_S = 20, 60.0


class RefusalLines:
    """Passes lines on to `show`: at most `MAX_LINES` in `PERIOD_S`, and after that how many more there were."""

    def __init__(self, show: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock = show, clock
        self._since = clock()
        self._shown = self._more = 0

    def __call__(self, line: str) -> None:
        """Shows a line, or counts it."""
        if self._clock() - self._since >= PERIOD_S:
            self.end()
        if self._shown < MAX_LINES:
            self._shown += 1
            self._show(line)
        else:
            self._more += 1

    def end(self) -> None:
        """Shows how many more there were, and begins anew."""
        if self._more:
            self._show(f"{self._more} more requests were refused")
        self._since, self._shown, self._more = self._clock(), 0, 0
