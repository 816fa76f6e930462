"""What a record works with, and what a person chose."""

from collections.abc import Callable
from dataclasses import dataclass, field

from indexer.domain.descriptions import Limits
from indexer.domain.recording.loss import READ_TIMEOUT_S
from indexer.domain.videos import Sampling
from indexer.escaping import printable
from indexer.execution import ParallelMap
from indexer.store.database import Database
from indexer.workflows.context import Clock, SystemTime


@dataclass(frozen=True)
class RecordOptions:
    """How cameras are recorded; all times are in seconds.

    `frames_folder`: a real path. `every_s`: from one frame that is looked at to the next. `max_per_minute`: so many
    frames of a camera are stored each minute. `min_free_bytes`: with less space none is. `transport`: of RTSP, 'tcp' or
    'udp'. `duration_s`: then it ends; None: never. `memory_bytes`: so much may the process of a camera take.
    `lock_wait_s`: so long a write waits for another command. `write_s`: so often the index is written. `open_s`: so
    often spans that go on are written. `pause_s`: until another try when the index cannot be written. `timeout_s`: of a
    read from a camera.
    """

    frames_folder: str
    every_s: float = 1.0
    sampling: Sampling = Sampling.AUTO
    max_per_minute: int = 30
    min_free_bytes: int = 10**9
    transport: str = "tcp"
    duration_s: float | None = None
    memory_bytes: int | None = None
    lock_wait_s: float = 10.0
    write_s: float = 2.0
    open_s: float = 10.0
    pause_s: float = 30.0
    timeout_s: float = READ_TIMEOUT_S

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments as the run stores them."""
        return {
            "frames": printable(self.frames_folder),
            "every_s": self.every_s,
            "sampling": str(self.sampling),
            "max_per_minute": self.max_per_minute,
            "min_free_bytes": self.min_free_bytes,
        }


@dataclass(frozen=True)
class RecordContext:
    """What a record works with: the index, an executor and limits for files, the clocks, and where it speaks.

    `show` prints a sentence; `notify` tells the service manager, as sd_notify(3).
    """

    database: Database
    executor: ParallelMap
    limits: Limits
    clock: Clock
    show: Callable[[str], None]
    notify: Callable[[str], None] = lambda _state: None
    time: SystemTime = field(default_factory=SystemTime)
