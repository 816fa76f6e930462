"""What one map says to the workers of a cluster, and what it hears: plain facts, whatever the cluster is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from indexer.execution.errands import Outcome


@dataclass(frozen=True)
class Present:
    """Workers that are there, with their threads."""

    threads: Mapping[str, int]


@dataclass(frozen=True)
class Gone:
    """A worker that takes no more tasks; `leaving`: it was sent home or is paused, and not killed; `shared`: it
    had tasks of others, too, one of which may be the reason."""

    worker: str
    leaving: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Answered:
    """What became of a task."""

    key: str
    outcome: Outcome


@dataclass(frozen=True)
class Ended:
    """Nothing more will come of any task, and why."""

    reason: str


Event = Present | Gone | Answered | Ended


class Line(Protocol):
    """The way to the workers for one map."""

    def send(self, worker: str, payload: bytes) -> str:
        """Gives a worker a task: its key."""
        ...

    def forget(self, key: str) -> None:
        """Takes a task back; no answer to it will come, or it does not matter."""
        ...

    def hear(self, patience_s: float) -> Event | None:
        """What happened, in order; None if nothing did in that time."""
        ...
