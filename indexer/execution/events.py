"""What one map says to the workers of a cluster, and what it hears: plain facts, whatever the cluster is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from indexer.execution.errands import TaskOutcome


@dataclass(frozen=True)
class WorkersPresent:
    """Workers that are there, with their threads."""

    threads: Mapping[str, int]


@dataclass(frozen=True)
class WorkerLost:
    """A worker that takes no more tasks; `leaving`: it was sent home or is paused, and not killed; `shared`: it
    had tasks of others, too, one of which may be the reason."""

    worker: str
    graceful: bool = False
    had_foreign_tasks: bool = False


@dataclass(frozen=True)
class TaskAnswered:
    """What became of a task."""

    key: str
    outcome: TaskOutcome


@dataclass(frozen=True)
class ChannelClosed:
    """Nothing more will come of any task, and why."""

    reason: str


Event = WorkersPresent | WorkerLost | TaskAnswered | ChannelClosed


class TaskChannel(Protocol):
    """The way to the workers for one map."""

    def send(self, worker: str, payload: bytes) -> str:
        """Gives a worker a task: its key."""
        ...

    def cancel(self, key: str) -> None:
        """Takes a task back; no answer to it will come, or it does not matter."""
        ...

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened, in order; None if nothing did in that time."""
        ...
