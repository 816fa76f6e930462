"""The channel between one map and the workers of a cluster, and its events. It does not know the kind of cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from indexer.execution.remote_task import TaskOutcome


@dataclass(frozen=True)
class WorkersPresent:
    """Workers that are present and running, by address, with their numbers of threads."""

    threads: Mapping[str, int]


@dataclass(frozen=True)
class WorkerLost:
    """A worker that takes no more tasks.

    Attributes
    ----------
    worker : str
        Its address.
    graceful : bool
        Whether it was retired or paused, and not killed.
    had_foreign_tasks : bool
        Whether it also had tasks of other clients, one of which may be the reason.
    """

    worker: str
    graceful: bool = False
    had_foreign_tasks: bool = False


@dataclass(frozen=True)
class TaskAnswered:
    """The outcome of a task."""

    key: str
    outcome: TaskOutcome


@dataclass(frozen=True)
class ChannelClosed:
    """The reason why no more events will come."""

    reason: str


Event = WorkersPresent | WorkerLost | TaskAnswered | ChannelClosed


class TaskChannel(Protocol):
    """The channel to the workers for one map."""

    def send(self, worker: str, payload: bytes) -> str:
        """Sends a task to a worker; returns the key of the task."""
        ...

    def cancel(self, key: str) -> None:
        """Cancels a task; an answer that still arrives is ignored."""
        ...

    def next_event(self, timeout_s: float) -> Event | None:
        """The next event, in order; None if there is none within `timeout_s` seconds."""
        ...
