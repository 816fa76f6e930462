"""How folders are watched, and where a watch speaks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from indexer.domain.arrivals import ArrivalTimes
from indexer.domain.naming.rules import NamingOptions

MAX_BATCH = 512
"""So many files are taken in at once, at most."""


@dataclass(frozen=True)
class WatchOptions:
    """How folders are watched. All times are in seconds.

    `every_s`: so often files are taken in, and folders that report nothing are looked at. `rescan_s`: so often all
    folders are walked. `is_polled`: they report nothing. `compares`: cameras that got images are compared. `is_once`:
    to end when nothing waits any more. `pause_s`: until another try when the index cannot be written. `lock_wait_s`:
    for another command, before the folders are looked at in between. `max_batch`: files that are taken in at once.
    """

    every_s: float = 5.0
    times: ArrivalTimes = field(default_factory=ArrivalTimes)
    rescan_s: float = 600.0
    is_polled: bool = False
    compares: bool = True
    is_once: bool = False
    naming: NamingOptions = field(default_factory=NamingOptions)
    pause_s: float = 30.0
    lock_wait_s: float = 10.0
    max_batch: int = MAX_BATCH


@dataclass(frozen=True)
class WatchOutput:
    """Where a watch speaks. `show` prints a sentence; `notify` tells the service manager, as sd_notify(3)."""

    show: Callable[[str], None]
    notify: Callable[[str], None] = lambda _state: None
