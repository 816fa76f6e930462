"""How recordings end, and when a camera, or the process that reads it, counts as lost."""

from enum import StrEnum

READ_TIMEOUT_S = 10.0
"""A camera must answer, and a connected one must send something, within this time."""
SILENT_PROCESS_S = 30.0
"""A process that reads a camera must report within this time; else it hangs, and is killed."""


class RecordingEnd(StrEnum):
    """Why a recording ended.

    `stopped`: the command ended. `lost`: the camera ended the stream, or cannot be reached. `stalled`: it sent nothing
    any more, or the process that read it hung. `clock`: the clock of the machine or that of the camera stepped.
    `error`: the stream cannot be read, or its process crashed. `cut_off`: the command was killed.
    """

    STOPPED = "stopped"
    LOST = "lost"
    STALLED = "stalled"
    CLOCK = "clock"
    ERROR = "error"
    CUT_OFF = "cut_off"


class Heartbeat:
    """When a process reported last; times are in seconds of one clock that never steps."""

    def __init__(self, *, now_s: float) -> None:
        self._last_s = now_s

    def note(self, *, now_s: float) -> None:
        """Notes that the process reported."""
        self._last_s = max(self._last_s, now_s)

    def is_lost(self, *, now_s: float) -> bool:
        """Whether it is silent for too long."""
        return now_s - self._last_s >= SILENT_PROCESS_S
