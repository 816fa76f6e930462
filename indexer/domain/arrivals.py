"""Which of the files that arrive are complete, and in which order they are taken in.

It promises that no file is given out before it was closed, or looked the same for long enough; that a file which is
put back is given out again, for ever; and that the files of one folder never keep those of another waiting. Time is
that of a clock that never steps: seconds, as an argument. It opens nothing: what a file looks like, the caller says.

Decision 0048: events wake, and the folder is the truth.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

MAX_PATHS = 1_000_000
_RETRIES_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_GIVEN_OUT = -1
"""The entry of a file that is in no queue."""

Signature = tuple[int, int]
"""What shows that a file changed: its size in bytes, and its modification time in nanoseconds."""


@dataclass(frozen=True)
class ArrivalTimes:
    """How long to wait, in seconds.

    `settle_s`: if nobody saw that a file was closed, it must look the same for so long. `grace_s`: the same for a file
    that is still open, that has the name of an unfinished file, or that is of a kind which is written slowly. A file
    that cannot be read whole counts as unfinished for so long. `retries_s`: between two attempts; the last one is
    repeated.
    """

    settle_s: float = 2.0
    grace_s: float = 60.0
    retries_s: tuple[float, ...] = _RETRIES_S


@dataclass(slots=True)
class _Arrival:
    """A file that waits. `is_open`: it was made here and not closed since. `entry`: its only valid place in a queue."""

    folder: str
    unchanged_since_s: float
    signature: Signature | None = None
    is_closed: bool = False
    is_open: bool = False
    is_slow: bool = False
    is_refused: bool = False
    attempts: int = 0
    closes: int = 0
    entry: int = _GIVEN_OUT


class Arrivals:
    """The files that wait until they are complete.

    `is_incomplete`: there were more than `max_paths`, and some were not noted; the folders must be looked at again.
    """

    def __init__(self, times: ArrivalTimes, *, max_paths: int = MAX_PATHS) -> None:
        self._times, self._max_paths = times, max_paths
        self._waiting: dict[str, _Arrival] = {}
        self._later: list[tuple[float, int, str]] = []
        self._due: OrderedDict[str, deque[tuple[int, str]]] = OrderedDict()
        self._numbers = count()
        self.is_incomplete = False

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, path: str) -> bool:
        return path in self._waiting

    @property
    def has_unfinished(self) -> bool:
        """Whether a file waits that was not refused for another reason than that it is unfinished."""
        return any(not arrival.is_refused for arrival in self._waiting.values())

    def note_created(self, path: str, *, folder: str, now_s: float, is_slow: bool = False) -> None:
        """Notes that a file was made, and is open."""
        arrival = self._get_or_add(path, folder, now_s=now_s, is_slow=is_slow)
        if arrival is not None:
            arrival.is_open, arrival.is_closed = True, False
            arrival.signature, arrival.unchanged_since_s = None, now_s
            self._schedule(path, arrival, now_s + self._times.settle_s)  # the first look, from which on it is still

    def note_closed(self, path: str, *, folder: str, now_s: float, is_slow: bool = False) -> None:
        """Notes that a file was closed after it was written, or got its name; `is_slow`: it may be unfinished still."""
        arrival = self._get_or_add(path, folder, now_s=now_s, is_slow=is_slow)
        if arrival is not None:
            arrival.is_open, arrival.is_closed, arrival.is_slow = False, not is_slow, is_slow
            arrival.is_refused, arrival.closes = False, arrival.closes + 1
            arrival.signature, arrival.unchanged_since_s = None, now_s
            self._schedule(path, arrival, now_s)

    def note_seen(
        self,
        path: str,
        signature: Signature,
        *,
        folder: str,
        now_s: float,
        still_s: float = 0.0,
        is_slow: bool = False,
    ) -> None:
        """Notes what a file looks like that was found in its folder; `still_s`: so long it certainly did not change."""
        is_new = path not in self._waiting
        arrival = self._get_or_add(path, folder, now_s=now_s, is_slow=is_slow)
        if arrival is None or (not is_new and arrival.signature in {None, signature}):
            return
        _observe(arrival, signature, now_s=now_s)
        arrival.unchanged_since_s -= still_s if is_new else 0.0
        self._schedule(path, arrival, max(now_s, arrival.unchanged_since_s + self._wait_s(arrival)))

    def note_gone(self, path: str) -> None:
        """Notes that there is no file at a path any more."""
        self._waiting.pop(path, None)

    def iter_due(self, *, now_s: float) -> Iterator[str]:
        """The paths whose turn it is, each once: a folder after the other, within a folder the longest due first.

        Each must be given to `check` before the next one is asked for.
        """
        while self._later and self._later[0][0] <= now_s:
            _, entry, path = heapq.heappop(self._later)
            arrival = self._waiting.get(path)
            if arrival is not None and arrival.entry == entry:
                self._due.setdefault(arrival.folder, deque()).append((entry, path))
        while self._due:
            folder, queue = next(iter(self._due.items()))
            entry, path = queue.popleft()
            if queue:
                self._due.move_to_end(folder)
            else:
                del self._due[folder]
            arrival = self._waiting.get(path)
            if arrival is not None and arrival.entry == entry:
                yield path

    def check(self, path: str, signature: Signature | None, *, now_s: float) -> bool:
        """Whether the file is complete, by what it looks like now; None: it is gone. If not, its turn comes again.

        A complete file waits no more until `put_back`, or until it changes, and is forgotten by `finish`.
        """
        arrival = self._waiting[path]
        if signature is None:
            del self._waiting[path]
            return False
        _observe(arrival, signature, now_s=now_s)
        complete_s = arrival.unchanged_since_s + self._wait_s(arrival)
        if now_s >= complete_s:
            arrival.entry = _GIVEN_OUT
            return True
        self._schedule(path, arrival, complete_s)
        return False

    def is_young(self, path: str, *, now_s: float) -> bool:
        """Whether the file changed so lately that it counts as unfinished if it cannot be read whole."""
        arrival = self._waiting.get(path)
        return arrival is None or now_s - arrival.unchanged_since_s < self._times.grace_s

    def finish(self, path: str) -> int:
        """Forgets a file that was taken in; returns how often it was closed before.

        One that was reported again since it was given out is not forgotten: it waits as it is now.
        """
        arrival = self._waiting.get(path)
        if arrival is None or arrival.entry != _GIVEN_OUT:
            return 0
        del self._waiting[path]
        return arrival.closes

    def put_back(self, path: str, *, now_s: float, is_refused: bool = False) -> None:
        """Lets a file wait again that could not be taken in; `is_refused`: not because it is unfinished."""
        arrival = self._waiting.get(path)
        if arrival is not None:
            pause_s = self._times.retries_s[min(arrival.attempts, len(self._times.retries_s) - 1)]
            arrival.attempts, arrival.is_refused = arrival.attempts + 1, is_refused
            self._schedule(path, arrival, now_s + pause_s)

    def postpone(self, path: str, *, now_s: float) -> None:
        """Lets a file wait again that was not tried."""
        arrival = self._waiting.get(path)
        if arrival is not None:
            self._schedule(path, arrival, now_s)

    @property
    def next_due_s(self) -> float | None:
        """When the next file is due, or was; None if none waits."""
        if self._due:
            return float("-inf")
        while self._later:
            at_s, entry, path = self._later[0]
            arrival = self._waiting.get(path)
            if arrival is not None and arrival.entry == entry:
                return at_s
            heapq.heappop(self._later)
        return None

    def _wait_s(self, arrival: _Arrival) -> float:
        if arrival.is_closed:
            return 0.0
        return self._times.grace_s if arrival.is_open or arrival.is_slow else self._times.settle_s

    def _get_or_add(self, path: str, folder: str, *, now_s: float, is_slow: bool) -> _Arrival | None:
        arrival = self._waiting.get(path)
        if arrival is None and len(self._waiting) >= self._max_paths:
            self.is_incomplete = True
        elif arrival is None:
            arrival = self._waiting[path] = _Arrival(folder, now_s, is_slow=is_slow)
        return arrival

    def _schedule(self, path: str, arrival: _Arrival, at_s: float) -> None:
        arrival.entry = next(self._numbers)
        heapq.heappush(self._later, (at_s, arrival.entry, path))


def _observe(arrival: _Arrival, signature: Signature, *, now_s: float) -> None:
    """Notes what a file looks like. One that changed after it was closed is being written again."""
    if arrival.signature is None:
        arrival.signature = signature
        if not arrival.is_closed:
            arrival.unchanged_since_s = now_s  # nobody knows what it looked like before
    elif arrival.signature != signature:
        arrival.signature, arrival.unchanged_since_s, arrival.is_closed = signature, now_s, False
