"""Why files wait: said once for all files that wait for one reason, and listed when the watch ends."""

from indexer.domain.arrivals import Arrivals
from indexer.escaping import printable
from indexer.workflows.runs.notices import Notices
from indexer.workflows.watch.outcomes import kind_of

_MAX_LISTED = 100
_MANY_CLOSES = 10


class WaitReasons:
    """The reasons of at most a hundred files that wait, by path."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._reasons: dict[str, str] = {}

    def note(self, path: str, reason: str) -> None:
        """Notes why a file waits; says so if it is not because it is unfinished, for which the reason is empty."""
        if reason:
            self._notices.begin(kind_of(reason), f"{printable(path)} waits, and is tried again: {reason}")
        if path in self._reasons or len(self._reasons) < _MAX_LISTED:
            self._reasons[path] = reason or "it is not whole yet"

    def end(self, path: str, *, closes: int) -> None:
        """Notes that a file was taken in, which was closed so often since it was taken in before."""
        if reason := self._reasons.pop(path, None):
            self._notices.end(kind_of(reason), f"{printable(path)} was taken in now")
        if closes > _MANY_CLOSES:
            advice = "give the camera a time in its names"
            self._notices.say(path, f"{printable(path)} was written {closes} times before it was read; {advice}")

    def forget_gone(self, waiting: Arrivals) -> None:
        """Forgets the files that wait no more, as they are gone; says so if no other waits for such a reason."""
        for path in [path for path in self._reasons if path not in waiting]:
            kind = kind_of(self._reasons.pop(path))
            if kind not in map(kind_of, self._reasons.values()):
                self._notices.end(kind, f"{printable(path)} is gone")

    def list_items(self, waiting: Arrivals, in_hand: list[str]) -> list[tuple[str, str]]:
        """Path and reason of those of these files that wait; `in_hand`: videos that were being read."""
        reasons = self._reasons | dict.fromkeys(in_hand[:_MAX_LISTED], "it was being read")
        return [item for item in reasons.items() if item[0] in waiting]
